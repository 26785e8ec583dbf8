"""Isotonic regression: the nearest sequence that never increases, and its derivative.

    v = argmin ||v - y||^2   subject to   v_1 >= v_2 >= ... >= v_n

Pool adjacent violators: walk from left to right; where a block's mean lies above the mean of the
block before it, pool the two. The answer is the mean of each block, so its derivative is as simple:
every entry of a block hears the mean of the block's gradients. The blocks are kept from the walk
itself. Finding them again from equal values of ``v`` would fuse two blocks whose means happen to
agree to rounding, and their gradients with them.

Sources: Ayer et al. 1955; Blondel, Teboul, Berthet and Djolonga 2020 (2002.08871),
section 5 for the derivative.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.gates.rows import check_rows, require_shape


def isotonic_decreasing(y: Array) -> tuple[Array, Memory]:
    """Project each row of ``y`` on the non-increasing sequences.

    Args:
        y: ``(rows, n)``, finite floats.

    Returns:
        ``v`` ``(rows, n)`` in the dtype of ``y``; the memory holds ``starts``, see
        :func:`block_starts`. Where two neighbouring blocks have equal means the map has a kink, and
        they count as two.

    Raises:
        InputError: not finite ``(rows, n)`` floats.

    """
    check_rows(y, argument="y")
    starts = block_starts(y)
    return block_means(y, starts).astype(y.dtype), {"starts": starts}


def isotonic_decreasing_backward(grad_v: Array, memory: Memory) -> Array:
    """``dL/dy``: the mean of ``dL/dv`` over each block, ``(rows, n)``."""
    require_shape(grad_v, memory["starts"], "grad_v")
    return block_means(grad_v, memory["starts"]).astype(grad_v.dtype)


def block_starts(y: Array) -> Array:
    """Boolean ``(rows, n)``: where a block of pooled neighbours begins; O(n) per row.

    Rows without a violator are done at a glance; only the others are walked.
    """
    starts = np.ones(y.shape, dtype=bool)
    for row in np.flatnonzero((np.diff(y, axis=1) > 0).any(axis=1)):
        lengths = pool(y[row].tolist())
        starts[row, 1:] = False
        starts[row, np.cumsum(lengths)[:-1]] = True
    return starts


def pool(values: list[float]) -> list[int]:
    """Lengths of the blocks of one row, left to right.

    Each value is pushed once and pooled at most once, so the work is linear. Means are compared by
    cross-multiplication: no division, no rounding of a quotient.
    """
    totals: list[float] = []
    lengths: list[int] = []
    for value in values:
        total, length = value, 1
        while totals and totals[-1] * length < total * lengths[-1]:
            total += totals.pop()
            length += lengths.pop()
        totals.append(total)
        lengths.append(length)
    return lengths


def block_means(x: Array, starts: Array) -> Array:
    """Every entry replaced by the mean of its block, ``(rows, n)`` float64."""
    # A row begins with a block, so in one long line no block reaches over the end of its row.
    first = np.flatnonzero(starts)
    length = np.diff(first, append=x.size)
    total = np.add.reduceat(x.astype(np.float64).ravel(), first) if x.size else np.empty(0)
    return np.repeat(total / length, length).reshape(x.shape)
