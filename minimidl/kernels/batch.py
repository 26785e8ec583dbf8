"""Many samples at once: gate by gate, with a list of the samples that opened each.

A kernel that goes sample by sample loads every weight for one sample. Here the batch is turned
round, 64 samples at a time: bit s of a gate's 64-bit *word* says whether sample s opened it, so a
gate knows its samples, and a weight that is loaded serves all of them. Four tricks:

* the sums of a tile stay in registers (:mod:`minimidl.kernels.tiles`);
* inputs are taken in panels that fit into the first-level cache, and stay there while the weights
  of all neurons stream by, each read once per 64 samples;
* gates are visited in the order of how many samples they have: the processor then guesses right
  which size of tile comes next (wrong guesses cost a third of the time);
* the next layer's row of a neuron is kept in a register and added to all samples that need it.

Serial, and always in the same order: the same bits every time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cpu import RELU, activate, all_finite, count_from, cut_for
from minimidl.kernels.jit import compiled
from minimidl.kernels.sigmoid import exponentials
from minimidl.kernels.tiles import (
    BLOCK_ROWS,
    KEPT,
    GROUP,
    TILE,
    VECTOR_BYTES,
    copy,
    dot_1,
    dot_4,
    dot_10,
    dot_block,
    first_bit,
    spread_block,
    spread_row,
)

BLOCK_TILE = TILE // BLOCK_ROWS
"""Samples, or registers of a row, that meet four neurons in a tile."""
CROWD = 64
"""Samples per word."""
AHEAD = 4
"""Neurons between asking for a piece of weights and using it."""
HERD = 256
"""Single neurons at a time: 1 MB of weights for a thousand inputs."""
LONGEST = 64
"""Registers of a row at a time where four neurons share a tile: 4 + 6 such rows are 40 kB.

For single neurons it is 10: 64 samples' inputs are 40 kB then, and a first-level cache 48 kB.
"""


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


@compiled()
def aligned(size: int, like: Array) -> Array:
    """Room for ``size`` numbers that starts at a multiple of a register's width."""
    room = np.empty(size + VECTOR_BYTES // like.itemsize, like.dtype)
    skip = (-room.ctypes.data % VECTOR_BYTES) // like.itemsize
    return room[skip:skip + size]


@compiled()
def fill_panel(x: Array, first: int, width: int, skip: int, panel: Array) -> None:
    """Inputs ``first`` to ``first + width`` of every sample side by side, the first few as 0."""
    n_in = x.shape[1]
    flat = x.reshape(x.size)
    for s in range(x.shape[0]):
        copy(flat, s * n_in + first, panel, s * width, width)
        for t in range(skip):
            panel[s * width + t] = x.dtype.type(0)


@compiled()
def row_panel(
    panel: Array, vectors: int, width: int, weights: Array, first: int, n_in: int, add: bool,
    lists: Array, starts: Array, order: Array, values: Array,
) -> None:
    """Multiply one panel of inputs with the weights of single neurons, in all open places.

    A neuron's piece of weights stays in ``vectors`` registers while its samples come by.
    """
    flat = lists.reshape(lists.size)
    for position in range(order.shape[0]):
        neuron = order[position]
        start, count = starts[neuron], starts[neuron + 1] - starts[neuron]
        piece, place = neuron * n_in + first, neuron * CROWD
        later = order[min(position + AHEAD, order.shape[0] - 1)] * n_in + first
        if vectors == 10:
            dot_10(weights, piece, later, panel, width, flat, place, count, values, start, add)
        elif vectors == 4:
            dot_4(weights, piece, later, panel, width, flat, place, count, values, start, add)
        else:
            dot_1(weights, piece, later, panel, width, flat, place, count, values, start, add)


@compiled()
def block_length(left: int, whole: int) -> int:
    """How many of ``left`` registers of a row the next panel takes where rows share tiles."""
    panels = (left + LONGEST - 1) // LONGEST
    return max(1, min(whole, (left + panels - 1) // panels))


@compiled()
def row_length(left: int, whole: int) -> int:
    """The same for single rows: 10, or the shortest kept length that takes all that is left."""
    best = 0
    for vectors in KEPT:  # from the longest to the shortest
        if vectors <= whole and (best == 0 or vectors >= left):
            best = vectors
    return best


@compiled()
def block_panel(
    panel: Array, width: int, weights: Array, first: int, n_in: int, add: bool,
    lists: Array, starts: Array, block: int, values: Array,
) -> None:
    """The same for blocks of a multiple of four neurons, four of them in one tile."""
    flat = lists.reshape(lists.size)
    most = BLOCK_TILE
    for gate in range(lists.shape[0]):
        start, left = starts[gate], starts[gate + 1] - starts[gate]
        place, parts = gate * CROWD, (left + most - 1) // most
        while left > 0:
            some = (left + parts - 1) // parts
            for i in range(0, block, BLOCK_ROWS):
                dot_block(weights, (gate * block + i) * n_in + first, n_in, panel, 0, width,
                          flat, place, some, width, values, start * block + i, block, add)
            start, place, left, parts = start + some, place + some, left - some, parts - 1


@compiled()
def multiply(
    x: Array, weight_t: Array, lists: Array, starts: Array, block: int, panel: Array,
    values: Array,
) -> None:
    """``values = x . w`` wherever a gate is open, some lists at a time.

    A few hundred neurons' weights stay in the second-level cache, and their pages in the table of
    pages, while one panel after the other asks for its piece of every row.
    """
    n_in = x.shape[1]
    weights, order = weight_t.reshape(weight_t.size), np.empty(HERD, np.int64)
    herd = lists.shape[0] if block > 1 else HERD
    for first in range(0, lists.shape[0], herd):
        stop = min(first + herd, lists.shape[0])
        multiply_herd(x, weights[first * block * n_in:], lists[first:stop], starts[first:stop + 1],
                      block, order, panel, values)


@compiled()
def multiply_herd(
    x: Array, weights: Array, lists: Array, starts: Array, block: int, order: Array, panel: Array,
    values: Array,
) -> None:
    """The same for neighbouring lists, panel by panel.

    The last panel may reach back over inputs that were counted already; it holds 0 for those. So
    all panels are whole registers, and no neuron reads beyond its own weights.
    """
    n_in, lanes = x.shape[1], VECTOR_BYTES // x.itemsize
    first, whole = 0, n_in // lanes
    if block == 1:
        order = order[:lists.shape[0]]
        order_by_count(starts, order)
    while first < n_in:
        left = (n_in - first + lanes - 1) // lanes
        vectors = block_length(left, whole) if block > 1 else row_length(left, whole)
        width, here = vectors * lanes, min(first, n_in - vectors * lanes)
        fill_panel(x, here, width, first - here, panel)
        if block > 1:
            block_panel(panel, width, weights, here, n_in, first > 0, lists, starts, block, values)
        else:
            row_panel(panel, vectors, width, weights, here, n_in, first > 0, lists, starts, order,
                      values)
        first = here + width


@compiled()
def gate_values(
    scores: Array, per_gate: int, temperature: Any, series: Any, lists: Array, starts: Array,
    gates: Array, room: Array,
) -> None:
    """``sigmoid(score / temperature)`` of every open place, all exponentials in one sweep.

    The scores are copied to rows of an odd number of cache lines first: 64 rows that are 4 kB apart
    would fall into the same few places of the cache and drive each other out.
    """
    one, stride = scores.dtype.type(1), (scores.shape[1] // 16 | 1) * 16 + 32
    apart, flat = np.empty(scores.shape[0] * stride, scores.dtype), scores.reshape(scores.size)
    for s in range(scores.shape[0]):
        copy(flat, s * scores.shape[1], apart, s * stride, scores.shape[1])
    rate = -one / temperature
    for row in range(lists.shape[0]):
        gate, start = row // per_gate, starts[row]
        for i in range(starts[row + 1] - start):
            room[start + i] = apart[np.int64(lists[row, i]) * stride + gate] * rate
    count = starts[lists.shape[0]]
    exponentials(room[:count], series, gates[:count])
    for i in range(count):
        gates[i] = one / (one + gates[i])


@compiled()
def finish(
    bias: Array, light: Array, code: int, lists: Array, starts: Array, block: int, gates: Array,
    values: Array,
) -> None:
    """``gate * (activation(value + bias) - light)`` in every open place."""
    for gate in range(lists.shape[0]):
        for i in range(starts[gate], starts[gate + 1]):
            for n in range(block):
                u = activate(values[i * block + n] + bias[gate * block + n], code)
                if light.shape[0] > 0:
                    u -= light[lists[gate, i - starts[gate]], gate * block + n]
                values[i * block + n] = gates[i] * u


@compiled()
def finish_relu(bias: Array, starts: Array, block: int, gates: Array, values: Array) -> None:
    """The same for the common case, as loops without a branch that run many values at a time."""
    zero = values.dtype.type(0)
    for gate in range(starts.shape[0] - 1):
        if block == 1:
            for i in range(starts[gate], starts[gate + 1]):
                u = values[i] + bias[gate]
                values[i] = gates[i] * (zero if u < zero else u)
            continue
        for i in range(starts[gate], starts[gate + 1]):
            for n in range(0, block, BLOCK_ROWS):
                for f in range(BLOCK_ROWS):
                    place = i * block + n + f
                    u = values[place] + bias[gate * block + n + f]
                    values[place] = gates[i] * (zero if u < zero else u)


@compiled()
def add_rows_to_all(
    next_weight: Array, lists: Array, starts: Array, block: int, values: Array, spare: Array,
    totals: Array, wide: int,
) -> None:
    """``totals[s] += value * next_weight[neuron]`` for every open place.

    Rows of the next layer are read a whole number of registers wide: what follows a row lands in
    columns that nobody reads. Only the last rows, behind which nothing lies, are copied first.
    """
    n_out, lanes = next_weight.shape[1], VECTOR_BYTES // values.itemsize
    rows, listed = next_weight.reshape(next_weight.size), lists.reshape(lists.size)
    together = BLOCK_ROWS if block > 1 else 1
    most = GROUP if together == 1 else BLOCK_TILE
    for gate in range(lists.shape[0]):
        count = starts[gate + 1] - starts[gate]
        if count == 0:
            continue
        for n in range(0, block, together):
            source, place, stride = rows, (gate * block + n) * n_out, n_out
            if place + (together - 1) * n_out + wide > rows.size:
                for f in range(together):
                    copy(rows, place + f * n_out, spare, f * wide, n_out)
                source, place, stride = spare, 0, wide
            first = starts[gate] * block + n
            for column in range(0, wide, most * lanes):
                vectors = min(most, (wide - column) // lanes)
                if together == 1:
                    spread_row(source, place + column, stride, values, first, block, listed,
                               gate * CROWD, count, vectors, totals, column, wide)
                else:
                    spread_block(source, place + column, stride, values, first, block, listed,
                                 gate * CROWD, count, vectors, totals, column, wide)


@compiled()
def product(x: Array, weight_t: Array, lists: Array, starts: Array, block: int) -> Array:
    """``x . w`` in all open places, in room that starts at a register."""
    lanes = VECTOR_BYTES // x.itemsize
    longest = LONGEST if block > 1 else KEPT[0]
    panel = aligned(min(longest, x.shape[1] // lanes) * lanes * CROWD, x)
    values = aligned(starts[lists.shape[0]] * block, x)
    multiply(x, weight_t, lists, starts, block, panel, values)
    return values


@compiled()
def finish_crowd(
    scores: Array, per_gate: int, temperature: float, binary: bool, series: Any, bias: Array,
    light: Array, code: int, lists: Array, starts: Array, block: int, values: Array,
) -> None:
    """Bias, activation, light path and gate value in every open place."""
    kind, count = values.dtype.type, starts[lists.shape[0]]
    gates = np.ones(count, values.dtype)
    if not binary:
        gate_values(scores, per_gate, kind(temperature), series, lists, starts, gates,
                    np.empty(count, values.dtype))
    if code == RELU and light.shape[0] == 0:
        finish_relu(bias, starts, block, gates, values)
    else:
        finish(bias, light, code, lists, starts, block, gates, values)


@compiled()
def add_crowd(
    next_weight: Array, lists: Array, starts: Array, block: int, values: Array, base: Array,
    out: Array,
) -> None:
    """``out = base``, plus the next layer's rows of all open places."""
    kind, n_out, lanes = values.dtype.type, out.shape[1], VECTOR_BYTES // values.itemsize
    wide = (n_out + lanes - 1) // lanes * lanes
    totals, spare = aligned(CROWD * wide, values), aligned(BLOCK_ROWS * wide, values)
    totals[:] = kind(0)
    spare[:] = kind(0)
    add_rows_to_all(next_weight, lists, starts, block, values, spare, totals, wide)
    for s in range(out.shape[0]):
        base_row = s if base.shape[0] > 1 else 0
        for o in range(n_out):
            out[s, o] = base[base_row, o] + totals[s * wide + o]


@compiled()
def crowd(
    x: Array, scores: Array, words: Array, block: int, per_gate: int, temperature: float,
    binary: bool, series: Any, weight_t: Array, bias: Array, light: Array, code: int,
    next_weight: Array, base: Array, out: Array,
) -> None:
    """One word of samples: list, multiply, finish, add; arguments as :func:`batch_segment`."""
    lists = np.empty((words.shape[0], CROWD), np.uint8)
    starts = np.empty(words.shape[0] + 1, np.int64)
    list_samples(words, lists, starts)
    values = product(x, weight_t, lists, starts, block)
    finish_crowd(scores, per_gate, temperature, binary, series, bias, light, code, lists, starts,
                 block, values)
    add_crowd(next_weight, lists, starts, block, values, base, out)


@compiled(nogil=True)
def batch_segment(
    x: Array, scores: Array, words: Array, block: int, temperature: float, binary: bool,
    series: Any, weight_t: Array, bias: Array, light: Array, code: int, next_weight: Array,
    base: Array, out: Array,
) -> None:
    """Run a gated layer and the linear layer after it, as ``reference.neuron_segment`` does.

    Args:
        x: ``(batch, n_in)``, at least as wide as one register.
        scores: ``(batch, n_gates)``.
        words: ``(ceil(batch / 64), n_gates)`` of :func:`choose_words`.
        block: neurons per gate.
        temperature: the gate value is ``sigmoid(score / temperature)``.
        binary: the gate value is 1 instead.
        series: coefficients of the exponential, ``rows.series(dtype)``.
        weight_t: ``(n_units, n_in)``.
        bias: ``(n_units,)``.
        light: ``(batch, n_units)``, or ``(0, 0)`` for the zero path.
        code: of the activation.
        next_weight: ``(n_units, n_out)``.
        base: ``(batch, n_out)``, or ``(1, n_out)`` for all samples.
        out: ``(batch, n_out)``, filled.

    """
    together = block if block % BLOCK_ROWS == 0 else 1  # neurons that share a list
    for c in range(words.shape[0]):
        here, stop = c * CROWD, min((c + 1) * CROWD, x.shape[0])
        own = np.repeat(words[c], block // together)
        crowd(x[here:stop], scores[here:stop], own, together, block // together, temperature,
              binary, series, weight_t, bias, light[here:stop], code, next_weight,
              base[here:stop] if base.shape[0] > 1 else base, out[here:stop])
