"""The connections of one masked layer: opened, closed and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.layers import Layer, Masked, masked_layers
from minimidl.learning.optimizer import Optimizer


@dataclass(frozen=True)
class Connections:
    """A masked layer, and what the optimiser remembers of its weights.

    Attributes:
        path: of the layer in its model.
        layer: changed in place.
        slots: of the optimiser, by slot name, of the shape of the weight.

    """

    path: str
    layer: Masked
    slots: Mapping[str, Array]

    @property
    def mask(self) -> Array:
        """Live connections, ``(n_in, n_units)``."""
        return self.layer.mask

    @property
    def weight(self) -> Array:
        """Of the same shape."""
        return self.layer.params["weight"]

    @property
    def n_live(self) -> int:
        """How many are live."""
        return int(np.count_nonzero(self.mask))

    def close(self, where: Array) -> None:
        """Let connections die: weight and slots become 0, so that no momentum moves them.

        From a weight, a gradient and slots of 0 every optimiser here makes a step of 0, so they
        stay exactly 0 for good.
        """
        self.mask[where] = False
        for array in (self.weight, *self.slots.values()):
            array[where] = 0

    def open(self, where: Array, values: Array | float, slots: Mapping[str, Array | float]) -> None:
        """Make new connections with these weights, and slots (0 where none is named)."""
        self.mask[where] = True
        self.weight[where] = values
        for name, array in self.slots.items():
            array[where] = slots.get(name, 0.0)


def connections_of(model: Layer, optimizer: Optimizer) -> list[Connections]:
    """All masked layers of a model with their slots; raises InputError where there is none."""
    inner: Layer = getattr(model, "model", model)  # an executor only runs another one
    layers = masked_layers(inner)
    require(len(layers) > 0, "wiring", "a model without masked layers", "one with masks to change",
            "build it with MaskedLinear, MaskedMIDL or MaskedDynamicGate")
    return [Connections(path, layer, slots_of(optimizer, f"{path}.weight" if path else "weight"))
            for path, layer in layers.items()]


def slots_of(optimizer: Optimizer, name: str) -> dict[str, Array]:
    """What an optimiser keeps of one parameter, by slot name."""
    return {slot: optimizer.slots[f"{slot}/{name}"] for slot in optimizer.slot_names
            if f"{slot}/{name}" in optimizer.slots}


def largest(scores: Array, n: int, among: Array) -> Array:
    """Boolean, the shape of ``scores``: exactly the ``n`` largest of those that are ``among``.

    Of equals the first in reading order, row by row, whatever the order in memory. A threshold
    alone would take all equals, or none.

    Args:
        scores: finite numbers.
        n: from 0 to the number of ``among``.
        among: boolean, the shape of ``scores``.

    """
    places = np.flatnonzero(among)
    assert 0 <= n <= len(places), f"{n} of {len(places)} connections"
    chosen = np.zeros(scores.size, bool)
    if n:
        values = scores.ravel()[places]
        least = np.partition(values, len(values) - n)[len(values) - n]  # the n-th largest
        above, equal = values > least, np.flatnonzero(values == least)
        chosen[places[above]] = True
        chosen[places[equal[:n - np.count_nonzero(above)]]] = True
    return chosen.reshape(scores.shape)


def choose_mask(mask: Array, keep_score: Array, grow_score: Array, n_drop: int) -> Array:
    """The mask after one rewiring: same shape, same number of live connections.

    Args:
        mask: live connections, boolean.
        keep_score: the smallest of the live ones are dropped.
        grow_score: the largest of all that are not kept grow: of the dead and the just dropped.
        n_drop: how many, up to the number of live ones.

    """
    kept = largest(keep_score, int(np.count_nonzero(mask)) - n_drop, mask)
    after: Array = kept | largest(grow_score, n_drop, ~kept)
    return after
