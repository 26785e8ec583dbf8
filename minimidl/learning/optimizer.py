"""What all optimisers share: in-place steps, groups, decoupled decay, slots for checkpoints.

A step walks over the parameters one by one. Each is seen through a flat view in its own memory
order, whatever its shape. The mathematics of one optimiser is its :meth:`Optimizer.update`, and
nothing else; large models take the same step by a compiled kernel in one pass, with the same bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Literal

import numpy as np

from minimidl.arrays import Array, Grads
from minimidl.errors import require
from minimidl.learning.groups import Group, find_group, may_decay
from minimidl.learning.parts import Part, Touched, check_touched, largest_sizes
from minimidl.learning.subnormal import is_sweep, least_moment


class Optimizer(ABC):
    """Base of all optimisers.

    Args:
        params: the model's parameters; changed in place by :meth:`step`, never rebound.
        learning_rate: of the steps that name none.
        groups: exceptions by parameter name; the first match wins.
        weight_decay: decoupled decay ``p <- (1 - rate * decay) p`` before the step (Loshchilov and
            Hutter 2019, algorithm 2), except for gates, biases and norms.
        sparse: step only the rows (see :mod:`minimidl.learning.parts`) that have a gradient. The
            others are left as they are: no momentum moves them, no moment of theirs fades, nothing
            decays. ("Lazy" Adam, as for embeddings; the corrections of Adam count all steps.) A row
            that is always touched goes as in a dense step; another one keeps old moments for
            longer, and stands still where a dense step would let it glide on. Plain SGD
            without decay is the same either way.

    Attributes:
        slots: what a checkpoint must keep: the count of steps, ``"step"`` (0-d int64), and one
            array per slot and parameter, such as ``"first/0.weight"``; restored in place.

    Raises:
        InputError: a bad setting, or parameters that are not contiguous arrays of a float dtype.

    """

    slot_names: tuple[str, ...] = ()

    def __init__(
        self, params: Mapping[str, Array], learning_rate: float,
        groups: Sequence[Group] = (), weight_decay: float = 0.0, sparse: bool = False,
    ) -> None:
        require_rate(learning_rate)
        require(weight_decay >= 0, "weight_decay", weight_decay, "a number of at least 0")
        self.learning_rate, self.sparse = float(learning_rate), sparse
        self.slots: dict[str, Array] = {"step": np.zeros((), np.int64)}
        scratch = {dtype: np.empty(size, dtype) for dtype, size in largest_sizes(params).items()}
        self.parts = [self._part(name, values, scratch[values.dtype], groups, weight_decay)
                      for name, values in params.items()]
        self.sizes: Counter[np.dtype[Any]] = Counter()
        for part in self.parts:
            self.sizes[part.values.dtype] += part.values.size

    def __init_subclass__(cls, **options: Any) -> None:
        """Whoever writes a new ``update`` does not inherit the kernel of another one."""
        super().__init_subclass__(**options)
        if "update" in cls.__dict__ and "kernel" not in cls.__dict__:
            cls.kernel = Optimizer.kernel  # type: ignore[method-assign]

    @property
    def title(self) -> str:
        """What a checkpoint calls it: ``"Adam"``, ``"Adam, sparse"``."""
        return type(self).__name__ + (", sparse" if self.sparse else "")

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

    def step(
        self, grads: Grads, learning_rate: float | None = None, touched: Touched | None = None
    ) -> None:
        """Change every parameter in place.

        Args:
            grads: keys and shapes of the parameters; never modified.
            learning_rate: of this step; None takes the one given at construction.
            touched: for a sparse optimiser, by parameter name, the rising numbers of the rows that
                have a gradient; other rows of ``grads`` are not even read. The rows of a parameter
                that is not named here are looked through for any that are not all 0.

        Raises:
            InputError: a missing or misshapen gradient, a negative or non-finite rate, rows out of
                range or given to an optimiser that is not sparse.

        """
        rate = self.learning_rate if learning_rate is None else float(learning_rate)
        require_rate(rate)
        check_touched(touched, self.sparse, self.parts)
        self.slots["step"] += 1
        kernels = {dtype: kernels_for(size, dtype) for dtype, size in self.sizes.items()}
        for part in self.parts:
            if part.name not in grads:
                require(False, "grads", f"no gradient of {part.name}", "the keys of params")
            grad = part.flat(grads[part.name])
            same = grad.dtype == part.values.dtype
            self._step_part(part, grad, rate * part.learning_rate_scale,
                            (touched or {}).get(part.name),
                            kernels[part.values.dtype] if same else None)

    def _step_part(
        self, part: Part, grad: Array, rate: float, listed: Array | None, kernels: ModuleType | None
    ) -> None:
        """One parameter, all of it or the rows with a gradient, by kernel or by NumPy."""
        rows = self._rows(part, grad, listed, kernels) if self.sparse else None
        arrays, kept = (part.values, grad, *part.slots), 1.0 - rate * part.weight_decay
        least = least_moment(grad.dtype) if is_sweep(int(self.slots["step"])) else 0.0
        name, numbers = self.kernel(rate, least)
        if kernels is not None and name:
            kernels.step(name, arrays, (kept, *numbers), rows, part.width)
        elif rows is None:
            self._numpy_step(arrays, part.scratch, rate, kept)
        else:
            in_rows = [part.in_rows(array) for array in arrays]
            picked = [array[rows].ravel() for array in in_rows]  # copies
            self._numpy_step(picked, part.scratch[:picked[0].size], rate, kept)
            for whole, new in zip((in_rows[0], *in_rows[2:]), (picked[0], *picked[2:]),
                                  strict=True):
                whole[rows] = new.reshape(len(rows), part.width)

    def _rows(
        self, part: Part, grad: Array, listed: Array | None, kernels: ModuleType | None
    ) -> Array | None:
        """Numbers of the rows to step; None when it is all of them."""
        if listed is not None:
            rows = part.checked_rows(listed)
        elif kernels is not None:
            rows = kernels.nonzero_rows(part.in_rows(grad))
        else:
            rows = np.flatnonzero((part.in_rows(grad) != 0).any(axis=1))
        return None if len(rows) == part.n_rows else rows

    def _numpy_step(
        self, arrays: Sequence[Array], scratch: Array, rate: float, kept: float
    ) -> None:
        """Decay, then :meth:`update`."""
        values, grad, *slots = arrays
        if kept != 1:
            values *= kept
        self.update(values, grad, tuple(slots), scratch, rate)

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

    def kernel(self, rate: float, least: float) -> tuple[str, tuple[float, ...]]:
        """The compiled twin of :meth:`update`, if there is one.

        Returns:
            Its name in ``minimidl.kernels.optimizers.STEPS`` and its numbers after ``kept``; an
            empty name where there is none. Moments nearer to 0 than ``least`` become 0.

        """
        return "", ()


def kernels_for(size: int, dtype: np.dtype[Any]) -> ModuleType | None:
    """The compiled steps, or None: for a small model, another dtype, or without Numba."""
    from minimidl.kernels.choose import optimizer_kernels

    return optimizer_kernels(size, dtype)


def require_rate(rate: float) -> None:
    """Raise InputError unless a learning rate is a finite number of at least 0."""
    require(np.isfinite(rate) and rate >= 0, "learning_rate", rate, "a finite number, at least 0")
