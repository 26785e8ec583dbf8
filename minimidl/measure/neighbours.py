"""Neighbours on a line and in the plane: exact, without a tree.

Estimators of mutual information ask who is *strictly closer* than the k-th neighbour. In floating
point ``x + (y - x)`` need not be ``y``, so the neighbour itself slips in now and then. Here values
are whole multiples of 2**-48 standard deviations: their sums and differences have no rounding.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require, require_finite

FINE = 2.0**48
"""Steps per standard deviation. The jitter is 28,000 of them: coarser ones would tie again."""

JITTER = 1e-10
"""Standard deviation of what is added to break ties, in standard deviations of the values."""

FAR = 2**61
"""Beyond every distance of two of ``n`` values, which is at most ``sqrt(2 n)`` standard deviations:
for 30 million values, and then two of these still fit into 64 bits."""

CELLS = 2**20
"""Distances held at once in the search in the plane (8 MB)."""

EULER = 0.57721566490153286061


@lru_cache(maxsize=4)
def _digammas(n: int) -> Array:
    """``psi(1), ..., psi(n)``."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n))]) - EULER


def digamma(whole: Array | int) -> Array:
    """``psi(n) = -0.5772... + 1 + 1/2 + ... + 1/(n - 1)`` of whole numbers of at least 1.

    Raises:
        InputError: a number below 1.

    """
    numbers = np.asarray(whole)
    require(numbers.size == 0 or int(numbers.min()) >= 1, "whole", numbers.min(initial=1),
            "whole numbers of at least 1")
    largest = int(numbers.max(initial=1))
    return _digammas(1 << largest.bit_length())[numbers - 1]


def is_constant(x: Array) -> bool:
    """Whether all values are the same, but for the rounding of a product that gave them."""
    return bool(np.ptp(x) <= 1e-12 * np.abs(x).max())


def on_a_grid(x: Array, rng: Rng) -> Array:
    """Standardise, add the jitter, and round: ``(n,)`` int64, in units of 1/:data:`FINE`."""
    scaled = (x - x.mean()) / x.std() + JITTER * rng.standard_normal(len(x))
    return np.rint(scaled * FINE).astype(np.int64)


def column(x: Array, argument: str, k: int) -> Array:
    """``x`` as ``(n,)`` float64.

    Raises:
        InputError: not one-dimensional, not finite, or no more than ``k`` values.

    """
    values = np.asarray(x, dtype=np.float64)
    require(values.ndim == 1, argument, f"shape {values.shape}", "(samples,)")
    require(k >= 1, "k", k, "a neighbour: 1 or more")
    require(len(values) > k, argument, f"{len(values)} samples",
            f"more than k = {k}, so that everyone has a k-th neighbour")
    require_finite(values, argument)
    return values


def kth_on_line(line: Array, k: int) -> Array:
    """Distance of each point to its k-th neighbour, ``(n,)``.

    The k nearest of a point on a sorted line are ``j`` to its left and ``k - j`` to its right for
    some ``j``, and the right ``j`` is the one that reaches least far.

    Args:
        line: ``(n,)`` whole numbers in rising order, ``n > k``.
        k: which neighbour.

    """
    n, ends = len(line), np.full(k, FAR)
    padded = np.concatenate([-ends, line, ends])  # point i is at k + i
    nearest = np.full(n, FAR)
    for left in range(k + 1):
        to_the_left = line - padded[k - left:k - left + n]
        to_the_right = padded[2 * k - left:2 * k - left + n] - line
        np.minimum(nearest, np.maximum(to_the_left, to_the_right), out=nearest)
    return nearest


def kth_in_plane(x: Array, y: Array, k: int) -> Array:
    """Distance ``max(|dx|, |dy|)`` of each point to its k-th neighbour, ``(n,)``.

    Points come in the order of ``x``. Whoever is near is near in ``x``, so a window of points
    beside it is enough, as soon as the k-th distance found in it is no more than the way to its
    ends: about ``sqrt(k n)`` points. Who is not sure yet looks again in a window twice as wide.

    Args:
        x: ``(n,)`` whole numbers in rising order, ``n > k``.
        y: their partners.
        k: which neighbour.

    """
    nearest, unsure, reach = np.empty(len(x), np.int64), np.arange(len(x)), isqrt(k * len(x)) // 2
    while unsure.size:
        reach = max(reach, k)
        rows = max(1, CELLS // (2 * reach + 1))
        sure = [_look(x, y, k, unsure[i:i + rows], reach, nearest)
                for i in range(0, len(unsure), rows)]
        unsure, reach = unsure[~np.concatenate(sure)], 2 * reach
    return nearest


def _look(x: Array, y: Array, k: int, who: Array, reach: int, nearest: Array) -> Array:
    """Write the k-th distance within ``reach`` places into ``nearest``; say where that is sure."""
    places = who[:, None] + np.arange(-reach, reach + 1)  # (who, window), over the ends too
    inside = np.clip(places, 0, len(x) - 1)
    distance = np.maximum(np.abs(x[inside] - x[who, None]), np.abs(y[inside] - y[who, None]))
    distance[places != inside] = FAR
    nearest[who] = np.partition(distance, k, axis=1)[:, k]  # place 0 is the point itself
    to_the_left = np.where(places[:, 0] > 0, x[who] - x[inside[:, 0]], FAR)
    to_the_right = np.where(places[:, -1] < len(x) - 1, x[inside[:, -1]] - x[who], FAR)
    return nearest[who] <= np.minimum(to_the_left, to_the_right)


def strictly_closer(line: Array, centre: Array, radius: Array) -> Array:
    """How many of the sorted ``line`` are strictly within ``radius``, the centre itself included.

    At least 1, also where points coincide and the radius is 0.
    """
    first = np.searchsorted(line, centre - radius, side="right")
    return np.maximum(np.searchsorted(line, centre + radius, side="left") - first, 1)
