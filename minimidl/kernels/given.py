"""Gated layers whose decision was made elsewhere: only what is open is run.

For gates that no kernel chooses by (routers of experts, layers with dead connections). Sample by
sample, the weights are whole rows (:func:`given_segment`) or compressed ones (:func:`given_wires`).
Many samples of one big block are gathered and multiplied as in ``batch.py`` (:func:`given_block`).
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.batch import add_crowd, finish, finish_relu
from minimidl.kernels.cpu import RELU, activate, add_rows, multiply_listed, multiply_rows
from minimidl.kernels.jit import compiled
from minimidl.kernels.products import product
from minimidl.kernels.tiles import VECTOR_BYTES, copy
from minimidl.kernels.wire_tiles import gather_dot
from minimidl.kernels.words import CROWD


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


@compiled()
def given_block(
    x: Array, samples: Array, gates: Array, weight_t: Array, bias: Array, light: Array, code: int,
    next_weight: Array, out: Array,
) -> None:
    """``out[s] += gate_s * (activation(x_s W + b) - light_s) @ next_weight`` for some samples.

    One block alone, so that its weights are read once per 64 of its own samples, not of the batch.

    Args:
        x: ``(batch, n_in)``, at least as wide as a register.
        samples: int64, numbers of samples; none twice.
        gates: one per sample in the list.
        weight_t: ``(block, n_in)``; the block is a multiple of four neurons.
        bias: ``(block,)``.
        light: ``(batch, block)``, or ``(0, 0)`` for the zero path.
        code: of the activation.
        next_weight: ``(block, n_out)``.
        out: ``(batch, n_out)``, changed in place.

    """
    n_in, n_out, block = x.shape[1], out.shape[1], bias.shape[0]
    inputs, own = x.reshape(x.size), np.empty((CROWD, n_in), x.dtype)
    lists, starts = np.empty((1, CROWD), np.uint8), np.zeros(2, np.int64)
    nothing, answers = np.zeros((1, n_out), x.dtype), np.empty((CROWD, n_out), x.dtype)
    own_light = np.empty((CROWD if light.shape[0] > 0 else 0, block), x.dtype)
    for s in range(CROWD):
        lists[0, s] = s
    for first in range(0, samples.shape[0], CROWD):
        count = min(CROWD, samples.shape[0] - first)
        starts[1] = count
        for s in range(count):
            copy(inputs, samples[first + s] * n_in, own.reshape(own.size), s * n_in, n_in)
            if light.shape[0] > 0:
                own_light[s] = light[samples[first + s]]
        values = product(own[:count], weight_t, lists, starts, block)
        if code == RELU and light.shape[0] == 0:
            finish_relu(bias, starts, block, gates[first:first + count], values)
        else:
            finish(bias, own_light, code, lists, starts, block, gates[first:first + count], values)
        add_crowd(next_weight, lists, starts, block, values, nothing, answers[:count])
        for s in range(count):
            for o in range(n_out):
                out[samples[first + s], o] += answers[s, o]
