"""Softmax cross-entropy, the loss of classification."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require, require_finite


def log_softmax(logits: Array) -> Array:
    """``log(exp(z_c) / sum exp(z))`` per row, shifted by the row's maximum so nothing overflows."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def check_labels(labels: Array, n_samples: int, n_classes: int) -> None:
    """Raise InputError unless ``labels`` are ``(n_samples,)`` whole numbers in [0, n_classes)."""
    labels = np.asarray(labels)
    require(labels.shape == (n_samples,), "labels", f"shape {labels.shape}", f"({n_samples},)")
    require(labels.dtype.kind in "iu", "labels", f"dtype {labels.dtype}", "whole numbers")
    if n_samples and (labels.min() < 0 or labels.max() >= n_classes):
        where = int(np.flatnonzero((labels < 0) | (labels >= n_classes))[0])
        require(False, "labels", f"{labels[where]} at index {where}",
                f"whole numbers from 0 to {n_classes - 1}")


def soft_targets(
    labels: Array, logits: Array, class_weights: Array | None, label_smoothing: float
) -> Array:
    """``q``: one-hot, smoothed to ``(1 - s) one_hot + s / C``, each row times its class weight."""
    n_classes = logits.shape[1]
    target = np.full_like(logits, label_smoothing / n_classes)
    target[np.arange(len(labels)), labels] += 1 - label_smoothing
    if class_weights is None:
        return target
    weights = np.asarray(class_weights, logits.dtype)
    require(weights.shape == (n_classes,), "class_weights", f"shape {weights.shape}",
            f"({n_classes},)")
    require(bool((weights >= 0).all()), "class_weights", weights.min(), "numbers of at least 0")
    return target * weights[labels][:, None]


def cross_entropy(
    logits: Array, labels: Array, class_weights: Array | None = None, label_smoothing: float = 0.0
) -> tuple[float, Memory]:
    """``-sum q log softmax(z) / sum of the rows' weights``.

    Args:
        logits: ``(batch, n_classes)``, finite.
        labels: ``(batch,)``, whole numbers in [0, n_classes).
        class_weights: ``(n_classes,)`` or None; a sample counts as much as its class.
        label_smoothing: share of the target spread over all classes, in [0, 1).

    Raises:
        InputError: labels out of range or of the wrong shape, logits no rows or not finite,
            weights negative or all 0.

    """
    require(0 <= label_smoothing < 1, "label_smoothing", label_smoothing, "a number in [0, 1)")
    require(logits.ndim == 2, "logits", f"shape {logits.shape}", "(batch, n_classes)")
    check_labels(labels, len(logits), logits.shape[1])
    require_finite(logits, "logits")
    log_p = log_softmax(logits)
    target = soft_targets(labels, logits, class_weights, label_smoothing)
    total = float(target.sum(dtype=np.float64))
    require(total > 0, "class_weights", "0 for every label of the batch", "a positive total")
    loss = -float((target * log_p).sum(dtype=np.float64)) / total
    return loss, {"log_p": log_p, "target": target, "total": total}


def cross_entropy_backward(memory: Memory) -> Array:
    """``dL/dz = (softmax(z) * row weight - q) / total``, ``(batch, n_classes)``."""
    target = memory["target"]
    row_weight = target.sum(axis=1, keepdims=True)
    p = np.exp(memory["log_p"])
    return (p * row_weight - target) / p.dtype.type(memory["total"])
