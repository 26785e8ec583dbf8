"""SoftSort mask: where is the i-th largest? Near scores of about its size.

    P_ij = softmax over j of (-|z_[i] - z_j| / T),   z_[i] the i-th largest score

Source: Prillo and Eisenschlos 2020 (2006.16038), equation 4 with d = absolute difference.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.ranking.matrix_mask import MatrixMask
from minimidl.gates.ranking.order import descending_order


class SoftSortTopK(MatrixMask):
    """``p_j = sum over i <= k of softmax_j(-|z_[i] - z_j| / T)``; entries may exceed 1.

    Teaching size: quadratic in ``n``; see ``matrix_mask.py``. At ties the absolute value has a
    kink; its slope counts as 0 there.

    Card:
        formula: p_j = sum_{i <= k} softmax_j(-|z_[i] - z_j| / T)
        cost: O(k n) forward and backward, time and memory
        exactly k: yes in sum, but entries may exceed 1
        exact zeros: no
        use when: a soft permutation matrix is wanted as well, and n is small.
        source: Prillo and Eisenschlos 2020, arXiv 2006.16038
    """

    def logits(self, u: Array, k: int) -> Array:
        """``-|u_[i] - u_j|``, ``(rows, k, n)``."""
        best = np.take_along_axis(u, descending_order(u)[:, :k], axis=1)
        return -np.abs(best[:, :, None] - u[:, None, :])

    def logits_vjp(self, u: Array, grad_logits: Array) -> Array:
        """Each pair pushes two scores apart: ``u_j`` by column, ``u_[i]`` by row."""
        order = descending_order(u)[:, :grad_logits.shape[1]]
        best = np.take_along_axis(u, order, axis=1)
        grad_pair = -np.sign(best[:, :, None] - u[:, None, :]) * grad_logits  # (rows, k, n)
        grad_u = -grad_pair.sum(axis=1)
        of_best = np.take_along_axis(grad_u, order, axis=1) + grad_pair.sum(axis=2)
        np.put_along_axis(grad_u, order, of_best, axis=1)
        return grad_u
