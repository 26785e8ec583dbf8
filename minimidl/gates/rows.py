"""What every operator on rows of scores asks of its input."""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require, require_finite


def check_rows(scores: Array, temperature: float = 1.0, argument: str = "scores") -> None:
    """Raise InputError unless ``scores`` are finite ``(rows, n >= 1)`` floats and ``T > 0``.

    A temperature that would be 0 in the dtype of the scores counts as 0. Errors name ``argument``.
    """
    check_scores(scores, argument)
    require(scores.shape[1] >= 1, argument, f"shape {scores.shape}",
            "(rows, n) of floats, n at least 1")
    check_temperature(temperature, scores)
    require_finite(scores, argument)


def check_temperature(temperature: float, like: Array) -> None:
    """Raise InputError unless ``T`` is a finite number above 0, also in the dtype of ``like``."""
    require(is_number(temperature) and like.dtype.type(temperature) > 0, "temperature",
            repr(temperature), f"a positive number (in {like.dtype})")


def check_scores(scores: Array, argument: str = "scores") -> None:
    """Raise InputError unless ``scores`` are ``(rows, n)`` floats in an array; no entry is read."""
    require(isinstance(scores, np.ndarray), argument, type(scores).__name__,
            "a NumPy array (rows, n) of floats")
    require(scores.ndim == 2 and scores.dtype.kind == "f", argument,
            f"shape {scores.shape}, dtype {scores.dtype}", "(rows, n) of floats")


def is_number(value: object) -> bool:
    """Whether ``value`` is one real, finite number (an array of no dimensions is one, too)."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and is_number(value[()])
    return isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value)


def require_shape(
    x: Array, like: Array, argument: str, mend: str = "a gradient has the shape of its value"
) -> None:
    """Raise InputError unless ``x`` has the shape of ``like``.

    For what works in float64 whatever it was given, so that the dtype is free.
    """
    require(np.shape(x) == like.shape, argument, f"shape {np.shape(x)}", str(like.shape), mend)
