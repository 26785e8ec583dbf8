"""The soft stand-ins of a hard Top-k, written a second time: a proof borrows no formula it proves.

Each is a distribution function ``F``. The stand-in of a mask is ``s(z) = F((z - tau(z)) / T)``,
where ``tau`` is such that ``s`` is 1/2 midway between the k-th and the next score at the test point
``z0``, and moves so that ``sum_i s_i(z)`` keeps the value it has at ``z0``. The cut is found by
plain bisection, which knows nothing of slopes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array

HALVINGS = 64
FAR = 50.0
"""The root lies within so many temperatures of the scores, for every ``F`` and budget here."""

_error_function = np.frompyfunc(math.erf, 1, 1)


def laplace(u: Array) -> Array:
    """Distribution function of the Laplace distribution, by the sign of ``u``."""
    return np.asarray(0.5 + 0.5 * np.sign(u) * -np.expm1(-np.abs(u)))


def ramp(u: Array) -> Array:
    """0 below 0, 1 above 1, a straight line between."""
    return np.asarray(np.minimum(np.maximum(u, 0.0), 1.0))


def normal(u: Array) -> Array:
    """Distribution function of the normal distribution."""
    return 0.5 + 0.5 * np.asarray(_error_function(u / math.sqrt(2.0)), dtype=np.float64)


STAND_INS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda u: np.asarray(0.5 + 0.5 * np.tanh(0.5 * u)),
    "lapsum": laplace, "capped-simplex": ramp, "pnorm": lambda u: ramp(u) ** 3, "normal": normal,
}


def bisect(f: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Root of a falling ``f``, for every entry of ``low`` and ``high`` at once."""
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = f(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(0.5 * (low + high))


def held(kind: str, scores: Array, start: Array, temperature: float) -> Callable[..., Array]:
    """Stand-in frozen at ``scores``, 1/2 at ``start``: answers ``s(z, T, extra budget)``.

    Args:
        kind: a key of :data:`STAND_INS`.
        scores: ``z0``, ``(rows, n)``.
        start: ``(rows, 1)``, where the stand-in is 1/2.
        temperature: ``T``, also the default of the answer's second argument.

    """
    cdf = STAND_INS[kind]
    centre = bisect(lambda u: 0.5 - cdf(u), np.array(-1.0), np.array(2.0))
    budget = cdf((scores - start) / temperature + centre).sum(axis=1, keepdims=True)

    def stand_in(z: Array, width: float = temperature, more: float = 0.0) -> Array:
        def excess(tau: Array) -> Array:
            total = cdf((z - tau) / width).sum(axis=1, keepdims=True)
            return np.asarray(total - (budget + more))

        low, high = (z.min(axis=1, keepdims=True) - FAR * width,
                     z.max(axis=1, keepdims=True) + FAR * width)
        return cdf((z - bisect(excess, low, high)) / width)

    return stand_in
