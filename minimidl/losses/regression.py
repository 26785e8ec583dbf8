"""Losses for real targets: mean squared error, and Huber's compromise with the absolute error."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.losses.pair import check_predictions


def mean_squared_error(predictions: Array, targets: Array) -> tuple[float, Memory]:
    """Mean over all entries of ``(y - t)^2``; shapes must agree, else InputError."""
    check_predictions(predictions, targets, "predictions")
    error = predictions - np.asarray(targets, predictions.dtype)
    return float(np.mean(error * error, dtype=np.float64)), {"error": error}


def mean_squared_error_backward(memory: Memory) -> Array:
    """``dL/dy = 2 (y - t) / size``."""
    error = memory["error"]
    return error * error.dtype.type(2.0 / error.size)


def huber(predictions: Array, targets: Array, delta: float = 1.0) -> tuple[float, Memory]:
    """Mean of ``e^2 / 2`` where ``|e| <= delta``, else ``delta (|e| - delta / 2)`` (Huber 1964).

    Raises InputError when shapes differ or ``delta`` is not positive.
    """
    require(delta > 0, "delta", delta, "a positive number")
    check_predictions(predictions, targets, "predictions")
    error = predictions - np.asarray(targets, predictions.dtype)
    size = np.abs(error)
    each = np.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))
    return float(each.mean(dtype=np.float64)), {"error": error, "delta": delta}


def huber_backward(memory: Memory) -> Array:
    """``dL/dy = clip(e, -delta, delta) / size``."""
    error, delta = memory["error"], memory["delta"]
    return np.clip(error, -delta, delta) / error.dtype.type(error.size)
