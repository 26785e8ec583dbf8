"""What every operator on rows of scores asks of its input."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require, require_finite


def check_rows(scores: Array, temperature: float = 1.0, argument: str = "scores") -> None:
    """Raise InputError unless ``scores`` are finite ``(rows, n >= 1)`` floats and ``T > 0``.

    A temperature that would be 0 in the dtype of the scores counts as 0. Errors name ``argument``.
    """
    require(scores.ndim == 2 and scores.shape[1] >= 1 and scores.dtype.kind == "f", argument,
            f"shape {scores.shape}, dtype {scores.dtype}", "(rows, n) of floats, n at least 1")
    require(bool(np.isfinite(temperature)) and scores.dtype.type(temperature) > 0, "temperature",
            temperature, "a positive number")
    require_finite(scores, argument)
