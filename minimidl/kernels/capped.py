"""Capped-simplex Top-k in Numba: Newton on a piecewise linear function ends after few steps.

``sum_i clip(s_i - tau, 0, 1) = k``: between two breakpoints the sum is linear and its slope is the
number of undecided scores, so a Newton step from the right segment lands on the root exactly. No
sort.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled

FARTHEST = 4096.0  # as in gates/threshold/base.py
PATIENCE, MOST = 12, 160  # Newton steps before every second one halves the bracket; all steps


@compiled(reassociate=True)
def clipped_sum(s: Array, tau: float) -> tuple[float, int]:
    """``sum clip(s - tau, 0, 1)`` and how many terms lie strictly between, of one row ``(n,)``."""
    total = 0.0
    full: Any = 0
    active: Any = 0
    for i in range(s.shape[0]):
        u = np.float64(s[i]) - tau
        undecided = (u > 0.0) & (u < 1.0)
        full += u >= 1.0
        active += undecided
        total += u if undecided else 0.0
    return full + total, active


@compiled()
def gap(s: Array) -> tuple[float, float]:
    """Lowest score from 0 up and highest below 0: the ends of the gap at the cut."""
    upper, lower = 2 * FARTHEST, -2 * FARTHEST
    for i in range(s.shape[0]):
        value = np.float64(s[i])
        if value >= 0:
            upper = min(upper, value)
        else:
            lower = max(lower, value)
    return upper, lower


@compiled()
def capped_root(s: Array, k: float, tau: float) -> float:
    """``tau`` of one row ``(n,)`` that has 0 in the gap below its ceil(k)-th score."""
    left, right = -FARTHEST - 2, FARTHEST + 1
    looked = False
    for count in range(MOST):
        tau = min(max(tau, left), right)
        total, active = clipped_sum(s, tau)
        excess = total - k
        step = excess / active if active > 0 else 0.0
        done = active > 0 and abs(step) <= 1e-15
        if not looked and (active == 0 or (done and active <= 2)):
            upper, lower = gap(s)
            looked = True
            if k == math.floor(k) and upper - lower >= 1:
                # Every cut between meets k: the middle is farthest from both kinks.
                return 0.5 * (max(lower, upper - 3) + upper - 1)
            if active == 0:  # lost on a plateau: the root is within 1 below the k-th score
                left, right = max(left, upper - 1), min(right, upper)
                tau = upper - 0.5
                continue
        if done or right - left <= 1e-15:
            return tau + step
        if excess > 0:
            left = tau
        else:
            right = tau
        newton = active > 0 and left <= tau + step <= right
        tau = tau + step if newton and (count < PATIENCE or count % 2) else 0.5 * (left + right)
    return tau


@compiled()
def capped_topk(
    scores: Array, k: float, temperature: Any, far: Any, coarse: Any, cuts: Array, means: Array,
    spreads: Array, p: Array, slope: Array, u: Array,
) -> int:
    """Solve every row of ``(rows, n)``; ``0 < k < n``. Returns how many scores are too coarse.

    The start is the quantile of a normal with the row's moments, widened by the variance of a
    uniform number in [0, 1], which is 1 / 12.
    """
    kind = scores.dtype.type
    zero, one, beyond = kind(0), kind(1), 0
    for row in range(scores.shape[0]):
        s = u[row]
        for i in range(scores.shape[1]):
            centred = scores[row, i] - cuts[row]
            beyond += abs(centred) > coarse
            s[i] = min(max(centred, -far), far) / temperature
        mean = (means[row] - np.float64(cuts[row])) / np.float64(temperature)
        width = max(spreads[row] / np.float64(temperature), 1e-6)
        start = mean - mean * math.sqrt(1 + 1 / (12 * width * width)) - 0.5
        if not abs(start) <= FARTHEST:  # overflow: as a guess, 0 will do
            start = 0.0
        tau = capped_root(s, k, start)
        for i in range(scores.shape[1]):
            value = kind(np.float64(s[i]) - tau)
            s[i] = value
            p[row, i] = min(max(value, zero), one)
            slope[row, i] = one if (value > zero) & (value < one) else zero
    return beyond
