"""NeuralSort mask: where is the i-th largest? Where a sum of the i largest would put it.

    P_ij = softmax over j of (((n + 1 - 2 i) z_j - A_j) / T),   A_j = sum_m |z_j - z_m|

From the j-th largest score to the next, a gap lower, ``A`` grows by ``(2 j - n) gap``, so the logit
grows by ``(2 (i - j) - 1) gap``: up before place ``i``, down from there. The argmax of row ``i`` is
the i-th largest score.

Source: Grover, Wang, Zweig and Ermon 2019 (1903.08850), equation 5.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.ranking.matrix_mask import MatrixMask


class NeuralSortTopK(MatrixMask):
    """``p_j = sum over i <= k of softmax_j(((n + 1 - 2 i) z_j - A_j) / T)``.

    Entries may exceed 1. Teaching size: quadratic in ``n``; see ``matrix_mask.py``. The logits grow
    with ``n``, so the same temperature is harder in a wider layer. At ties the absolute value has
    a kink; its slope counts as 0 there.

    Card:
        formula: p_j = sum_{i <= k} softmax_j(((n + 1 - 2 i) z_j - sum_m |z_j - z_m|) / T)
        cost: O(n^2) forward and backward, time and memory
        exactly k: yes in sum, but entries may exceed 1
        exact zeros: no
        use when: you want to compare with the literature on differentiable sorting.
        source: Grover et al. 2019, arXiv 1903.08850
    """

    def logits(self, u: Array, k: int) -> Array:
        """``(n + 1 - 2 i) u_j - A_j``, ``(rows, k, n)``."""
        spread = np.abs(u[:, :, None] - u[:, None, :]).sum(axis=2)  # (rows, n): A
        return places(u, k) * u[:, None, :] - spread[:, None, :]

    def logits_vjp(self, u: Array, grad_logits: Array) -> Array:
        """The factor of ``u_j``, and both ends of every distance in ``A``."""
        grad_spread = -grad_logits.sum(axis=1)  # (rows, n)
        sign = np.sign(u[:, :, None] - u[:, None, :])  # (rows, n, n), antisymmetric
        own = grad_spread * sign.sum(axis=2)
        others = (grad_spread[:, :, None] * sign).sum(axis=1)
        return (places(u, grad_logits.shape[1]) * grad_logits).sum(axis=1) + own - others


def places(u: Array, k: int) -> Array:
    """``n + 1 - 2 i`` for ``i = 1..k``, ``(1, k, 1)``, dtype of ``u``."""
    return (u.shape[1] + 1 - 2 * np.arange(1, k + 1)).astype(u.dtype)[None, :, None]
