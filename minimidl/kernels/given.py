"""Gated layers whose decision was made elsewhere, sample by sample: only what is open is run.

For gates that no kernel chooses by (routers of experts, layers with dead connections). The weights
are whole rows (:func:`given_segment`) or compressed ones (:func:`given_wires`).
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cpu import activate, add_rows, multiply_listed, multiply_rows
from minimidl.kernels.jit import compiled
from minimidl.kernels.tiles import VECTOR_BYTES
from minimidl.kernels.wire_tiles import gather_dot


@compiled()
def list_units(chosen: Array, start: int, stop: int, block: int, units: Array) -> int:
    """The neurons of some gates; how many they are."""
    count = 0
    for p in range(start, stop):
        for i in range(block):
            units[count] = chosen[p] * block + i
            count += 1
    return count


@compiled()
def finish_given(
    s: int, start: int, count: int, gates: Array, block: int, light: Array, code: int,
    next_weight: Array, base: Array, units: Array, values: Array, out: Array,
) -> None:
    """Activation, light path and gate of one sample's open neurons, and the next layer's rows."""
    for i in range(count):
        full = activate(values[i], code)
        if light.shape[0] > 0:
            full -= light[s, units[i]]
        values[i] = gates[start + i // block] * full
    row = s if base.shape[0] > 1 else 0
    for o in range(out.shape[1]):
        out[s, o] = base[row, o]
    add_rows(next_weight, units, values, 0, count, out, s)


@compiled()
def last_register(x: Array, s: int, rest: Array) -> None:
    """What ``multiply_listed`` wants of the inputs behind the last whole register."""
    lanes, n_in = rest.shape[0], x.shape[1]
    for t in range(n_in // lanes * lanes, n_in):
        rest[lanes - n_in + t] = x[s, t]


@compiled()
def given_segment(
    x: Array, offsets: Array, chosen: Array, gates: Array, block: int, weight_t: Array,
    bias: Array, light: Array, code: int, next_weight: Array, base: Array, out: Array,
) -> None:
    """As ``wires_reference.given_segment``, with the weights as whole rows ``(n_units, n_in)``."""
    units, values = np.empty(bias.shape[0], np.int64), np.empty(bias.shape[0], x.dtype)
    rest = np.zeros(VECTOR_BYTES // x.itemsize, x.dtype)
    for s in range(x.shape[0]):
        start = offsets[s]
        count = list_units(chosen, start, offsets[s + 1], block, units)
        if x.shape[1] < rest.shape[0]:
            multiply_rows(x[s], weight_t, bias, units, values, 0, count)
        else:
            last_register(x, s, rest)
            multiply_listed(x[s], weight_t, bias, units, values, 0, count, rest)
        finish_given(s, start, count, gates, block, light, code, next_weight, base, units, values,
                     out)


@compiled()
def given_wires(
    x: Array, offsets: Array, chosen: Array, gates: Array, block: int, starts: Array,
    columns: Array, weights: Array, bias: Array, light: Array, code: int, next_weight: Array,
    base: Array, out: Array,
) -> None:
    """As ``wires_reference.given_segment``; every list fills whole registers."""
    units, values = np.empty(bias.shape[0], np.int64), np.empty(bias.shape[0], x.dtype)
    inputs = x.reshape(x.size)
    for s in range(x.shape[0]):
        start = offsets[s]
        count = list_units(chosen, start, offsets[s + 1], block, units)
        for i in range(count):
            j = units[i]
            many = starts[j + 1] - starts[j]
            if many > 0:
                gather_dot(inputs, s * x.shape[1], columns, weights, starts[j], many, values, i)
                values[i] += bias[j]
            else:
                values[i] = bias[j]
        finish_given(s, start, count, gates, block, light, code, next_weight, base, units, values,
                     out)
