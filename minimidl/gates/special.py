"""The error function and the normal distribution: what NumPy does not have.

Both functions call C's through ``math``: right to the last digit, tails included, but one entry at
a time (about 0.1 microseconds each). They serve the exact GELU and the normal Top-k, which is here
for comparison.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array

SQRT_HALF = math.sqrt(0.5)
INVERSE_SQRT_TWO_PI = 1 / math.sqrt(2 * math.pi)
FARTHEST = 40.0
"""Beyond 40 standard deviations the normal density is 0 in float64."""

_erf = np.frompyfunc(math.erf, 1, 1)
_erfc = np.frompyfunc(math.erfc, 1, 1)


def erf(u: Array) -> Array:
    """Error function ``2 / sqrt(pi) * integral_0^u exp(-t^2) dt``, any shape, dtype kept."""
    return np.asarray(_erf(u), dtype=u.dtype)


def erfc(u: Array) -> Array:
    """``1 - erf(u)`` without the cancellation; any shape, dtype kept."""
    return np.asarray(_erfc(u), dtype=u.dtype)


def normal_cdf(u: Array) -> Array:
    """``Phi(u) = erfc(-u / sqrt(2)) / 2``: keeps its digits in the lower tail too."""
    return 0.5 * erfc(-SQRT_HALF * u)


def normal_density(u: Array) -> Array:
    """``phi(u) = exp(-u^2 / 2) / sqrt(2 pi)``, the slope of :func:`normal_cdf`."""
    near = np.minimum(np.abs(u), FARTHEST)  # the square of a far larger number would overflow
    return INVERSE_SQRT_TWO_PI * np.exp(-0.5 * near * near)
