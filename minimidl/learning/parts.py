"""One parameter as an optimiser sees it: flat, in its own memory order, and cut into rows.

A row is what lies together and belongs to one neuron: of a weight ``(n_in, n_units)`` in Fortran
order the incoming weights of unit ``j``, of a weight in C order the outgoing weights of unit ``i``,
of a vector one number. A weight with an axis of length 1 lies in both orders and is taken to be in
C order; where its rows were meant otherwise, name none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require

Touched = Mapping[str, Array]
"""Rising row numbers by parameter name; see :meth:`minimidl.learning.Optimizer.step`."""


@dataclass(frozen=True)
class Part:
    """Flat views of one parameter and its slots, and the settings of its group."""

    name: str
    values: Array
    slots: tuple[Array, ...]
    scratch: Array
    order: Literal["C", "F"]
    shape: tuple[int, ...]
    learning_rate_scale: float
    weight_decay: float

    @property
    def n_rows(self) -> int:
        """Rows: entries of the first axis, in Fortran order of the last one; 1 for a number."""
        if not self.shape:
            return 1
        return self.shape[0] if self.order == "C" else self.shape[-1]

    @property
    def width(self) -> int:
        """Numbers per row."""
        return self.values.size // max(1, self.n_rows)

    def flat(self, grad: Array) -> Array:
        """``grad`` as one dimension, in the memory order of the parameter.

        A view where the two orders agree, otherwise a copy: a layer that keeps its weight in
        Fortran order should also return the gradient so.
        """
        if grad.shape != self.shape:
            require(False, f"gradient of {self.name}", f"shape {grad.shape}",
                    f"{self.shape}, as the parameter")
        return grad.ravel(order=self.order)

    def in_rows(self, flat: Array) -> Array:
        """A flat array as ``(n_rows, width)``, a view."""
        return flat.reshape(self.n_rows, self.width)

    def checked_rows(self, rows: Array) -> Array:
        """Row numbers as int64; InputError unless they are whole, in range, and rise."""
        rows = np.asarray(rows)
        require(rows.ndim == 1 and (rows.dtype.kind in "iu" or not rows.size),
                f"touched[{self.name!r}]", f"{rows.dtype} of shape {rows.shape}",
                "a one-dimensional array of row numbers")
        rows = rows.astype(np.int64, copy=False)
        inside = not rows.size or (rows[0] >= 0 and rows[-1] < self.n_rows)
        require(inside and bool((rows[1:] > rows[:-1]).all()), f"touched[{self.name!r}]",
                "row numbers out of order or out of range",
                f"rising ones from 0 to {self.n_rows - 1}, each at most once")
        return rows


def check_touched(touched: Touched | None, sparse: bool, parts: Sequence[Part]) -> None:
    """Raise InputError for rows that nobody asked for, or of parameters that are not there."""
    if touched is None:
        return
    require(sparse, "touched", "rows for a dense optimiser", "None",
            "build the optimiser with sparse=True")
    strange = set(touched) - {part.name for part in parts}
    require(not strange, "touched", sorted(strange), "names of parameters")


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
