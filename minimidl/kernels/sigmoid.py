"""Sigmoid Top-k in Numba, the common case: one exponential per score, nothing else that costs.

A row is shifted by a guess of its cut, the quantile of a normal with the row's own moments, widened
by the variance of the logistic. Then ``e = exp(-u)`` is made once: moving the cut by ``step`` only
multiplies every ``e`` by ``exp(step)``, so each Newton pass, and the answer, is arithmetic:

    F = 1 / (1 + e),   1 - F = e F,   F' = F (e F)

which keeps the digits of both tails. Newton ends when the error after the next step, below its
square because ``|F''| <= F'``, no longer shows. That bound also makes the end a proof: the slope
changes by at most ``exp(d)`` over a distance d, so a small step means that the root is near.

Rows where the guess is of no use are left, and told: decided ones (a cold temperature, a wide gap,
ties at the cut), outliers, scores that are not finite. ``topk.py`` solves those with care.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled

BLOCK = 1024
"""Sums of so many terms are made in the dtype of the scores, and added up in float64: a conversion
inside the loop would halve the number of scores per instruction."""
LOWEST, HIGHEST = -88.1, 80.0  # exponents: exp is exactly 0 at the first and far from overflow
DECIDED = 0.0625  # a sum of slopes below it: as in topk.py
FEWEST = 2.0  # a sum of slopes, as the moments foretell it, below which no guess comes near enough
WANDER, PASSES = 2.0, 8  # how far, in units of T, a guess may be off, and Newton's patience
VARIANCE = 3.2898681336964524  # of the logistic distribution: pi^2 / 3


@compiled(reassociate=True)
def moments(row: Array) -> tuple[float, float, float]:
    """Mean, variance and reach of one row ``(n,)``; the first two are good enough to guess.

    Reach is at least ``max |z - z_0|``. It is not finite unless every score is.
    """
    zero, origin, n = row.dtype.type(0), row[0], row.shape[0]
    total = squares = 0.0
    for first in range(0, n, BLOCK):
        part = row[first:first + BLOCK]
        some = many = zero
        for i in range(part.shape[0]):
            value = part[i] - origin
            some += value
            many += value * value
        total += np.float64(some)
        squares += np.float64(many)
    mean = total / n
    # The last term stands for squares that underflow, the factor for the rounding of the sums.
    reach = 1.01 * math.sqrt(squares) + 1e-18 * n
    return np.float64(origin) + mean, max(squares / n - mean * mean, 0.0), reach


@compiled()
def normal_quantile(share: float) -> float:
    """The number that a standard normal exceeds with probability ``share`` in (0, 1).

    Good to 0.003: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.22.
    """
    t = math.sqrt(-2 * math.log(min(share, 1 - share)))
    z = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t))
    return z if share < 0.5 else -z


@compiled()
def exponents(row: Array, shift: Any, rate: Any, x: Array) -> None:
    """``-u = (shift - z) / T`` of one row ``(n,)`` into a room of at least n."""
    for i in range(row.shape[0]):
        x[i] = (shift - row[i]) * rate


@compiled(reassociate=True)
def exponentials(x: Array, series: Any, e: Array) -> None:
    """``exp(x)`` with ``x`` held within [-88.1, 80], of one room; within 2 ulp.

    ``exp(x) = 2^m exp(r)``, ``r = x - m ln 2`` in two parts, the larger exact in products. At the
    lower end the exponent bits of ``2^m`` are all 0, and so is the answer.
    """
    kind = x.dtype.type
    lowest, highest, half = kind(LOWEST), kind(HIGHEST), kind(0.5)
    for i in range(x.shape[0]):
        value = min(max(x[i], lowest), highest)
        steps = kind(np.floor(value * kind(1.4426950408889634) + half))
        r = (value - steps * kind(0.693359375)) - steps * kind(-2.1219444005469058e-4)
        y = kind(0)
        for c in series:
            y = y * r + c
        e[i] = y * kind(np.int32((np.int32(steps) + 127) << 23).view(np.float32))


@compiled(reassociate=True)
def sums(e: Array, factor: Any) -> tuple[float, float]:
    """``sum F`` and ``sum F'`` over one room, with ``e * factor`` for ``e``.

    The first is made as (number above the cut) + (signed tails), so that no 1 - q hides a tail;
    signs are copied and not chosen because a choice would keep the loop from running in vectors.
    """
    kind = e.dtype.type
    zero, one = kind(0), kind(1)
    total = weight = 0.0
    for first in range(0, e.shape[0], BLOCK):
        part = e[first:first + BLOCK]
        tails = signs = slopes = zero
        for i in range(part.shape[0]):
            scaled = part[i] * factor
            p = one / (one + scaled)
            rest = scaled * p
            tails += math.copysign(min(p, rest), scaled - one)
            signs += math.copysign(one, scaled - one)  # -1 above the cut
            slopes += p * rest
        total += 0.5 * (part.shape[0] - np.float64(signs)) + np.float64(tails)
        weight += np.float64(slopes)
    return total, weight


@compiled()
def newton(e: Array, k: float, fine: float) -> tuple[float, bool]:
    """How far to move the cut of one room, in units of T, and whether it was found."""
    kind = e.dtype.type
    moved = 0.0
    for _ in range(PASSES):
        total, weight = sums(e, kind(math.exp(moved)))
        if not weight >= DECIDED:
            return 0.0, False
        step = (total - k) / weight
        moved += step
        if abs(moved) > WANDER:
            return 0.0, False
        if abs(step) <= fine:
            return moved, True
    return 0.0, False


@compiled()
def finish(
    x: Array, e: Array, moved: Any, factor: Any, p: Array, slope: Array, u: Array
) -> None:
    """``p``, ``slope`` and ``u`` of one row ``(n,)`` with its cut moved."""
    kind = e.dtype.type
    zero, one, dark = kind(0), kind(1), kind(HIGHEST)
    for i in range(p.shape[0]):
        scaled = e[i] * factor
        chosen = one / (one + scaled) if x[i] < dark else zero
        p[i] = chosen
        slope[i] = chosen * (scaled * chosen)
        u[i] = -(x[i] + moved)


@compiled()
def sigmoid_topk(
    scores: Array, k: float, temperature: float, limit: float, series: Any, fine: float,
    room: Array, p: Array, slope: Array, u: Array, left: Array,
) -> None:
    """Solve the rows of ``(rows, n)`` that are easy, ``0 < k < n``; ``left (rows,)`` is the rest.

    ``limit`` is how far from another, in units of T, a score may be before T is too cold for its
    dtype. ``room (2, m)``, m >= n a multiple of the vector length: it stays in the cache. It comes
    filled with :data:`HIGHEST`, so that what it holds beyond n adds nothing to a sum.
    """
    kind = scores.dtype.type
    n, x, e = scores.shape[1], room[0], room[1]
    quantile = normal_quantile(k / n)
    warmth = temperature * n * 0.3989422804014327 * math.exp(-0.5 * quantile * quantile) / FEWEST
    for row in range(scores.shape[0]):
        mean, variance, reach = moments(scores[row])
        guess = mean + quantile * math.sqrt(variance + VARIANCE * temperature * temperature)
        left[row] = True
        # Twice, because any two scores of the row are at most so far apart.
        if not 2 * reach + abs(guess - np.float64(scores[row, 0])) <= limit * temperature:
            continue  # also where any of them is not finite
        if warmth < math.sqrt(variance):
            continue
        exponents(scores[row], kind(guess), kind(1 / temperature), x)
        exponentials(x, series, e)
        moved, found = newton(e, k, fine)
        if found:
            left[row] = False
            finish(x, e, kind(moved), kind(math.exp(moved)), p[row], slope[row], u[row])
