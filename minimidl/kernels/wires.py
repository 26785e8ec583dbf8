"""Compressed rows in Numba: dead connections are neither read nor multiplied.

One sample goes neuron by neuron and gathers the inputs of each. Many samples are turned round
first, up to four registers of them at a time, so that every input is a row of samples; a live
connection then is one number times such a row, and nothing is gathered. Three things matter there:

* inputs are taken in panels that stay in the first-level cache, and compressed rows are cut the
  same way: what a panel needs of all neurons follows each other in memory;
* within a panel, neurons come in the order of how many connections they have there: the processor
  then guesses right when a list ends;
* rows turn into columns register by register, not number by number.

Serial and deterministic. A sample's last bits may depend on how many others come with it.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cpu import RELU, activate
from minimidl.kernels.jit import compiled
from minimidl.kernels.products import aligned
from minimidl.kernels.tiles import VECTOR_BYTES
from minimidl.kernels.wire_tiles import gather_dot, sum_1, sum_2, sum_4, turn

WIDEST = 4
"""Registers of samples at a time."""
PANEL_BYTES = 40_960
"""Of turned inputs: what leaves room for everything else in a first-level cache of 48 kB."""


def panel_inputs() -> int:
    """Inputs per panel, in both dtypes: so many rows of four registers fill one."""
    return PANEL_BYTES // (WIDEST * VECTOR_BYTES)


@compiled()
def finish_row(bias: Array, code: int, values: Array, place: int) -> None:
    """``activation(value + bias)`` of every neuron of one sample, in place."""
    zero = values.dtype.type(0)
    for j in range(bias.shape[0]):
        u = values[place + j] + bias[j]
        values[place + j] = (zero if u < zero else u) if code == RELU else activate(u, code)


@compiled(nogil=True)
def wire_rows(
    x: Array, starts: Array, columns: Array, weights: Array, bias: Array, code: int, out: Array
) -> None:
    """As ``wires_reference.wires``, sample by sample; every list fills whole registers.

    Lists are filled up with connections to input 0 whose weight is 0.
    """
    inputs, answers = x.reshape(x.size), out.reshape(out.size)
    for s in range(x.shape[0]):
        place = s * bias.shape[0]
        for j in range(bias.shape[0]):
            count = starts[j + 1] - starts[j]
            if count > 0:
                gather_dot(inputs, s * x.shape[1], columns, weights, starts[j], count, answers,
                           place + j)
            else:
                answers[place + j] = x.dtype.type(0)
        finish_row(bias, code, answers, place)


@compiled()
def fill_turned(
    x: Array, sample: int, first: int, stop: int, wide: int, panel: Array
) -> None:
    """Inputs ``first`` to ``stop`` of the samples from ``sample`` on, one row per input.

    Samples that are not there count as 0.
    """
    lanes, n_in = VECTOR_BYTES // x.itemsize, x.shape[1]
    width, inputs = wide * lanes, x.reshape(x.size)
    for here in range(0, width, lanes):
        there = min(lanes, x.shape[0] - sample - here)
        if there == lanes and stop - first >= lanes:
            for t in range(first, stop, lanes):  # the last square reaches back
                column = min(t, stop - lanes)
                turn(inputs, (sample + here) * n_in + column, n_in, panel,
                     (column - first) * width + here, width)
            continue
        for t in range(first, stop):
            for s in range(lanes):
                inside = s < there
                panel[(t - first) * width + here + s] = (
                    x[sample + here + s, t] if inside else x.dtype.type(0))


@compiled()
def write_turned(totals: Array, sample: int, wide: int, out: Array) -> None:
    """Rows of ``totals``, one per neuron, to the columns of ``out``; the inverse of the above."""
    lanes, n_units = VECTOR_BYTES // out.itemsize, out.shape[1]
    width, answers = wide * lanes, out.reshape(out.size)
    for here in range(0, width, lanes):
        there = min(lanes, out.shape[0] - sample - here)
        if there == lanes and n_units >= lanes:
            for t in range(0, n_units, lanes):
                neuron = min(t, n_units - lanes)
                turn(totals, neuron * width + here, width, answers,
                     (sample + here) * n_units + neuron, n_units)
            continue
        for s in range(there):
            for j in range(n_units):
                out[sample + here + s, j] = totals[j * width + here + s]


@compiled()
def finish_turned(totals: Array, code: int) -> None:
    """The activation of every sum, in place."""
    zero = totals.dtype.type(0)
    if code == RELU:
        for i in range(totals.shape[0]):
            totals[i] = zero if totals[i] < zero else totals[i]
    elif code != 0:
        for i in range(totals.shape[0]):
            totals[i] = activate(totals[i], code)


@compiled()
def sum_panel(
    panel: Array, wide: int, order: Array, starts: Array, columns: Array, weights: Array,
    totals: Array,
) -> None:
    """Add what the connections of one panel contribute to all neurons."""
    width = wide * (VECTOR_BYTES // totals.itemsize)
    for position in range(order.shape[0]):
        first, place = starts[position], np.int64(order[position]) * width
        count = starts[position + 1] - first
        if wide == 4:
            sum_4(panel, columns, weights, first, count, totals, place)
        elif wide == 2:
            sum_2(panel, columns, weights, first, count, totals, place)
        else:
            sum_1(panel, columns, weights, first, count, totals, place)


@compiled(nogil=True)
def wire_panels(
    x: Array, inputs: int, order: Array, starts: Array, columns: Array, weights: Array,
    bias: Array, code: int, out: Array,
) -> None:
    """As ``wires_reference.wires``, for many samples.

    Args:
        x: ``(batch, n_in)``.
        inputs: per panel.
        order: ``(n_panels, n_units)`` int32: in which order neurons come.
        starts: ``(n_panels, n_units + 1)`` int64: where the list of each begins, in that order.
        columns: int32, counted from the first input of the panel.
        weights: one per column.
        bias: ``(n_units,)``.
        code: of the activation.
        out: ``(batch, n_units)``, filled.

    """
    lanes, n_units, sample = VECTOR_BYTES // x.itemsize, bias.shape[0], 0
    room = aligned(n_units * WIDEST * lanes, x)
    panel = aligned(min(inputs, x.shape[1]) * WIDEST * lanes, x)
    while sample < x.shape[0]:
        left = x.shape[0] - sample
        wide = 4 if left > 3 * lanes else 2 if left > lanes else 1
        width = wide * lanes
        totals = room[:n_units * width]
        for j in range(n_units):
            for s in range(width):
                totals[j * width + s] = bias[j]
        for p in range(order.shape[0]):
            first = p * inputs
            fill_turned(x, sample, first, min(first + inputs, x.shape[1]), wide, panel)
            sum_panel(panel, wide, order[p], starts[p], columns, weights, totals)
        finish_turned(totals, code)
        write_turned(totals, sample, wide, out)
        sample += width
