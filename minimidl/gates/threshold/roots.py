"""One root per row: safeguarded Newton for the equation that defines a threshold Top-k.

``f(tau) = sum_i F(z_i - tau) - k`` falls from n - k to -k as tau grows. Newton is fast near the
root and may run away far from it; a bracket that always holds the root catches it. All rows move
together, because NumPy is fast on whole arrays only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array

CdfAndSlope = Callable[[Array], tuple[Array, Array]]
"""``u -> F(u), F'(u)``, both of the shape and dtype of ``u``."""

PATIENCE = 20
"""Newton steps before every second step halves the bracket instead."""
MAX_STEPS = 160
"""Enough for 70 halvings: more than the bits of a float64."""


def cut_by_newton(
    pair: CdfAndSlope, scaled: Array, k: float, low: float, high: float
) -> Array:
    """``tau`` ``(rows, 1)`` float64 with ``sum_i F(z_i - tau) = k`` in every row.

    The bracket needs no search: at ``z_min - high`` every term is at least ``k / n``, at
    ``z_max - low`` at most. A Newton step that leaves the bracket becomes a bisection. The last
    step is taken after convergence, so that the remaining error is its square.

    Args:
        pair: ``F`` and its slope.
        scaled: scores in units of the temperature, ``(rows, n)``, 0 at the ceil(k)-th largest; F is
            evaluated in their dtype.
        k: budget, strictly inside (0, n).
        low: a number with ``F(low) <= k / n``.
        high: a number with ``F(high) >= k / n``; the same number where F has an inverse.

    """
    left = scaled.min(axis=1, keepdims=True).astype(np.float64) - high
    right = scaled.max(axis=1, keepdims=True).astype(np.float64) - low
    tau = np.clip(start(scaled), left, right)
    # Rounding leaves about this much of a sum of n terms; a budget far below 1 asks for more.
    good_enough = 4 * np.finfo(scaled.dtype).eps * min(scaled.shape[1], 32 * k)
    for count in range(MAX_STEPS):
        excess, step = newton_step(pair, scaled, tau, k)
        good = np.abs(excess) <= good_enough
        left, right = np.where(excess > 0, tau, left), np.where(excess > 0, right, tau)
        # Closed comparisons: a root hit exactly has step 0 and must stay where it is.
        inside = (tau + step >= left) & (tau + step <= right)
        if count > PATIENCE and count % 2:
            inside &= good
        # A good tau on a plateau of F has no usable slope: there it stays.
        other = np.where(good, tau, 0.5 * (left + right))
        tau = np.where(inside, tau + step, other)
        if np.all(good | (right - left <= np.spacing(np.abs(tau)))):
            break
    return tau


def start(scaled: Array) -> Array:
    """Midway between the last open score, 0, and the next below it: ``(rows, 1)`` float64.

    When all is decided (whole k, low temperature) every cut in the gap meets the budget; this one
    is farthest from both sides, so that no slope is left and the answer is zeros and ones.
    """
    below = np.where(scaled < 0, scaled, -np.inf).max(axis=1, keepdims=True)
    return 0.5 * below.astype(np.float64)


def newton_step(
    pair: CdfAndSlope, scaled: Array, tau: Array, k: float
) -> tuple[Array, Array]:
    """``f(tau)`` and the Newton step ``-f / f'``, both ``(rows, 1)`` in float64."""
    p, slope = pair(scaled - tau.astype(scaled.dtype))
    excess = p.sum(axis=1, dtype=np.float64, keepdims=True) - k
    total = slope.sum(axis=1, dtype=np.float64, keepdims=True)
    with np.errstate(over="ignore"):  # no slope at all: an infinite step, which bisection replaces
        return excess, excess / np.maximum(total, np.finfo(np.float64).tiny)
