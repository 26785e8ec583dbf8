"""Straight-through gates: a hard decision forward, the identity backward.

Forward:  ``b = 1[p > threshold]``. Backward: ``dL/dp := dL/db``, as if ``b`` were ``p`` (Bengio,
Leonard and Courville 2013). In an autodiff framework this is ``h + (p - stop(p))``. The nearly
identical ``h + stop(p - h)`` is the reversed line found in public code: its value is the soft ``p``
and its gradient is 0, so the gate never learns.
"""

from __future__ import annotations

from minimidl.arrays import Array, Memory


def threshold_mask(scores: Array, cut: float) -> tuple[Array, Memory]:
    """``b = 1[z > cut]`` as zeros and ones, ``(batch, n_gates)``, dtype of the scores.

    ``cut = T * logit(threshold)`` is ``p > threshold`` written on the scores: one number, where the
    temperature and the threshold alone would be confounded.
    """
    return (scores > scores.dtype.type(cut)).astype(scores.dtype), {}


def threshold_mask_backward(grad_mask: Array, memory: Memory) -> Array:
    """``dL/dp := dL/db``: the straight-through line."""
    return grad_mask
