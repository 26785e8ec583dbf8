"""What all optimisers share: in-place steps, groups, decoupled decay, slots for checkpoints.

A step walks over the parameters one by one. Each is seen through a flat view in its own memory
order, so that an update is a handful of passes over contiguous memory, whatever the shape. The
mathematics of one optimiser is its :meth:`Optimizer.update`, and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from minimidl.arrays import Array, Grads
from minimidl.errors import require
from minimidl.learning.groups import Group, find_group, may_decay


@dataclass(frozen=True)
class Part:
    """One parameter as an optimiser sees it: flat views, and the settings of its group."""

    name: str
    values: Array
    slots: tuple[Array, ...]
    scratch: Array
    order: Literal["C", "F"]
    shape: tuple[int, ...]
    learning_rate_scale: float
    weight_decay: float

    def flat(self, grad: Array) -> Array:
        """``grad`` as one dimension, in the memory order of the parameter.

        A view where the two orders agree, otherwise a copy: a layer that keeps its weight in
        Fortran order should also return the gradient so.
        """
        require(grad.shape == self.shape, f"gradient of {self.name}", f"shape {grad.shape}",
                f"{self.shape}, as the parameter")
        return grad.ravel(order=self.order)


class Optimizer(ABC):
    """Base of all optimisers.

    Args:
        params: the model's parameters; changed in place by :meth:`step`, never rebound.
        learning_rate: of the steps that name none.
        groups: exceptions by parameter name; the first match wins.
        weight_decay: decoupled decay ``p <- (1 - rate * decay) p`` before the step (Loshchilov and
            Hutter 2019, algorithm 2), except for gates, biases and norms.

    Attributes:
        slots: what a checkpoint must keep: the count of steps, ``"step"`` (0-d int64), and one
            array per slot and parameter, such as ``"first/0.weight"``; restored in place.

    Raises:
        InputError: a bad setting, or parameters that are not contiguous arrays of a float dtype.

    """

    slot_names: tuple[str, ...] = ()

    def __init__(
        self, params: Mapping[str, Array], learning_rate: float,
        groups: Sequence[Group] = (), weight_decay: float = 0.0,
    ) -> None:
        require_rate(learning_rate)
        require(weight_decay >= 0, "weight_decay", weight_decay, "a number of at least 0")
        self.learning_rate = float(learning_rate)
        self.slots: dict[str, Array] = {"step": np.zeros((), np.int64)}
        scratch = {dtype: np.empty(size, dtype) for dtype, size in largest_sizes(params).items()}
        self.parts = [self._part(name, values, scratch[values.dtype], groups, weight_decay)
                      for name, values in params.items()]

    def _part(
        self, name: str, values: Array, scratch: Array, groups: Sequence[Group], decay: float
    ) -> Part:
        """Make the slots of one parameter and collect its settings."""
        for slot in self.slot_names:
            self.slots[f"{slot}/{name}"] = np.zeros_like(values)  # keeps the memory order
        order: Literal["C", "F"] = "C" if values.flags.c_contiguous else "F"
        group = find_group(groups, name)
        own_decay = decay if may_decay(name, values) else 0.0
        named_decay = None if group is None else group.weight_decay
        return Part(
            name, values.ravel(order), self._flat_slots(name, order), scratch[:values.size], order,
            values.shape, 1.0 if group is None else group.learning_rate_scale,
            own_decay if named_decay is None else named_decay,
        )

    def _flat_slots(self, name: str, order: Literal["C", "F"]) -> tuple[Array, ...]:
        return tuple(self.slots[f"{slot}/{name}"].ravel(order) for slot in self.slot_names)

    def step(self, grads: Grads, learning_rate: float | None = None) -> None:
        """Change every parameter in place.

        Args:
            grads: keys and shapes of the parameters; never modified.
            learning_rate: of this step; None takes the one given at construction.

        Raises:
            InputError: a missing or misshapen gradient, a negative or non-finite rate.

        """
        rate = self.learning_rate if learning_rate is None else float(learning_rate)
        require_rate(rate)
        self.slots["step"] += 1
        for part in self.parts:
            require(part.name in grads, "grads", f"no gradient of {part.name}",
                    "the keys of params")
            own_rate = rate * part.learning_rate_scale
            grad = part.flat(grads[part.name])
            if part.weight_decay:
                part.values[...] *= 1.0 - own_rate * part.weight_decay
            self.update(part.values, grad, part.slots, part.scratch, own_rate)

    @abstractmethod
    def update(
        self, values: Array, grad: Array, slots: tuple[Array, ...], scratch: Array, rate: float
    ) -> None:
        """Do the mathematics of one step on one flat parameter, in place.

        Args:
            values: the parameter, changed.
            grad: its gradient, same length, never changed.
            slots: its slots in the order of ``slot_names``, changed.
            scratch: room of the same length for temporaries; holds nothing between calls.
            rate: the learning rate of this parameter in this step.

        """


def require_rate(rate: float) -> None:
    """Raise InputError unless a learning rate is a finite number of at least 0."""
    require(np.isfinite(rate) and rate >= 0, "learning_rate", rate, "a finite number, at least 0")


def largest_sizes(params: Mapping[str, Array]) -> dict[np.dtype[np.generic], int]:
    """Size of the largest parameter of each dtype; raises InputError for unusable arrays."""
    sizes: dict[np.dtype[np.generic], int] = {}
    for name, values in params.items():
        require(np.issubdtype(values.dtype, np.floating), f"params[{name!r}]",
                f"dtype {values.dtype}", "a float dtype")
        require(values.flags.forc, f"params[{name!r}]", "a strided view",
                "a contiguous array (C or Fortran order)", "optimise the array it is a view of")
        sizes[values.dtype] = max(sizes.get(values.dtype, 0), values.size)
    return sizes
