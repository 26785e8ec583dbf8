"""The neuron kernel in Numba: reads the weights of the open neurons and no others.

The tricks, each of which can be read off one function:

* the k best scores are found by counting, not by sorting (:mod:`minimidl.kernels.cut`);
* several weight rows are multiplied at once, so that every number of ``x`` is loaded once for all
  of them and their sums hide each other's latency (:func:`multiply_listed`; :func:`multiply_rows`
  for inputs narrower than a register);
* the next layer is added row by row, while the values are still in the cache (:func:`add_rows`).

Constants are converted to the dtype of the arrays, because Numba would turn float32 times 0.5 into
float64. Arrays are C-contiguous; the caller sees to it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cut import all_finite, select
from minimidl.kernels.jit import compiled
from minimidl.kernels.tiles import VECTOR_BYTES, dot_row

ROWS = 6
"""Weight rows at a time for one sample: more streams than that the processor cannot foresee."""
LINEAR, RELU, TANH, SIGMOID, GELU = 0, 1, 2, 3, 4
"""As in ``reference.ACTIVATION_CODES``; the sixth, the tanh form of GELU, is what remains."""


@compiled()
def sigmoid(u: Any) -> Any:
    """``1 / (1 + exp(-u))``, dtype kept, no overflow."""
    one = type(u)(1)
    small = type(u)(math.exp(-abs(u)))
    return (one if u >= 0 else small) / (one + small)


@compiled()
def activate(u: Any, code: int) -> Any:
    """One activation by its code, dtype kept."""
    kind = type(u)
    if code == RELU:
        return kind(0) if u < 0 else u
    if code == LINEAR:
        return u
    if code == TANH:
        return kind(math.tanh(u))
    if code == SIGMOID:
        return sigmoid(u)
    if code == GELU:
        return kind(0.5) * u * (kind(1) + kind(math.erf(u * kind(0.7071067811865476))))
    cubic = u + kind(0.044715) * u * u * u
    return kind(0.5) * u * (kind(1) + kind(math.tanh(kind(0.7978845608028654) * cubic)))


@compiled(reassociate=True)
def multiply_rows(
    x: Array, weight_t: Array, bias: Array, indices: Array, values: Array, start: int, stop: int
) -> None:
    """``values = x . w + b`` of one sample's open neurons, four rows of weights at a time.

    A rest of one to three is filled up with its last neuron. The inner loop indexes the matrix
    itself: a view of each row would be counted and released, which costs more than the product.
    """
    last = stop - 1
    for p in range(start, stop, 4):
        q, r, s = min(p + 1, last), min(p + 2, last), min(p + 3, last)
        i, j, m, n = indices[p], indices[q], indices[r], indices[s]
        dot_i = dot_j = dot_m = dot_n = x.dtype.type(0)
        for t in range(x.shape[0]):
            dot_i += x[t] * weight_t[i, t]
            dot_j += x[t] * weight_t[j, t]
            dot_m += x[t] * weight_t[m, t]
            dot_n += x[t] * weight_t[n, t]
        values[p], values[q] = dot_i + bias[i], dot_j + bias[j]
        values[r], values[s] = dot_m + bias[m], dot_n + bias[n]


@compiled()
def finish_values(
    scores: Array, temperature: Any, binary: bool, block: int, light: Array, code: int,
    indices: Array, values: Array, start: int, stop: int,
) -> None:
    """``gate * (activation(value) - light)`` of one sample's open neurons, in place.

    The gate is 1 or ``sigmoid(score / temperature)``; ``light (n_units,)`` may be empty.
    """
    gate = scores.dtype.type(1)
    for first in range(start, stop, block):
        if not binary:  # one division per block, and none for single neurons: they are slow
            own = indices[first] if block == 1 else indices[first] // block
            gate = sigmoid(scores[own] / temperature)
        for position in range(first, first + block):
            full = activate(values[position], code)
            if light.shape[0] > 0:
                full -= light[indices[position]]
            values[position] = gate * full


@compiled()
def multiply_listed(
    x: Array, weight_t: Array, bias: Array, indices: Array, values: Array, start: int, stop: int,
    rest: Array,
) -> None:
    """The same with register tiles, for inputs at least as wide as a register.

    ``rest`` holds what is left of ``x`` behind its last whole register: its last register, with
    those inputs set to 0 that were counted already.
    """
    n_in, lanes = x.shape[0], VECTOR_BYTES // x.itemsize
    weights, whole = weight_t.reshape(weight_t.size), n_in // lanes * lanes
    row, first, length = x, 0, whole
    for part in range(1 + (whole < n_in)):  # one place in the code: a tile takes long to compile
        if part == 1:
            row, first, length = rest, n_in - lanes, lanes
        for p in range(start, stop, ROWS):
            dot_row(row, 0, 0, weights, first, n_in, indices, p, min(ROWS, stop - p), length,
                    values, p, 1, part == 1)
    for p in range(start, stop):
        values[p] += bias[indices[p]]


@compiled(reassociate=True)
def add_rows(
    next_weight: Array, indices: Array, values: Array, start: int, stop: int, out: Array, s: int
) -> None:
    """``out[s] += values @ next_weight[indices]`` for one sample, four rows at a time."""
    whole = start + (stop - start) // 4 * 4
    for p in range(start, whole, 4):
        i, j, m, n = indices[p], indices[p + 1], indices[p + 2], indices[p + 3]
        vi, vj, vm, vn = values[p], values[p + 1], values[p + 2], values[p + 3]
        for o in range(out.shape[1]):
            out[s, o] += ((vi * next_weight[i, o] + vj * next_weight[j, o])
                          + (vm * next_weight[m, o] + vn * next_weight[n, o]))
    for p in range(whole, stop):
        for o in range(out.shape[1]):
            out[s, o] += values[p] * next_weight[indices[p], o]


@compiled()
def neuron_segment(
    x: Array, scores: Array, k: int, cut: float, temperature: float, binary: bool, block: int,
    weight_t: Array, bias: Array, light: Array, code: int, next_weight: Array, base: Array,
    offsets: Array, indices: Array, values: Array, out: Array,
) -> int:
    """Select, run, add: one call per batch, sample after sample; ``reference.neuron_segment``.

    Serial and deterministic. No NaN can decide anything: the scores are checked first.
    """
    kind = scores.dtype.type
    biggest = kind(1.7976931348623157e308 if scores.itemsize == 8 else 3.4028234663852886e38)
    typed_cut, typed_temperature = kind(cut), kind(temperature)
    if not all_finite(scores, biggest):
        return 1
    n_in, lanes = x.shape[1], VECTOR_BYTES // x.itemsize
    rest = np.zeros(lanes, x.dtype)
    offsets[0] = stop = 0
    for s in range(x.shape[0]):
        start, own = stop, scores[s]
        own_light = light[s] if light.shape[0] > 0 else bias[:0]
        stop = select(own, k, typed_cut, biggest, block, indices, start)
        if n_in < lanes:
            multiply_rows(x[s], weight_t, bias, indices, values, start, stop)
        else:
            for t in range(n_in // lanes * lanes, n_in):
                rest[lanes - n_in + t] = x[s, t]
            multiply_listed(x[s], weight_t, bias, indices, values, start, stop, rest)
        finish_values(own, typed_temperature, binary, block, own_light, code, indices, values,
                      start, stop)
        base_row = s if base.shape[0] == x.shape[0] else 0
        for o in range(out.shape[1]):
            out[s, o] = base[base_row, o]
        add_rows(next_weight, indices, values, start, stop, out, s)
        offsets[s + 1] = stop
    return 0
