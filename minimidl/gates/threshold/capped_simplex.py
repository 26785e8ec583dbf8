"""Capped-simplex Top-k: ``F(u) = min(max(u, 0), 1)``, the Euclidean projection.

``p`` is the point of ``{0 <= p <= 1, sum p = k}`` nearest to ``z / T``. The same map is called
k-sparsemax, budget sparsemax, projection on the permutahedron of (1, .., 1, 0, .., 0), and the
p-norm Top-k of exponent 2; with k = 1 it is sparsemax.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.threshold.base import ThresholdTopK


class CappedSimplexTopK(ThresholdTopK):
    """``p_i = clip((z_i - tau) / T, 0, 1)`` with ``sum p = k``: exact zeros and exact ones.

    Card:
        formula: p = argmin |p - z / T|^2 over 0 <= p <= 1, sum p = k
        cost: O(n log n) forward (sort and sweep), O(n) backward
        exactly k: yes, by a finite algorithm
        exact zeros: yes, and exact ones
        use when: closed gates must be exactly closed in training; no gradient where all is decided
        source: Malaviya et al. 2018 (arXiv:1805.08241); Sander et al. 2023 with p = 2

    """

    middle = 0.5
    twin = "capped-simplex"

    def cdf(self, u: Array) -> Array:
        """``clip(u, 0, 1)``."""
        return np.clip(u, 0, 1)

    def slope(self, u: Array) -> Array:
        """``1[0 < u < 1]``; both kinks take the slope of the flat side."""
        return ((u > 0) & (u < 1)).astype(u.dtype)

    def cut(self, scaled: Array, k: float) -> Array:
        """Sweep the cut down over the breakpoints until ``k`` is reached, all rows at once."""
        # The cut lies in [-1, 0]: at -1 all scores from 0 up are full, at 0 too few are open. So
        # what is beyond +-3 is decided, and from there its ``z - 1`` would only lose digits.
        points, total, active = sweep(np.clip(scaled.astype(np.float64), -3, 3))
        n = scaled.shape[1]
        slack = min(4 * np.finfo(np.float64).eps * n ** 1.5, 0.5 * k, 0.5 * (n - k))
        before = (total < k - slack).sum(axis=1, keepdims=True) - 1  # last point with too little
        after = (total <= k + slack).sum(axis=1, keepdims=True)  # first point with too much
        at = [np.take_along_axis(a, before, axis=1) for a in (points, total, active)]
        crossing = at[0] - (k - at[1]) / np.maximum(at[2], 1)
        # Points between them meet k already: with k whole and a wide gap every cut of an interval
        # does. Its middle is farthest from both kinks, so no rounding makes a gate look undecided.
        meeting = 0.5 * (np.take_along_axis(points, np.minimum(before + 1, 2 * n - 1), axis=1)
                         + np.take_along_axis(points, after - 1, axis=1))
        return np.where(after == before + 1, crossing, meeting)


def sweep(scaled: Array) -> tuple[Array, Array, Array]:
    """Breakpoints, the sum at each, and how many entries are active below each; ``(rows, 2n)``.

    As the cut falls, entry ``i`` begins to rise at ``z_i`` and stops at ``z_i - 1``. Between two
    neighbours of these 2n points the sum is linear and its slope is the number of active entries.
    """
    n = scaled.shape[1]
    points = np.concatenate([scaled, scaled - 1], axis=1)  # (rows, 2n)
    order = np.argsort(-points, axis=1, kind="stable")
    points = np.take_along_axis(points, order, axis=1)
    active = np.cumsum(np.where(order < n, 1, -1), axis=1)
    total = np.zeros_like(points)
    np.cumsum(active[:, :-1] * (points[:, :-1] - points[:, 1:]), axis=1, out=total[:, 1:])
    total[:, -1] = n  # known, so not left to rounding
    return points, total, active
