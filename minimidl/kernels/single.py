"""One sample, everything in one call: gate scores, selection, open rows, activation, next layer.

For one sample the clock is memory: what counts is to read the open neurons' weights and nothing
else, and to lose no time around it. So nothing returns to Python between the steps, six rows are
read at once, and the exponentials of all gate values are made in one sweep.

The scores are summed in another order than NumPy sums them. Where two gates differ by less than
that rounding at the cut, another of the two opens than in the layer's own ``decide``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cpu import activate, add_rows, multiply_listed
from minimidl.kernels.cut import all_finite, select
from minimidl.kernels.jit import compiled
from minimidl.kernels.sigmoid import exponentials
from minimidl.kernels.tiles import CHAINS, GROUP, TILE, VECTOR_BYTES, outer_long, outer_row


@compiled()
def listed_times_matrix(
    factors: Array, start: int, count: int, chosen: Array, matrix: Array, out: Array
) -> None:
    """``out = sum_i factors[i] matrix[chosen[i]]`` over ``count`` places from ``start`` on.

    Columns in pieces as wide as a tile; the last piece reaches back over columns already made. A
    matrix narrower than a register is read beyond its rows, into columns of ``out`` that nobody
    reads, but never beyond its end: ``out`` has room for one register at least. ``chosen`` ascends.
    """
    columns = matrix.shape[1]
    lanes = VECTOR_BYTES // factors.itemsize
    flat, first, safe = matrix.reshape(matrix.size), 0, count
    if columns < lanes:
        end = max(0, matrix.size - lanes + columns) // columns
        while safe > 0 and chosen[start + safe - 1] >= end:
            safe -= 1
    few = columns <= TILE // CHAINS * lanes
    most = TILE // CHAINS if few else GROUP
    whole = safe // CHAINS * CHAINS if few else 0
    if safe == 0:
        for column in range(columns):
            out[column] = factors.dtype.type(0)
    while first < columns:
        vectors = min(most, max(1, columns // lanes), (columns - first + lanes - 1) // lanes)
        here = max(0, min(first, columns - vectors * lanes))
        if whole > 0:
            outer_long(factors, start, 1, flat, here, columns, chosen, start, whole, vectors, out,
                       here, 0, False)
        if whole < safe:
            outer_row(factors, start + whole, 1, flat, here, columns, chosen, start + whole,
                      safe - whole, vectors, out, here, 0, whole > 0)
        first = here + vectors * lanes
    for i in range(start + safe, start + count):
        for column in range(columns):
            out[column] += factors[i] * matrix[chosen[i], column]


@compiled()
def gate_scores(
    x: Array, down: Array, up: Array, score_bias: Array, every: Array, scores: Array
) -> None:
    """``x @ down @ up + bias`` for one sample; ``up`` is empty where one matrix makes the scores.

    ``scores`` has room for one register at least.
    """
    if up.shape[0] == 0:
        listed_times_matrix(x, 0, x.shape[0], every, down, scores)
    else:
        hidden = np.empty(max(down.shape[1], VECTOR_BYTES // x.itemsize), x.dtype)
        listed_times_matrix(x, 0, x.shape[0], every, down, hidden)
        listed_times_matrix(hidden, 0, up.shape[0], every, up, scores)
    for gate in range(score_bias.shape[0]):
        scores[gate] += score_bias[gate]


@compiled()
def gate_rows(
    scores: Array, temperature: Any, series: Any, block: int, indices: Array, count: int,
    gates: Array,
) -> None:
    """``sigmoid(score / temperature)`` of every open neuron, one exponential per gate."""
    one = scores.dtype.type(1)
    opened = count // block
    room, e = np.empty(opened, scores.dtype), np.empty(opened, scores.dtype)
    for i in range(opened):
        room[i] = -scores[indices[i * block] // block] / temperature
    exponentials(room, series, e)
    for i in range(opened):
        e[i] = one / (one + e[i])
    for i in range(opened):
        for n in range(block):
            gates[i * block + n] = e[i]


@compiled()
def single_segment(
    x: Array, down: Array, up: Array, score_bias: Array, every: Array, k: int, cut: float,
    temperature: float, binary: bool, series: Any, block: int, weight_t: Array, bias: Array,
    code: int, next_weight: Array, base: Array, scores: Array, offsets: Array, indices: Array,
    out: Array,
) -> int:
    """``reference.neuron_segment`` without a light path, scores included, sample after sample.

    Args:
        x: ``(batch, n_in)``, at least one register wide.
        down: ``(n_in, rank)``, or ``(n_in, n_gates)`` with an empty ``up``.
        up: ``(rank, n_gates)``.
        score_bias: ``(n_gates,)``.
        every: int64 0, 1, 2 ... up to ``n_in`` or the rank, whichever is more.
        k: gates per sample, or 0: all above ``cut``.
        cut: used when ``k`` is 0.
        temperature: of the gate values.
        binary: gate values are 1.
        series: ``rows.series(dtype)``.
        block: neurons per gate.
        weight_t: ``(n_units, n_in)``.
        bias: ``(n_units,)``.
        code: of the activation.
        next_weight: ``(n_units, n_out)``.
        base: ``(1, n_out)``, the next layer's bias.
        scores: ``(batch, n_gates)``, filled; or all three of these empty, and nothing is kept.
        offsets: ``(batch + 1,)`` int64, filled.
        indices: one block longer than the open neurons, int64, filled.
        out: ``(batch, n_out)``, filled.

    Returns:
        0, or 1 when a score is NaN or infinite.

    """
    kind, n_in = x.dtype.type, x.shape[1]
    biggest = kind(1.7976931348623157e308 if x.itemsize == 8 else 3.4028234663852886e38)
    lanes, gated = VECTOR_BYTES // x.itemsize, score_bias.shape[0]
    room = np.empty(max(lanes, gated), x.dtype)
    rest, own = np.empty(lanes, x.dtype), room[:gated]
    values, gates = np.empty(weight_t.shape[0], x.dtype), np.empty(weight_t.shape[0], x.dtype)
    for t in range(lanes):  # loops, because every function of NumPy's is compiled, too
        rest[t] = kind(0)
    for i in range(gates.shape[0] if binary else 0):
        gates[i] = kind(1)
    keep, stop = offsets.shape[0] > 0, 0
    if keep:
        offsets[0] = 0
    else:
        indices = np.empty(weight_t.shape[0] + block, np.int64)
    for s in range(x.shape[0]):
        gate_scores(x[s], down, up, score_bias, every, room)
        if not all_finite(own.reshape(1, gated), biggest):
            return 1
        start = stop if keep else 0
        stop = select(own, k, kind(cut), biggest, block, indices, start)
        opened, count = indices[start:], stop - start
        for t in range(n_in // lanes * lanes, n_in):
            rest[lanes - n_in + t] = x[s, t]
        multiply_listed(x[s], weight_t, bias, opened, values, 0, count, rest)
        if not binary:
            gate_rows(own, kind(temperature), series, block, opened, count, gates)
        for i in range(count):
            values[i] = gates[i] * activate(values[i], code)
        for o in range(out.shape[1]):
            out[s, o] = base[0, o]
        add_rows(next_weight, opened, values, 0, count, out, s)
        if keep:
            for gate in range(gated):
                scores[s, gate] = own[gate]
            offsets[s + 1] = stop
    return 0
