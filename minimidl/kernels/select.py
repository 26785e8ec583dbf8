"""The k best of every row by counting: no sort, no branch that depends on a score.

How many scores reach a cut is a loop that runs many scores at a time; a bracket around the k-th
largest score is narrowed by it until exactly ``k`` reach the cut, or until no float lies between
its ends, which is how ties show. Mean and spread of the row make the first guess, and Cantelli's
inequality (at most ``1 / (1 + t^2)`` of a row lies ``t`` standard deviations above its mean) makes
the first bracket.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled


@compiled()
def count_from(row: Array, cut: Any) -> int:
    """How many of ``(n,)`` scores are at least ``cut``."""
    count = 0
    for i in range(row.shape[0]):
        count += row[i] >= cut
    return count


@compiled(reassociate=True)
def moments(row: Array) -> tuple[float, float]:
    """Mean and standard deviation of ``(n,)`` finite scores, in float64; good enough to guess."""
    shift = np.float64(row[0])  # squares of a large common offset would drown the spread
    total = squares = 0.0
    for i in range(row.shape[0]):
        value = np.float64(row[i]) - shift
        total += value
        squares += value * value
    mean = total / row.shape[0]
    return shift + mean, math.sqrt(max(squares / row.shape[0] - mean * mean, 0.0))


@compiled()
def bracket(row: Array, k: int, mean: float, spread: float, biggest: Any) -> tuple[Any, Any]:
    """``(low, high)`` with ``count_from(low) >= k > count_from(high)``, or ``high = biggest``."""
    kind = row.dtype.type
    n = row.shape[0]
    edge = np.float64(biggest)
    width = spread + 1e-6 * abs(mean) + 1e-30
    low = high = kind(min(max(mean, -edge), edge))
    below, above = math.sqrt(n / (n - k + 1.0)), math.sqrt(n / k)
    while True:
        low = kind(max(mean - below * width, -edge))
        if low <= -biggest or count_from(row, low) >= k:
            break
        below *= 4
    while True:
        high = kind(min(mean + above * width, edge))
        if high >= biggest or count_from(row, high) < k:
            break
        above *= 4
    return low, high


@compiled()
def cut_for(row: Array, k: int, mean: float, spread: float, biggest: Any) -> Any:
    """A cut that ``k`` of ``(n,)`` scores reach, ``1 <= k <= n``; with ties the k-th score itself.

    Three guesses by the density of a normal, which are usually enough; then, in turn, by what the
    counts at the two ends suggest and by half, which no score can fool.
    """
    kind = row.dtype.type
    low, high, many, few = -biggest, biggest, row.shape[0], 0
    guess, rate = first_guess(row.shape[0], k, mean, spread)
    for _ in range(3):
        if not np.float64(low) < guess < np.float64(high):
            break
        middle = kind(guess)
        count = count_from(row, middle)
        if count == k:
            return middle
        if count > k:
            low, many = middle, count
        else:
            high, few = middle, count
        guess += (count - k) / rate
    if low == -biggest or high == biggest:
        low, high = bracket(row, k, mean, spread, biggest)
        many, few = count_from(row, low), count_from(row, high)
        if many == k:
            return low
        if few >= k:  # k scores are the largest float there is
            return high
    return narrow(row, k, low, high, many, few)


@compiled()
def narrow(row: Array, k: int, low: Any, high: Any, many: int, few: int) -> Any:
    """The cut inside a bracket with ``many > k > few`` or ``few < k``; see :func:`cut_for`."""
    kind = row.dtype.type
    half, share, halving = kind(0.5), kind(0), True
    while True:
        halving = not halving
        share = half if halving else kind(many - k + 0.5) / kind(many - few + 1)
        middle = low * (kind(1) - share) + high * share
        if low < middle < high:
            count = count_from(row, middle)
            if count == k:
                return middle
            if count > k:
                low, many = middle, count
            else:
                high, few = middle, count
        elif share == half:  # no float lies between: the k-th largest is tied
            return low


@compiled()
def first_guess(n: int, k: int, mean: float, spread: float) -> tuple[float, float]:
    """Where the k-th largest of ``n`` normal scores would lie, and how many lie per unit there.

    The quantile is the classical rational one with an error below 0.003 (Hastings 1955), plenty
    for a guess.
    """
    share = min(max((k - 0.5) / n, 1e-12), 1 - 1e-12)
    t = math.sqrt(-2 * math.log(min(share, 1 - share)))
    z = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t))
    rate = 0.3989422804014327 * math.exp(-0.5 * z * z) * n / max(spread, 1e-300)
    return mean + (z if share < 0.5 else -z) * spread, rate


@compiled()
def lowest_from(row: Array, cut: Any, biggest: Any) -> Any:
    """The lowest of ``(n,)`` scores that is at least ``cut``."""
    lowest = biggest
    for i in range(row.shape[0]):
        value = row[i]
        if (value >= cut) & (value < lowest):
            lowest = value
    return lowest


@compiled()
def row_cuts(
    scores: Array, k: int, exact: bool, biggest: Any, cuts: Array, means: Array, spreads: Array
) -> None:
    """Cut, mean and standard deviation of every row of ``(rows, n)``, ``1 <= k <= n``.

    ``exact``: the k-th largest score itself; else any number between it and the next below.
    """
    edge = np.float64(biggest)
    for s in range(scores.shape[0]):
        row = scores[s]
        mean, spread = moments(row)
        # Squares may overflow; as guesses, these will do. Comparisons with NaN are false.
        means[s] = mean if abs(mean) <= edge else 0.0
        spreads[s] = spread if spread <= edge else edge
        cut = cut_for(row, k, means[s], spreads[s], biggest)
        cuts[s] = lowest_from(row, cut, biggest) if exact else cut


@compiled()
def row_masks(scores: Array, k: int, biggest: Any, mask: Array) -> bool:
    """Boolean ``(rows, n)``: exactly ``k`` true per row, ties to the lowest index; 1 <= k <= n.

    Returns False, with the mask unfinished, for scores that are not finite or whose squares are
    not: NaN and infinity decide nothing here.
    """
    edge = np.float64(biggest)
    for s in range(scores.shape[0]):
        row, own = scores[s], mask[s]
        mean, spread = moments(row)
        if not (abs(mean) <= edge and spread <= edge):
            return False
        cut = cut_for(row, k, mean, spread, biggest)
        count = 0
        for i in range(row.shape[0]):
            own[i] = row[i] >= cut
            count += row[i] >= cut
        if count > k:
            drop_ties(row, cut, count - k, own)
    return True


@compiled()
def drop_ties(row: Array, cut: Any, surplus: int, own: Array) -> None:
    """Close the ``surplus`` last scores that equal ``cut``."""
    for i in range(row.shape[0] - 1, -1, -1):
        if surplus > 0 and row[i] == cut:
            own[i] = False
            surplus -= 1
