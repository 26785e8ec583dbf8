"""Softmax: never zero, every entry hears of every other."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.probability.base import Probability


class Softmax(Probability):
    """``p_i = exp(z_i / T) / sum_j exp(z_j / T)``: alpha-entmax with ``alpha = 1``.

    It maximises ``<z, p> + T * entropy(p)`` on the simplex.

    Card:
        formula: p_i = exp(z_i / T) / sum_j exp(z_j / T)
        cost: O(n) forward and backward
        exactly k: no, it shares out one unit
        exact zeros: no
        use when: every entry must keep a gradient, however small its share.
        source: Boltzmann distribution; Bridle 1990
    """

    def solve(self, u: Array) -> Array:
        """``exp(u) / sum exp(u)``; the maximum of ``u`` is 0, so nothing overflows."""
        weight = np.exp(u)
        total = weight.sum(axis=1, dtype=np.float64, keepdims=True)
        return weight / total.astype(u.dtype)

    def slope(self, p: Array) -> Array:
        """``s = p``."""
        return p
