"""One sample, everything in one call: gate scores, selection, open rows, activation, next layer.

For one sample the clock is memory: what counts is to read the open neurons' weights and nothing
else, and to lose no time around it. So nothing returns to Python between the steps, eight rows are
read at once, and the exponentials of all gate values are made in one sweep.

The scores are summed in another order than NumPy sums them. Where two gates differ by less than
that rounding at the cut, another of the two opens than in the layer's own ``decide``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cpu import activate, add_rows, all_finite, multiply_listed, select
from minimidl.kernels.jit import compiled
from minimidl.kernels.sigmoid import exponentials
from minimidl.kernels.tiles import CHAINS, TILE, VECTOR_BYTES, outer_long, outer_row


@compiled()
def row_times_matrix(row: Array, matrix: Array, every: Array, out: Array) -> None:
    """``out = row @ matrix``; ``every`` counts 0, 1, 2 ... as far as the matrix has rows.

    Columns in pieces as wide as a tile; the last piece reaches back over columns already made.
    """
    n, columns = matrix.shape
    lanes = VECTOR_BYTES // row.itemsize
    flat, whole = matrix.reshape(matrix.size), n // CHAINS * CHAINS
    most = TILE // CHAINS if columns <= TILE // CHAINS * lanes else TILE
    first = 0
    while first < columns:
        vectors = min(most, (columns - first + lanes - 1) // lanes)
        here = min(first, columns - vectors * lanes)
        if most < TILE and whole > 0:
            outer_long(row, 0, 1, flat, here, columns, every, 0, whole, vectors, out, here, 0,
                       False)
            if whole < n:
                outer_row(row, whole, 1, flat, here, columns, every, whole, n - whole, vectors,
                          out, here, 0, True)
        else:
            outer_row(row, 0, 1, flat, here, columns, every, 0, n, vectors, out, here, 0, False)
        first = here + vectors * lanes


@compiled()
def gate_scores(
    x: Array, down: Array, up: Array, score_bias: Array, every: Array, scores: Array
) -> None:
    """``x @ down @ up + bias`` for one sample; ``up`` is empty where one matrix makes the scores."""
    if up.shape[0] == 0:
        row_times_matrix(x, down, every, scores)
    else:
        hidden = np.empty(down.shape[1], x.dtype)
        row_times_matrix(x, down, every, hidden)
        row_times_matrix(hidden, up, every, scores)
    for gate in range(scores.shape[0]):
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
    code: int, next_weight: Array, base: Array, out: Array,
) -> int:
    """``reference.neuron_segment`` without a light path, scores included, sample after sample.

    Args:
        x: ``(batch, n_in)``; it, the rank and the gates at least one register wide.
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
        out: ``(batch, n_out)``, filled.

    Returns:
        0, or 1 when a score is NaN or infinite.

    """
    kind, n_in = x.dtype.type, x.shape[1]
    biggest = kind(1.7976931348623157e308 if x.itemsize == 8 else 3.4028234663852886e38)
    lanes, gated = VECTOR_BYTES // x.itemsize, score_bias.shape[0]
    rest, scores = np.zeros(lanes, x.dtype), np.empty((1, gated), x.dtype)
    room = (k if k > 0 else gated) * block + block
    indices, values = np.empty(room, np.int64), np.empty(room, x.dtype)
    gates = np.ones(room, x.dtype)
    for s in range(x.shape[0]):
        gate_scores(x[s], down, up, score_bias, every, scores[0])
        if not all_finite(scores, biggest):
            return 1
        count = select(scores[0], k, kind(cut), biggest, block, indices, 0)
        for t in range(n_in // lanes * lanes, n_in):
            rest[lanes - n_in + t] = x[s, t]
        multiply_listed(x[s], weight_t, bias, indices, values, 0, count, rest)
        if not binary:
            gate_rows(scores[0], kind(temperature), series, block, indices, count, gates)
        for i in range(count):
            values[i] = gates[i] * activate(values[i], code)
        for o in range(out.shape[1]):
            out[s, o] = base[0, o]
        add_rows(next_weight, indices, values, 0, count, out, s)
    return 0
