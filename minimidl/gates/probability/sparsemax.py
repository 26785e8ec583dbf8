"""Sparsemax: the nearest probability vector, with exact zeros."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.probability.base import Probability, at, descending


class Sparsemax(Probability):
    """``p_i = max(z_i / T - tau, 0)``: Euclidean projection of ``z / T`` on the simplex.

    Alpha-entmax with ``alpha = 2``, and the capped simplex with ``k = 1``. The map is piecewise
    linear; at the kinks (an entry exactly at ``tau``) the backward takes the entry for closed.

    Card:
        formula: p_i = max(z_i / T - tau, 0), sum p = 1
        cost: O(n log n) forward, O(n) backward
        exactly k: no, it shares out one unit among as many as the scores decide
        exact zeros: yes
        use when: few entries shall share one unit and the rest shall cost nothing.
        source: Martins and Astudillo 2016, arXiv 1602.02068, Algorithm 1
    """

    def solve(self, u: Array) -> Array:
        """Sort; the support is the longest head with ``1 + j u_(j) > u_(1) + ... + u_(j)``."""
        # tau lies in [-1, 0): an entry at -1 is closed like one at -1000, and costs no digits.
        x = descending(np.maximum(u, -1))
        heads, size = np.cumsum(x, axis=1), np.arange(1, u.shape[1] + 1)
        support_size = (1 + size * x > heads).sum(axis=1)
        tau = (at(heads, support_size) - 1) / support_size[:, None]  # (rows, 1)
        return np.maximum(u - tau, 0).astype(u.dtype)

    def slope(self, p: Array) -> Array:
        """``s = 1[p > 0]``."""
        return (p > 0).astype(p.dtype)
