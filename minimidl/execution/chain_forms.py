"""How a chain runs: sample by sample, with compiled kernels or gathered by NumPy.

Every form answers ``predict(x)`` and, bit for bit the same, ``forward(x)``, which also gives for
every gated layer its dense input and its decision. Both are None where gate scores are not finite.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.link import Link
from minimidl.gates import Decision
from minimidl.kernels import gather
from minimidl.layers import Linear

Decided = list[tuple[Array, Decision]]
"""Dense input ``(batch, n_in)`` and decision of every gated layer."""


class ChainForm(ABC):
    """What all forms have.

    Args:
        links: the gated layers.
        linear: the layer behind them, or None.

    """

    in_parts = False
    """Whether large batches are better run in parts."""

    def __init__(self, links: Sequence[Link], linear: Linear | None) -> None:
        self.links, self.linear = list(links), linear
        dtype = links[-1].bias.dtype
        self.n_out = links[-1].gated.n_out if linear is None else linear.n_out
        self.next_weight = np.empty((0, 0), dtype) if linear is None else linear.params["weight"]
        self.next_bias = (np.empty((1, 0), dtype) if linear is None
                          else linear.params["bias"][None, :])

    def predict(self, x: Array) -> Array | None:
        """Output ``(batch, n_out)``."""
        result = self.forward(x)
        return None if result is None else result[0]

    @abstractmethod
    def forward(self, x: Array) -> tuple[Array, Decided] | None:
        """Output, and what was decided."""


class Singles(ChainForm):
    """Sample by sample, a compact set from layer to layer; see :mod:`minimidl.kernels.chain`."""

    in_parts = True

    def __init__(self, links: Sequence[Link], linear: Linear | None, kernels: ModuleType) -> None:
        super().__init__(links, linear)
        self.kernels = kernels

    def predict(self, x: Array) -> Array | None:
        """Output ``(batch, n_out)``; nothing else is kept."""
        sets = self.sets(x)
        return None if sets is None else self.finish(sets[-1][1])

    def forward(self, x: Array) -> tuple[Array, Decided] | None:
        """Output, and what was decided."""
        sets = self.sets(x)
        if sets is None:
            return None
        decided: Decided = []
        given = x
        for link, (scores, opened) in zip(self.links, sets, strict=True):
            decided.append((given, link.decide(given, scores, self.active(link, opened))))
            given = self.dense(link, opened)
        return self.finish(sets[-1][1]), decided

    def sets(self, x: Array) -> list[Any] | None:
        """Scores and set of every layer."""
        results: list[Any] = []
        for link in self.links:
            scores = np.empty((len(x), link.gated.n_gates), x.dtype)
            if not link.products:  # a network that is more than products, or a static one
                scores[:] = link.scores(x) if not results else link.score_bias
            opened = link.room(len(x))
            k, cut, temperature = link.selection()
            run, given = ((self.kernels.next_layer, results[-1][1]) if results
                          else (self.kernels.first_layer, (x,)))
            if run(*given, *link.matrices, link.score_bias, link.every, k, cut, temperature,
                   link.binary, link.series, *link.tail, scores, *opened):
                return None
            results.append((scores, opened))
        return results

    def finish(self, opened: tuple[Array, Array, Array]) -> Array:
        """What the linear layer makes of the last set; without one, the set written out."""
        if self.linear is None:
            return self.dense(self.links[-1], opened)
        out = np.empty((len(opened[0]) - 1, self.n_out), opened[2].dtype)
        self.kernels.linear_layer(*opened, self.next_weight, self.next_bias, out)
        return out

    def dense(self, link: Link, opened: tuple[Array, Array, Array]) -> Array:
        """A set as ``(batch, n_units)``."""
        out = np.empty((len(opened[0]) - 1, link.gated.n_out), opened[2].dtype)
        self.kernels.write_dense(*opened, out)
        return out

    def active(self, link: Link, opened: tuple[Array, Array, Array]) -> Array:
        """The executed set as a mask, ``(batch, n_gates)``."""
        offsets, indices, _ = opened
        mask = np.zeros((len(offsets) - 1, link.gated.n_out), bool)
        mask[np.repeat(np.arange(len(mask)), np.diff(offsets)), indices[:offsets[-1]]] = True
        return mask[:, ::link.gated.block]


class Gathered(ChainForm):
    """NumPy, sample by sample: where nothing is compiled. Gate scores read all columns."""

    def forward(self, x: Array) -> tuple[Array, Decided] | None:
        """Output, and what was decided."""
        decided: Decided = []
        before = None
        for link in self.links:
            gated = link.gated
            decision = gated.decide(x)
            decided.append((x, decision))
            hidden = np.zeros((len(x), gated.n_out), x.dtype)
            units = gated.to_units(decision.active)
            gather.layer(x, before, units, gated.to_units(decision.gate), link.weight_t, link.bias,
                         gated.function.value, hidden)
            x, before = hidden, units
        if self.linear is None:
            return x, decided
        out = np.repeat(self.next_bias, len(x), axis=0)
        for s, units in enumerate(before if before is not None else ()):
            out[s] += x[s, units] @ self.next_weight[units]
        return out, decided
