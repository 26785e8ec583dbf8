"""Products over open columns: which registers of a row hold one, and rows multiplied by those.

The tile is in :mod:`minimidl.kernels.column_tiles`.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.column_tiles import dot_pieces
from minimidl.kernels.jit import compiled
from minimidl.kernels.tile_code import GROUP


@compiled()
def list_pieces(
    indices: Array, start: int, stop: int, n_in: int, lanes: int, places: Array, masks: Array
) -> int:
    """The registers of a row of ``n_in`` inputs that hold an open one, and which lanes are open.

    The last register reaches back over columns that belong to the one before, and masks them.
    Returns how many there are; ``places`` and ``masks`` have room for every register of a row.
    """
    registers, last = (n_in + lanes - 1) // lanes, n_in - lanes
    for t in range(registers):
        masks[t] = np.uint16(0)
    for p in range(start, stop):
        t = indices[p] // lanes
        masks[t] |= np.uint16(1 << (indices[p] - min(t * lanes, last)))
    pieces = 0
    for t in range(registers):  # no branch: an empty one is overwritten by the next
        mask = masks[t]
        places[pieces], masks[pieces] = min(t * lanes, last), mask
        pieces += mask != np.uint16(0)
    return pieces


@compiled()
def multiply_pieces(
    row: Array, row_start: int, places: Array, masks: Array, first: int, pieces: int,
    weights: Array, n_in: int, rows: Array, start: int, stop: int, values: Array, place: int,
) -> None:
    """``values[place ...] = row . weight`` for the rows ``start`` to ``stop`` of a list."""
    for p in range(start, stop, GROUP):
        some, here = min(GROUP, stop - p), place + p - start
        if pieces > 0:
            dot_pieces(row, row_start, places, masks, first, pieces, weights, n_in, rows, p, some,
                       values, here)
        else:
            for i in range(some):
                values[here + i] = values.dtype.type(0)


@compiled()
def multiply_gathered(
    given: Array, given_values: Array, start: int, stop: int, weight_t: Array, indices: Array,
    first: int, last: int, values: Array,
) -> None:
    """The same column by column, for rows that are shorter than a register."""
    for p in range(first, last):
        total = values.dtype.type(0)
        for i in range(start, stop):
            total += given_values[i] * weight_t[indices[p], given[i]]
        values[p] = total
