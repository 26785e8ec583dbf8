"""The logistic function and its inverse, safe at both ends."""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require


def logistic(u: Array) -> Array:
    """``1 / (1 + exp(-u))``, any shape, dtype kept; never overflows and never gives NaN.

    Both branches exponentiate ``-|u|`` only, so the exponential lies in (0, 1].
    """
    small = np.exp(-np.abs(u))
    p = np.maximum(small, u >= 0)  # 1 where u >= 0, else small; several times faster than np.where
    small += 1
    p /= small
    return p


def logistic_slope(u: Array) -> Array:
    """``F'(u) = F(u) F(-u)`` of :func:`logistic`, right also far out, by a single exponential."""
    small = np.exp(-np.abs(u))
    twice = small + 1
    twice *= twice
    small /= twice
    return small


def logit(p: float, argument: str = "probability") -> float:
    """``ln(p / (1 - p))``; ``p`` strictly inside (0, 1), else InputError naming ``argument``."""
    require(0.0 < p < 1.0, argument, p, "a number strictly between 0 and 1")
    return math.log(p) - math.log1p(-p)
