"""Who opened what, 64 samples at a time: bit s of a gate's word says whether sample s opened it.

From the words come lists, gate by gate, and the order in which gates are visited.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cut import all_finite, count_from, cut_for
from minimidl.kernels.jit import compiled
from minimidl.kernels.tiles import first_bit

CROWD = 64
"""Samples per word."""


@compiled()
def choose_words(scores: Array, k: int, cut: float, words: Array) -> int:
    """Who opens what: the ``k`` best gates of every sample, or all above ``cut`` if ``k`` is 0.

    Args:
        scores: ``(batch, n_gates)``.
        k: gates per sample; ties go to the lowest index.
        cut: used when ``k`` is 0.
        words: ``(ceil(batch / 64), n_gates)`` uint64, filled.

    Returns:
        0, or 1 when a score is NaN or infinite.

    """
    kind = scores.dtype.type
    biggest = kind(1.7976931348623157e308 if scores.itemsize == 8 else 3.4028234663852886e38)
    if not all_finite(scores, biggest):
        return 1
    words[:] = np.uint64(0)
    limit = scores.dtype.type(cut)
    for s in range(scores.shape[0]):
        own, word, bit = scores[s], words[s // CROWD], np.uint64(s % CROWD)
        if k == 0:
            mark_above(own, limit, bit, word)
            continue
        limit = cut_for(own, k, biggest)
        if count_from(own, limit) == k:
            mark_from(own, limit, bit, word)
        else:
            mark_tied(own, limit, k, bit, word)
    return 0


@compiled()
def mark_above(scores: Array, cut: Any, bit: Any, words: Array) -> None:
    """Set a sample's bit in the words of all gates above ``cut``; no branch, many at a time."""
    for gate in range(scores.shape[0]):
        words[gate] |= np.uint64(scores[gate] > cut) << bit


@compiled()
def mark_from(scores: Array, cut: Any, bit: Any, words: Array) -> None:
    """The same for all gates at or above ``cut``."""
    for gate in range(scores.shape[0]):
        words[gate] |= np.uint64(scores[gate] >= cut) << bit


@compiled()
def mark_tied(scores: Array, cut: Any, k: int, bit: Any, words: Array) -> None:
    """The same for all above ``cut``, and as many of those exactly at it as make ``k``."""
    ties = k - scores.shape[0]
    for gate in range(scores.shape[0]):
        ties += scores[gate] <= cut
    for gate in range(scores.shape[0]):
        tied = scores[gate] == cut and ties > 0
        ties -= tied
        words[gate] |= np.uint64(tied or scores[gate] > cut) << bit


@compiled()
def list_samples(words: Array, lists: Array, starts: Array) -> None:
    """The samples of every gate: ``lists[g, :count]``, and ``starts``, the counts summed up."""
    starts[0] = 0
    for gate in range(words.shape[0]):
        word, count = words[gate], 0
        while word != np.uint64(0):
            lists[gate, count] = first_bit(word)
            word &= word - np.uint64(1)
            count += 1
        starts[gate + 1] = starts[gate] + count


@compiled()
def order_by_count(starts: Array, order: Array) -> None:
    """Gates by how many samples they have, ties by index: a counting sort."""
    heads = np.zeros(CROWD + 2, np.int64)
    for gate in range(order.shape[0]):
        heads[starts[gate + 1] - starts[gate] + 1] += 1
    for count in range(1, CROWD + 2):
        heads[count] += heads[count - 1]
    for gate in range(order.shape[0]):
        count = starts[gate + 1] - starts[gate]
        order[heads[count]] = gate
        heads[count] += 1
