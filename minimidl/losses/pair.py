"""A loss is a pair of functions: a value with its memory, and the gradient from that memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require, require_finite


class Pair(NamedTuple):
    """``forward(...) -> (value, memory)`` and ``backward(memory) -> gradient``."""

    forward: Callable[..., tuple[float, Memory]]
    backward: Callable[[Memory], Any]


def check_predictions(predictions: Array, targets: Array, name: str) -> None:
    """Raise InputError unless both have the same shape and only finite entries."""
    require(predictions.shape == np.shape(targets), "targets", f"shape {np.shape(targets)}",
            f"{predictions.shape}, the shape of {name}")
    require_finite(predictions, name)
    require_finite(np.asarray(targets), "targets")
