"""LapSum: ``F`` is the Laplace distribution, and ``tau`` has a closed form.

Between two neighbouring scores every term of ``sum_i F(z_i - t)`` is a constant plus a multiple of
``exp(t)`` or ``exp(-t)``, so the equation is a quadratic in ``exp(t)``. Two scans give the sum at
every score (a knot), hence the segment that holds ``tau``; the quadratic gives ``tau`` itself.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.threshold.base import ThresholdTopK


class LapSumTopK(ThresholdTopK):
    """``p_i = F((z_i - tau) / T)`` with the Laplace cdf and ``sum p = k``; no iterations.

    Card:
        formula: p_i = 1 - exp(-u) / 2 for u > 0, exp(u) / 2 otherwise, u = (z_i - tau) / T
        cost: O(n log n) forward (sort and scans), O(n) backward
        exactly k: yes, in closed form
        exact zeros: no
        use when: you want an exact answer without iterations and a gradient that only fades
        source: Struski et al. 2025 (LapSum, ICML, arXiv:2503.06242)

    """

    middle = 0.0
    twin = "lapsum"

    def cdf(self, u: Array) -> Array:
        """``exp(u) / 2`` below 0, ``1 - exp(-u) / 2`` above."""
        half = 0.5 * np.exp(-np.abs(u))
        return np.where(u > 0, 1 - half, half)

    def slope(self, u: Array) -> Array:
        """``exp(-|u|) / 2``."""
        return 0.5 * np.exp(-np.abs(u))

    def cut(self, scaled: Array, k: float) -> Array:
        """Find the segment by the sums at the knots, then solve its quadratic."""
        n = scaled.shape[1]
        knots = -np.sort(-scaled.astype(np.float64), axis=1)  # descending
        above, below = decayed_sums(knots), decayed_sums(-knots[:, ::-1])[:, ::-1]
        at_knot = np.arange(n) + 0.5 + 0.5 * (below - above)  # sum_i F(z_i - knot), increasing
        j = (at_knot < k).sum(axis=1, keepdims=True)  # tau lies between knots j - 1 and j
        over_all = knots[:, :1] + np.log(below[:, :1]) - math.log(2 * k)
        under_all = knots[:, -1:] - np.log(above[:, -1:]) + math.log(2 * (n - k))
        between = cut_between(knots, above, below, np.clip(j, 1, max(n - 1, 1)), k) if n > 1 else 0
        return np.where(j == 0, over_all, np.where(j == n, under_all, between))


def decayed_sums(knots: Array) -> Array:
    """``A_j = sum_{i <= j} exp(-(s_i - s_j))`` for descending ``s``, ``(rows, n)``.

    A scan by doubling: a window of 2m entries is two windows of m, the farther one decayed. Every
    exponent is at most 0, so nothing overflows, and every row is scanned at once.
    """
    sums = np.ones_like(knots)
    width = 1
    while width < knots.shape[1]:
        decay = np.exp(knots[:, width:] - knots[:, :-width])
        sums[:, width:] += decay * sums[:, :-width].copy()  # a copy: the two sides overlap
        width *= 2
    return sums


def cut_between(knots: Array, above: Array, below: Array, j: Array, k: float) -> Array:
    """``tau`` in ``[s_j, s_{j-1}]``, the root of ``a y^2 + 2 e y - b exp(-gap) = 0``.

    Here ``y = exp(tau - s_{j-1})`` and ``e = k - j``. With
    ``root = |e| + sqrt(e^2 + a b exp(-gap))`` the cut is ``s_j + ln b - ln root`` for e > 0,
    ``s_{j-1} + ln root - ln a`` for e < 0, and the middle of the two for e = 0: nothing is divided
    by ``exp(-gap)``, which underflows for scores far apart.
    """
    upper, lower = (np.take_along_axis(knots, at, axis=1) for at in (j - 1, j))
    log_a = np.log(np.take_along_axis(above, j - 1, axis=1))
    log_b = np.log(np.take_along_axis(below, j, axis=1))
    e = k - j
    root = np.abs(e) + np.sqrt(e * e + np.exp(log_a + log_b - (upper - lower)))
    log_root = np.log(np.where(e == 0, 1, root))
    few, many = lower + log_b - log_root, upper + log_root - log_a
    middle = 0.5 * (upper + lower + log_b - log_a)
    return np.where(e > 0, few, np.where(e < 0, many, middle))
