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
from minimidl.kernels.cpu import RELU, activate
from minimidl.kernels.jit import compiled
from minimidl.kernels.products import BLOCK_TILE, aligned, product
from minimidl.kernels.sigmoid import exponentials
from minimidl.kernels.tiles import (
    BLOCK_ROWS,
    GROUP,
    VECTOR_BYTES,
    copy,
    relu,
    spread_block,
    spread_row,
)
from minimidl.kernels.words import CROWD, list_samples


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
    """The same for the common case, many values at a time: a loop without a branch, or a tile."""
    zero, lanes = values.dtype.type(0), VECTOR_BYTES // values.itemsize
    for gate in range(starts.shape[0] - 1):
        if block == 1:
            for i in range(starts[gate], starts[gate + 1]):
                u = values[i] + bias[gate]
                values[i] = gates[i] * (zero if u < zero else u)
            continue
        for i in range(starts[gate], starts[gate + 1]):
            if block % lanes == 0:
                relu(values, i * block, bias, gate * block, gates[i], block)
                continue
            for n in range(block):
                u = values[i * block + n] + bias[gate * block + n]
                values[i * block + n] = gates[i] * (zero if u < zero else u)


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
