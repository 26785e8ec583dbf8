"""Hard Top-k: exactly k ones, and an honest substitute for its missing derivative.

The mask is piecewise constant, so its true derivative is 0. ``backward`` returns instead the
derivative of a soft stand-in: a threshold Top-k (the sigmoid one unless another is named) that is
at 1/2 midway between the k-th and the next score and whose budget is held (see ``base.py``).
It therefore moves no budget: the gradients of a row sum to 0. This is the straight-through
estimator that the workshop version of MID-L names; the choice of the stand-in is ours.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.fast_rows import row_kernels
from minimidl.gates.threshold.base import check_topk, family_backward, in_units
from minimidl.gates.threshold.family import threshold_member


def topk_mask(scores: Array, k: int) -> Array:
    """Boolean ``(rows, n)`` mask of the ``k`` largest scores of each row, exactly ``k`` each.

    Ties at the cut go to the lowest index, so equal inputs always open the same neurons.
    """
    n = scores.shape[1]
    if k <= 0 or k >= n:
        return np.full(scores.shape, k >= n)
    fast = row_kernels(scores)
    mask = None if fast is None else fast.topk_mask(scores, k)
    return partition_mask(scores, k) if mask is None else mask


def partition_mask(scores: Array, k: int) -> Array:
    """:func:`topk_mask` for ``0 < k < n`` by NumPy's partition: the reference."""
    n = scores.shape[1]
    cut = np.partition(scores, n - k, axis=1)[:, n - k, None]  # (rows, 1): the k-th largest
    mask = scores >= cut
    too_many = mask.sum(axis=1) > k
    if too_many.any():
        mask[too_many] = _lowest_index_first(scores[too_many], cut[too_many], k)
    return mask


def _lowest_index_first(scores: Array, cut: Array, k: int) -> Array:
    above, tied = scores > cut, scores == cut
    places_left = k - above.sum(axis=1, keepdims=True)
    return above | (tied & (np.cumsum(tied, axis=1) <= places_left))


def middle_cut(scores: Array, mask: Array) -> Array:
    """``(rows, 1)``: midway between the lowest open and the highest closed score."""
    lowest_open = np.where(mask, scores, np.inf).min(axis=1, keepdims=True)
    highest_closed = np.where(mask, -np.inf, scores).max(axis=1, keepdims=True)
    return (0.5 * (lowest_open + highest_closed)).astype(scores.dtype)


class HardTopK:
    """Exactly ``k`` of ``n``, with the surrogate gradient of a soft threshold operator.

    Args:
        surrogate: the member of the family whose slope stands in: ``"sigmoid"``, ``"lapsum"``,
            ``"capped-simplex"``, ``"pnorm"`` or ``"normal"``. The two with exact zeros pull only
            scores within about ``T`` of the cut, none where the gap at the cut is wider than that.

    Raises:
        InputError: an unknown surrogate.

    Card:
        formula: 1 for the k largest scores, 0 for the others; backward of a soft Top-k at the cut
        cost: O(n) forward (partition), O(n) backward
        exactly k: yes, ties go to the lowest index
        exact zeros: yes, and nothing but zeros and ones
        use when: what is reported must be what is executed
        source: the budget-conserving surrogate is ours; straight-through after arXiv:1308.3432

    """

    def __init__(self, surrogate: str = "sigmoid") -> None:
        self.surrogate = surrogate
        self.member = threshold_member(surrogate)

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Mask of zeros and ones, ``(rows, n)``, in the dtype of ``scores``.

        Args:
            scores: ``(rows, n)``, finite.
            k: a whole number in [0, n].
            temperature: width of the surrogate; the forward does not depend on it.
            rng: not used: this operator draws nothing.

        Raises:
            InputError: scores not finite, k not a whole number in [0, n], temperature <= 0.

        """
        check_topk(scores, k, temperature)
        require(float(k).is_integer(), "k", k, "a whole number", "a hard choice has no parts")
        mask = topk_mask(scores, int(k))
        return mask.astype(scores.dtype), {
            "scores": scores, "mask": mask, "temperature": temperature,
        }

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """Surrogate gradients of the scores, of k and of the temperature; see the file head."""
        scores, mask = memory["scores"], memory["mask"]
        temperature = memory["temperature"]
        if mask.all() or not mask.any():
            zeros = np.zeros_like(scores)
            return family_backward(zeros, zeros, temperature, grad_p)
        u = in_units(scores - middle_cut(scores, mask), temperature)
        u = u + scores.dtype.type(self.member.middle)  # 1/2 at the cut, also where F(0) is not 1/2
        return family_backward(self.member.slope(u), u, temperature, grad_p)
