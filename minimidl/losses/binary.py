"""Binary cross-entropy on logits: independent yes-or-no questions."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.losses.pair import check_predictions


def binary_cross_entropy(logits: Array, targets: Array) -> tuple[float, Memory]:
    """Mean of ``max(z, 0) - z t + log(1 + exp(-|z|))``, which is ``-t log p - (1-t) log(1-p)``.

    Args:
        logits: any shape, finite.
        targets: same shape, in [0, 1].

    Raises:
        InputError: shapes differ, targets outside [0, 1], logits not finite.

    """
    check_predictions(logits, targets, "logits")
    targets = np.asarray(targets, logits.dtype)
    require(bool(((targets >= 0) & (targets <= 1)).all()), "targets",
            f"values from {targets.min()} to {targets.max()}", "numbers in [0, 1]")
    each = np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))
    return float(each.mean(dtype=np.float64)), {"logits": logits, "targets": targets}


def binary_cross_entropy_backward(memory: Memory) -> Array:
    """``dL/dz = (sigmoid(z) - t) / size``."""
    logits = memory["logits"]
    small = np.exp(-np.abs(logits))
    p = np.where(logits >= 0, 1, small) / (1 + small)
    return (p - memory["targets"]) / logits.dtype.type(logits.size)
