"""Soft Top-k in Numba: LapSum, and those rows of sigmoid that are not easy (see ``sigmoid.py``).

What costs is the exponential, and Numba has no vectorised one. Here it is a Taylor polynomial
between two powers of two (:func:`exp_below`), which the compiler runs 8 or 16 scores at a time. The
rest saves exponentials: the start is the quantile of a normal with the row's own moments, widened
by the variance of ``F``; every pass makes sum and slope together; Newton stops as soon as the error
after the next step, which is below the step's square (``|F''| <= F'``), no longer shows; and that
last step only multiplies the exponentials there are (:func:`finish`).

Both members are one formula in the tail ``q = F(-|u|)``, with ``e = exp(-|u|)``:

    q = e / (2 - c + c e),  F = q or 1 - q,  F' = q (1 - c q);  c = 1 sigmoid, c = 0 Laplace

Sums are made in float64, and as (number above) - k + (signed tails), so that no 1 - q hides a tail.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled

FARTHEST = 4096.0  # as in gates/threshold/base.py
DECIDED = 0.0625  # a sum of slopes below it: (nearly) every score is decided, start from the gap
PATIENCE, MOST = 24, 200  # Newton steps before every second one halves the bracket; all steps


@compiled(reassociate=True)
def exp_below(x: Any, series: Any) -> Any:
    """``exp(x)`` for ``x <= 0``, dtype kept, 0 below -87; within 1 ulp (float32, float64).

    ``exp(x) = 2^m exp(r)`` with ``r = x - m ln 2`` in two parts, the larger exact in products; the
    power is written into the exponent bits of a float32. ``series`` is 1/j! from the highest j.
    """
    kind = type(x)
    lowest = kind(-87)
    m = np.int32(max(x, lowest) * kind(1.4426950408889634) - kind(0.5))
    steps = kind(m)
    r = (x - steps * kind(0.693359375)) - steps * kind(-2.1219444005469058e-4)
    y = kind(0)
    for c in series:
        y = y * r + c
    power = np.int32((m + 127) << 23).view(np.float32)
    return y * kind(power) if x > lowest else kind(0)


@compiled()
def evaluate(s: Array, tau: Any, curl: Any, series: Any, tail: Array, small: Array) -> None:
    """Signed tails (``-q`` above ``tau``, ``q`` below) and ``exp(-|u|)`` of one row ``(n,)``.

    No sums here: a float64 in this loop would halve the number of scores per instruction.
    """
    kind = s.dtype.type
    zero, base = kind(0), kind(2) - curl
    for i in range(s.shape[0]):
        u = s[i] - tau
        e = exp_below(-abs(u), series)
        q = e / (base + curl * e)
        tail[i] = -q if u > zero else q
        small[i] = e


@compiled()
def count_above(s: Array, tau: Any) -> int:
    """How many of ``(n,)`` scores lie above ``tau``."""
    count = 0
    for i in range(s.shape[0]):
        count += s[i] > tau
    return count


@compiled(reassociate=True)
def sums(tail: Array, curl: Any) -> tuple[float, float]:
    """Sum of signed tails and sum of slopes of one row ``(n,)``, in float64."""
    one = tail.dtype.type(1)
    total = weight = 0.0
    for i in range(tail.shape[0]):
        total += np.float64(tail[i])
        q = abs(tail[i])
        weight += np.float64(q * (one - curl * q))
    return total, weight


@compiled()
def root(
    s: Array, k: float, tau: float, edge: float, curl: Any, series: Any, fine: float, stay: bool,
    tail: Array, small: Array,
) -> tuple[float, float, bool]:
    """``tau`` of one row by safeguarded Newton, the last step to add to it, and whether found.

    Not found: the slopes at the start vanish and ``stay`` is False; start elsewhere. ``tail`` and
    ``small`` are rooms of ``(n,)``; ``small`` is left with ``exp(-|s - tau|)``.
    """
    kind = s.dtype.type
    left, right = -edge, edge
    for count in range(MOST):
        tau = np.float64(kind(min(max(tau, left), right)))
        evaluate(s, kind(tau), curl, series, tail, small)
        signed, slope = sums(tail, curl)
        excess = (count_above(s, kind(tau)) - k) + signed
        if count == 0 and slope < DECIDED and not stay:
            return tau, 0.0, False
        if slope < 1e-30 and abs(excess) < 1e-30:  # decided: every cut in the gap will do
            return tau, 0.0, True
        step = excess / max(slope, 1e-30)
        if abs(step) <= fine:
            return tau, step, True
        if excess > 0:
            left = tau
        else:
            right = tau
        inside = left <= tau + step <= right
        if right - left <= 2.4e-7 * fine * max(1.0, abs(tau)):
            return tau, 0.0, True
        tau = tau + step if inside and (count < PATIENCE or count % 2) else 0.5 * (left + right)
    evaluate(s, s.dtype.type(tau), curl, series, tail, small)
    return np.float64(s.dtype.type(tau)), 0.0, True


@compiled()
def gap_start(s: Array, k: float) -> float:
    """Middle of the gap below the k-th score for whole ``k``, else the ceil(k)-th score itself.

    ``s`` has 0 inside that gap or at its upper end.
    """
    upper, lower = 2 * FARTHEST, -2 * FARTHEST
    for i in range(s.shape[0]):
        value = np.float64(s[i])
        if value >= 0:
            upper = min(upper, value)
        else:
            lower = max(lower, value)
    return 0.5 * (upper + lower) if k == math.floor(k) else upper


@compiled()
def to_units(row: Array, cut: Any, temperature: Any, far: Any, coarse: Any, s: Array) -> int:
    """``s = (z - cut) / T`` held within +-4096; returns how many lie beyond ``coarse``."""
    beyond = 0
    for i in range(row.shape[0]):
        centred = row[i] - cut
        beyond += abs(centred) > coarse
        s[i] = min(max(centred, -far), far) / temperature
    return beyond


@compiled()
def finish(
    s: Array, tau: Any, step: float, curl: Any, small: Array, p: Array, slope: Array, u: Array
) -> None:
    """Answer of one row ``(n,)`` at ``tau + step`` from the exponentials ``small`` at ``tau``.

    No new exponential: ``step`` multiplies the old ones by one number above the cut and by another
    below. For the few scores that the step crosses the product is beyond 1 by less than ``step``;
    1 / x is then 2 - x + (x - 1)^2 to the last digit.
    """
    kind = s.dtype.type
    zero, one, two, base = kind(0), kind(1), kind(2), kind(2) - curl
    rest, grow, shrink = kind(step), kind(math.exp(step)), kind(math.exp(-step))
    for i in range(p.shape[0]):
        old = s[i] - tau
        new = old - rest
        e = small[i] * (grow if old > zero else shrink)
        e = two - e + (e - one) * (e - one) if e > one else e
        q = e / (base + curl * e)
        u[i] = new
        p[i] = one - q if new > zero else q
        slope[i] = q * (one - curl * q)


@compiled()
def exponential_topk(
    scores: Array, k: float, temperature: Any, far: Any, coarse: Any, cuts: Array, means: Array,
    spreads: Array, curl: Any, series: Any, fine: float, room: Array, p: Array, slope: Array,
    u: Array,
) -> int:
    """Solve every row of ``(rows, n)``; ``0 < k < n``. Returns how many scores are too coarse.

    ``room (3, m)`` with m >= n is where a row is worked on: it stays in the cache, and with m a
    multiple of the vector length no loop ends in single scores. What ``room[0]`` holds beyond n
    must lie so far below every cut that it adds nothing: :data:`FARTHEST` twice.
    """
    beyond, n = 0, scores.shape[1]
    variance = 3.2898681336964524 if curl > 0 else 2.0  # of F: pi^2 / 3 or 2
    edge = FARTHEST + 2 + abs(math.log(k) - math.log(n - k))
    s, tail, small = room[0], room[1], room[2]
    for row in range(scores.shape[0]):
        beyond += to_units(scores[row], cuts[row], temperature, far, coarse, s)
        mean = (means[row] - np.float64(cuts[row])) / np.float64(temperature)
        width = max(spreads[row] / np.float64(temperature), 1e-6)
        start = mean - mean * math.sqrt(1 + variance / (width * width))
        if not abs(start) <= edge:  # overflow: as a guess, 0 will do
            start = 0.0
        tau, step, found = root(s, k, start, edge, curl, series, fine, False, tail, small)
        if not found:
            start = gap_start(s, k)
            tau, step, found = root(s, k, start, edge, curl, series, fine, True, tail, small)
        finish(s, scores.dtype.type(tau), step, curl, small, p[row], slope[row], u[row])
    return beyond
