"""Entmax-1.5: halfway between softmax and sparsemax, smooth and with exact zeros."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.probability.base import Probability, at, descending


class Entmax15(Probability):
    """``p_i = max(z_i / (2 T) - tau, 0)^2``: alpha-entmax with ``alpha = 1.5`` in closed form.

    Card:
        formula: p_i = max(z_i / (2 T) - tau, 0)^2, sum p = 1
        cost: O(n log n) forward, O(n) backward
        exactly k: no, it shares out one unit among as many as the scores decide
        exact zeros: yes
        use when: exact zeros are wanted, but a slope that fades instead of breaking.
        source: Peters, Niculae and Martins 2019, arXiv 1905.05702, Algorithm 2
    """

    def solve(self, u: Array) -> Array:
        """Sort; each head of length ``j`` offers a ``tau_j``; the support keeps ``x_j`` above it.

        ``sum (x_i - tau)^2 = 1`` over a head is quadratic in ``tau``: with the mean and the summed
        squared deviation ``v`` of the head, ``tau_j = mean_j - sqrt((1 - v_j) / j)``.
        """
        # tau lies in [-1, 0): below -1 all are closed alike, and the squares stay small.
        x = descending(np.maximum(u / 2, -1))
        size = np.arange(1, u.shape[1] + 1)
        mean = np.cumsum(x, axis=1) / size
        deviation = np.cumsum(x * x, axis=1) - size * mean * mean
        taus = mean - np.sqrt(np.maximum(1 - deviation, 0) / size)
        tau = at(taus, (taus <= x).sum(axis=1))  # (rows, 1)
        return (np.maximum(u / 2 - tau, 0) ** 2).astype(u.dtype)

    def slope(self, p: Array) -> Array:
        """``s = sqrt(p)``."""
        return np.sqrt(p)
