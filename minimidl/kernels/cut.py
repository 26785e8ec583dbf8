"""Selection by counting: the cut below the k best of a row, and the list of what is open.

How many scores reach a cut is a loop without branches, which runs many scores at a time; so the
cut is found by a few counts, not by sorting. The open gates are written down without a branch, too.
"""

from __future__ import annotations

import math
from typing import Any

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled
from minimidl.kernels.sigmoid import moments, normal_quantile

WORTH_A_GUESS = 128
"""Scores from which on two moments and a logarithm cost less than the counts they save."""


@compiled()
def count_from(scores: Array, cut: Any) -> int:
    """How many of ``(n,)`` scores are at least ``cut``."""
    count = 0
    for i in range(scores.shape[0]):
        count += scores[i] >= cut
    return count


@compiled()
def all_finite(scores: Array, biggest: Any) -> bool:
    """Whether every entry of ``(batch, n)`` is finite: comparisons with NaN are false."""
    count = 0
    for row in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            count += abs(scores[row, i]) <= biggest
    return count == scores.size


@compiled()
def first_guess(scores: Array, k: int, biggest: Any) -> tuple[Any, Any]:
    """Two cuts around the one that ``k`` of ``(n,)`` scores would reach if they were normal.

    Their distance is four standard errors of a count: wide enough, mostly, and hardly wider.
    """
    n, kind = scores.shape[0], scores.dtype.type
    if n < WORTH_A_GUESS:
        return kind(-1), kind(1)
    mean, variance, _ = moments(scores)
    spread = math.sqrt(variance)
    middle, reach = mean + spread * normal_quantile(k / n), 2 * spread / math.sqrt(n)
    if not abs(middle) + reach < biggest:  # squares overflowed: any start will do
        middle, reach = 0.0, 1.0
    low, high = kind(middle - reach), kind(middle + reach)
    return (low, high) if low < high else (kind(-1), kind(1))


@compiled()
def moved(cut: Any, step: Any, biggest: Any) -> Any:
    """``cut + step``, held within the finite numbers; by halves, so that nothing overflows."""
    half = type(cut)(0.5)
    sum_of_halves = cut * half + step * half
    if abs(sum_of_halves) >= biggest * half:
        return biggest if step > 0 else -biggest
    return cut + step


@compiled()
def cut_for(scores: Array, k: int, biggest: Any) -> Any:
    """A cut that ``k`` of ``(n,)`` finite scores reach; with ties, the k-th largest score itself.

    Keeps ``count_from(low) >= k > count_from(high)`` and narrows the gap, mostly by what the two
    counts suggest (usually right at once), every fourth time by half (which no score can fool).
    """
    if k >= scores.shape[0]:
        return -biggest
    kind = scores.dtype.type
    low, high = first_guess(scores, k, biggest)
    many, few = count_from(scores, low), count_from(scores, high)
    half, step = kind(0.5), high - low
    while many < k:
        high, few = low, many
        low = moved(low, -step, biggest)
        step = min(step, biggest * kind(0.25)) * kind(2)
        many = count_from(scores, low)
    while few >= k and high < biggest:
        low, many = high, few
        high = moved(high, step, biggest)
        step = min(step, biggest * kind(0.25)) * kind(2)
        few = count_from(scores, high)
    if few >= k:  # k scores are the largest float there is
        return high
    turn = 0
    while many != k:
        turn += 1
        halving = turn % 4 == 0
        share = half if halving else kind(many - k) / kind(many - few)
        middle = low * (kind(1) - share) + high * share
        if low < middle < high:
            count = count_from(scores, middle)
            if count >= k:
                low, many = middle, count
            else:
                high, few = middle, count
        elif halving:  # no float lies between: the k-th largest is tied
            return low
    return low


@compiled()
def write_open(
    scores: Array, cut: Any, at_cut: bool, block: int, indices: Array, position: int
) -> int:
    """Append the neurons of all gates above ``cut``, and of those exactly at it if ``at_cut``.

    Every gate is written, but the end of the list moves only for an open one: there is no branch
    to mispredict. Returns the end.
    """
    for gate in range(scores.shape[0]):
        if block == 1:
            indices[position] = gate
        else:
            for i in range(block):
                indices[position + i] = gate * block + i
        position += block * ((scores[gate] > cut) | (at_cut & (scores[gate] == cut)))
    return position


@compiled()
def write_tied(
    scores: Array, cut: Any, ties: int, block: int, indices: Array, position: int
) -> int:
    """As :func:`write_open`, with only the first ``ties`` of the gates exactly at ``cut``."""
    for gate in range(scores.shape[0]):
        tied = scores[gate] == cut and ties > 0
        ties -= tied
        if tied or scores[gate] > cut:
            for i in range(block):
                indices[position + i] = gate * block + i
            position += block
    return position


@compiled()
def select(
    scores: Array, k: int, cut: Any, biggest: Any, block: int, indices: Array, position: int
) -> int:
    """Append the neurons of one sample's open gates; exactly ``k`` gates, or all above ``cut``."""
    if k == 0:
        return write_open(scores, cut, False, block, indices, position)
    cut = cut_for(scores, k, biggest)
    if count_from(scores, cut) == k:
        return write_open(scores, cut, True, block, indices, position)
    above = 0
    for i in range(scores.shape[0]):
        above += scores[i] > cut
    return write_tied(scores, cut, k - above, block, indices, position)
