"""Gated layers in a row, sample by sample: what one opened is all that the next one reads.

Between the layers stands a compact *set* of open neurons: ``offsets (batch + 1,)``, ``indices`` and
``values``, sample s owning the places ``offsets[s]`` to ``offsets[s + 1]``, indices ascending. The
first layer makes one from the dense input, every other layer one from the set before it, and the
last is added up by the linear layer behind them, or written out densely where there is none.

Closed neurons are zero, so their columns add nothing: gate scores add the rows of the open inputs
up, and weights are read in the pieces that hold an open column (:mod:`.columns`).
The truth is in :mod:`.chain_reference`; scores are rounded otherwise than NumPy rounds them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.columns import list_pieces, multiply_gathered, multiply_pieces
from minimidl.kernels.cpu import activate, add_rows, multiply_listed, multiply_rows
from minimidl.kernels.cut import all_finite, select
from minimidl.kernels.jit import compiled
from minimidl.kernels.single import gate_rows, gate_scores, listed_times_matrix
from minimidl.kernels.tiles import VECTOR_BYTES


@compiled()
def finish_open(
    scores: Array, temperature: Any, binary: bool, series: Any, block: int, bias: Array,
    code: int, indices: Array, start: int, stop: int, values: Array, gates: Array,
) -> None:
    """``gate * activation(value + bias)`` of one sample's open neurons, in place."""
    if not binary:
        gate_rows(scores, temperature, series, block, indices[start:], stop - start, gates)
    for p in range(start, stop):
        u = values[p] + bias[indices[p]]
        values[p] = gates[p - start] * activate(u, code)


@compiled()
def first_layer(
    x: Array, down: Array, up: Array, score_bias: Array, every: Array, k: int, cut: float,
    temperature: float, binary: bool, series: Any, block: int, weight_t: Array, bias: Array,
    code: int, scores: Array, offsets: Array, indices: Array, values: Array,
) -> int:
    """Open a layer of a dense input ``x (batch, n_in)``; all else as :func:`next_layer`.

    ``every`` counts 0, 1, 2 ... up to ``n_in`` or the rank, whichever is more.
    """
    kind, n_in, n_gates = x.dtype.type, x.shape[1], scores.shape[1]
    biggest = kind(1.7976931348623157e308 if x.itemsize == 8 else 3.4028234663852886e38)
    lanes = VECTOR_BYTES // x.itemsize
    room, rest = np.empty(max(lanes, n_gates), x.dtype), np.zeros(lanes, x.dtype)
    gates, nothing = np.ones(weight_t.shape[0], x.dtype), np.zeros(weight_t.shape[0], x.dtype)
    offsets[0] = stop = 0
    for s in range(x.shape[0]):
        if down.shape[0] > 0:
            gate_scores(x[s], down, up, score_bias, every, room)
            scores[s] = room[:n_gates]
        if not all_finite(scores[s:s + 1], biggest):
            return 1
        start = stop
        stop = select(scores[s], k, kind(cut), biggest, block, indices, start)
        if n_in < lanes:
            multiply_rows(x[s], weight_t, nothing, indices, values, start, stop)
        else:
            for t in range(n_in // lanes * lanes, n_in):
                rest[lanes - n_in + t] = x[s, t]
            multiply_listed(x[s], weight_t, nothing, indices, values, start, stop, rest)
        finish_open(scores[s], kind(temperature), binary, series, block, bias, code, indices,
                    start, stop, values, gates)
        offsets[s + 1] = stop
    return 0


@compiled()
def next_layer(
    given_offsets: Array, given: Array, given_values: Array, down: Array, up: Array,
    score_bias: Array, every: Array, k: int, cut: float, temperature: float, binary: bool,
    series: Any, block: int, weight_t: Array, bias: Array, code: int, scores: Array,
    offsets: Array, indices: Array, values: Array,
) -> int:
    """Open a layer of the set that the layer before it opened.

    Args:
        given_offsets: ``(batch + 1,)`` int64, the set before.
        given: its neurons, which are this layer's inputs.
        given_values: their values.
        down: ``(n_in, rank)``, or ``(n_in, n_gates)`` with an empty ``up``; empty: ``scores`` holds
            the scores already.
        up: ``(rank, n_gates)``.
        score_bias: ``(n_gates,)``.
        every: int64 0, 1, 2 ... up to the rank at least.
        k: gates per sample, or 0: all above ``cut``.
        cut: used when ``k`` is 0.
        temperature: of the gate values.
        binary: gate values are 1.
        series: ``rows.series(dtype)``.
        block: neurons per gate.
        weight_t: ``(n_units, n_in)``.
        bias: ``(n_units,)``.
        code: of the activation.
        scores: ``(batch, n_gates)``, filled.
        offsets: ``(batch + 1,)`` int64, filled.
        indices: one block longer than the open neurons, int64, filled.
        values: as long, filled.

    Returns:
        0, or 1 when a score is NaN or infinite.

    """
    kind, n_in, n_gates = weight_t.dtype.type, weight_t.shape[1], scores.shape[1]
    biggest = kind(1.7976931348623157e308 if weight_t.itemsize == 8 else 3.4028234663852886e38)
    lanes, weights = VECTOR_BYTES // weight_t.itemsize, weight_t.reshape(weight_t.size)
    registers = n_in // lanes + 1
    places, masks = np.empty(registers + 1, np.int64), np.empty(registers + 1, np.uint16)
    room, gates = np.empty(max(lanes, n_gates), bias.dtype), np.ones(bias.shape[0], bias.dtype)
    row = np.zeros(n_in, bias.dtype)
    offsets[0] = stop = 0
    for s in range(offsets.shape[0] - 1):
        first, last = given_offsets[s], given_offsets[s + 1]
        if down.shape[0] > 0:
            set_scores(given, given_values, first, last, down, up, score_bias, every, room)
            scores[s] = room[:n_gates]
        if not all_finite(scores[s:s + 1], biggest):
            return 1
        start = stop
        stop = select(scores[s], k, kind(cut), biggest, block, indices, start)
        if n_in < lanes:
            multiply_gathered(given, given_values, first, last, weight_t, indices, start, stop,
                              values)
        else:
            for p in range(first, last):
                row[given[p]] = given_values[p]
            pieces = list_pieces(given, first, last, n_in, lanes, places, masks)
            multiply_pieces(row, 0, places, masks, 0, pieces, weights, n_in, indices, start, stop,
                            values, start)
            for p in range(first, last):
                row[given[p]] = kind(0)
        finish_open(scores[s], kind(temperature), binary, series, block, bias, code, indices,
                    start, stop, values, gates)
        offsets[s + 1] = stop
    return 0


@compiled()
def set_scores(
    given: Array, given_values: Array, first: int, last: int, down: Array, up: Array,
    score_bias: Array, every: Array, scores: Array,
) -> None:
    """Gate scores of one sample: the rows of its open inputs, and of no others, are added up."""
    if up.shape[0] == 0:
        listed_times_matrix(given_values, first, last - first, given, down, scores)
    else:
        lanes = VECTOR_BYTES // down.itemsize
        hidden = np.empty(max(down.shape[1], lanes), down.dtype)
        listed_times_matrix(given_values, first, last - first, given, down, hidden)
        listed_times_matrix(hidden, 0, up.shape[0], every, up, scores)
    for gate in range(score_bias.shape[0]):
        scores[gate] += score_bias[gate]


@compiled()
def linear_layer(
    offsets: Array, indices: Array, values: Array, weight: Array, base: Array, out: Array
) -> None:
    """``out (batch, n_out) = base + sum of value * weight[index]``; ``base (1, n_out)``."""
    for s in range(out.shape[0]):
        for o in range(out.shape[1]):
            out[s, o] = base[0, o]
        add_rows(weight, indices, values, offsets[s], offsets[s + 1], out, s)


@compiled()
def write_dense(offsets: Array, indices: Array, values: Array, out: Array) -> None:
    """A set as a dense ``(batch, n_units)``: closed neurons are 0."""
    out[:] = out.dtype.type(0)
    for s in range(out.shape[0]):
        for p in range(offsets[s], offsets[s + 1]):
            out[s, indices[p]] = values[p]
