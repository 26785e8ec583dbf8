"""The truth for gated layers in a row, in plain loops; sums run in float64 and are rounded once.

    score_g = b_g + sum over open inputs i of value_i * (down up)[i, g]
    value_j = gate_j * activation(b_j + sum over open inputs i of value_i w_ji)   for every open j
    out     = base + sum over open j of value_j * weight[j]

Closed inputs are zero, so nothing is lost by leaving their columns out: no closed column and no
closed row is read. A set is ``(offsets, indices, values)`` as in :mod:`minimidl.kernels.chain`.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.reference import (
    DONE,
    NOT_FINITE,
    activate,
    select_above,
    select_topk,
    sigmoid,
)

Set = tuple[Array, Array, Array]


def dense_set(x: Array) -> Set:
    """A dense input as a set in which every neuron is open."""
    batch, n_in = x.shape
    return np.arange(batch + 1) * n_in, np.tile(np.arange(n_in), batch), x.ravel()


def set_scores(given: Set, down: Array, up: Array, score_bias: Array, scores: Array) -> None:
    """Fill gate scores ``(batch, n_gates)``; ``up`` is empty where one matrix makes them."""
    offsets, indices, values = given
    for s in range(len(scores)):
        hidden = [0.0] * down.shape[1]
        for p in range(offsets[s], offsets[s + 1]):
            for r in range(len(hidden)):
                hidden[r] += float(values[p]) * float(down[indices[p], r])
        for g in range(len(score_bias)):
            product = (sum(h * float(up[r, g]) for r, h in enumerate(hidden)) if len(up)
                       else hidden[g])
            scores[s, g] = product + float(score_bias[g])


def open_layer(
    given: Set, scores: Array, k: int, cut: float, temperature: float, binary: bool, block: int,
    weight_t: Array, bias: Array, code: int, offsets: Array, indices: Array, values: Array,
) -> int:
    """Open a layer of a set; arguments and answer as :func:`minimidl.kernels.chain.next_layer`."""
    if not all(math.isfinite(z) for row in scores for z in row):
        return NOT_FINITE
    starts, inputs, given_values = given
    offsets[0] = position = 0
    for s in range(len(scores)):
        for chosen in select_topk(scores[s], k) if k else select_above(scores[s], cut):
            gate = 1.0 if binary else sigmoid(float(scores[s, chosen]) / temperature)
            for neuron in range(chosen * block, (chosen + 1) * block):
                u = float(bias[neuron])
                for p in range(starts[s], starts[s + 1]):
                    u += float(given_values[p]) * float(weight_t[neuron, inputs[p]])
                indices[position], values[position] = neuron, gate * activate(u, code)
                position += 1
        offsets[s + 1] = position
    return DONE


def linear_layer(given: Set, weight: Array, base: Array, out: Array) -> None:
    """``out (batch, n_out) = base + sum of value * weight[index]``; ``base (1, n_out)``."""
    offsets, indices, values = given
    for s in range(len(out)):
        total = [float(b) for b in base[0]]
        for p in range(offsets[s], offsets[s + 1]):
            total = [t + float(values[p]) * float(w)
                     for t, w in zip(total, weight[indices[p]], strict=True)]
        out[s] = total
