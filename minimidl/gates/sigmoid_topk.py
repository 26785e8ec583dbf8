"""Sigmoid Top-k: ``F`` is the logistic function.

The same operator as entropic optimal transport to two targets (SOFT, Xie et al. 2020, with
``T = epsilon / 2``), and the maximiser of ``<z, p> + T * (sum of binary entropies of p)`` under
``sum p = k``.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.logistic import logistic, logit
from minimidl.gates.threshold import ThresholdTopK

MAX_STEPS = 100


class SigmoidTopK(ThresholdTopK):
    """``p_i = sigmoid((z_i - tau) / T)`` with ``sum p = k``; exact zeros and ones never occur."""

    def cdf(self, u: Array) -> Array:
        """``1 / (1 + exp(-u))``."""
        return logistic(u)

    def slope(self, u: Array) -> Array:
        """``s(u) s(-u)``: right also where ``1 - s(u)`` would round to 0."""
        return logistic(u) * logistic(-u)

    def solve(self, scores: Array, k: float, temperature: float) -> Array:
        """Safeguarded Newton on ``f(tau) = sum_i s((z_i - tau) / T) - k``, all rows at once."""
        scaled = scores / scores.dtype.type(temperature)
        # Shifting changes nothing (shift invariance) and keeps the numbers small.
        scaled = scaled - np.median(scaled, axis=1, keepdims=True)
        return (scaled - newton(scaled, k)).astype(scores.dtype)


def newton(scaled: Array, k: float) -> Array:
    """``tau`` ``(rows, 1)`` for temperature 1, in float64.

    The bracket needs no search: at ``z_min - logit(k / n)`` every term is at least ``k / n``, at
    ``z_max - logit(k / n)`` at most. A Newton step that leaves the bracket becomes a bisection.
    The final step is taken after convergence, so that the remaining error is its square.
    """
    n = scaled.shape[1]
    offset = logit(k / n)
    low = scaled.min(axis=1, keepdims=True).astype(np.float64) - offset
    high = scaled.max(axis=1, keepdims=True).astype(np.float64) - offset
    tau = 0.5 * (low + high)
    good_enough = 4 * np.finfo(scaled.dtype).eps * n
    for _ in range(MAX_STEPS):
        excess, step = newton_step(scaled, tau, k)
        low, high = np.where(excess > 0, tau, low), np.where(excess > 0, high, tau)
        # Closed comparisons: a root hit exactly has step 0 and must stay where it is.
        inside = (tau + step >= low) & (tau + step <= high)
        tau = np.where(inside, tau + step, 0.5 * (low + high))
        if np.all((np.abs(excess) <= good_enough) | (high - low <= np.spacing(np.abs(tau)))):
            break
    return tau


def newton_step(scaled: Array, tau: Array, k: float) -> tuple[Array, Array]:
    """``f(tau)`` and the Newton step ``-f / f'``, both ``(rows, 1)`` in float64."""
    p = logistic(scaled - tau.astype(scaled.dtype))
    excess = p.sum(axis=1, dtype=np.float64, keepdims=True) - k
    slope = (p * (1 - p)).sum(axis=1, dtype=np.float64, keepdims=True)
    return excess, excess / np.maximum(slope, np.finfo(np.float64).tiny)
