"""What the kernels would be without their tricks: the "before" of :mod:`minimidl.bench.tricks`.

Nothing runs a model by these. Each is the kernel of the same purpose with one thing undone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.cpu import sigmoid
from minimidl.kernels.jit import compiled
from minimidl.kernels.products import fill_panel, row_length, row_panel
from minimidl.kernels.sigmoid import exponentials
from minimidl.kernels.tile_code import GROUP
from minimidl.kernels.tiles import VECTOR_BYTES, dot_row
from minimidl.kernels.words import CROWD


@compiled()
def listed_dots(
    weights: Array, first: int, n_in: int, inputs: Array, stride: int, width: int, lists: Array,
    starts: Array, order: Array, add: bool, values: Array,
) -> None:
    """``values (+)= x . w`` in all open places; every weight is loaded again for every tile.

    Args:
        weights: all of them, flat; a neuron's lie ``n_in`` apart.
        first: from where on in each neuron's row.
        n_in: see ``weights``.
        inputs: flat; a sample's lie ``stride`` apart.
        stride: see ``inputs``.
        width: how many are multiplied; a multiple of a register.
        lists: ``(n_units, 64)`` samples of every neuron.
        starts: ``(n_units + 1,)``.
        order: of the neurons.
        add: to what ``values`` holds.
        values: one per open place.

    """
    flat = lists.reshape(lists.size)
    for position in range(order.shape[0]):
        neuron = order[position]
        start, count = starts[neuron], starts[neuron + 1] - starts[neuron]
        for done in range(0, count, GROUP):
            dot_row(weights, neuron * n_in + first, 0, inputs, 0, stride, flat,
                    neuron * CROWD + done, min(GROUP, count - done), width, values, start + done,
                    1, add)


@compiled()
def panelled(
    x: Array, weight_t: Array, lists: Array, starts: Array, order: Array, kept: bool,
    panel: Array, values: Array,
) -> None:
    """``batch.multiply`` of single neurons in the order given.

    ``kept``: the piece of weights stays in registers, as it does there.
    """
    n_in, lanes = x.shape[1], VECTOR_BYTES // x.itemsize
    weights, first, whole = weight_t.reshape(weight_t.size), 0, n_in // lanes
    while first < n_in:
        vectors = row_length((n_in - first + lanes - 1) // lanes, whole)
        width, here = vectors * lanes, min(first, n_in - vectors * lanes)
        fill_panel(x, here, width, first - here, panel)
        if kept:
            row_panel(panel, vectors, width, weights, here, n_in, first > 0, lists, starts, order,
                      values)
        else:
            listed_dots(weights, here, n_in, panel, width, width, lists, starts, order, first > 0,
                        values)
        first = here + width


@compiled()
def collect(scores: Array, stride: int, lists: Array, starts: Array, room: Array) -> None:
    """Scores of all open places, gate by gate, from rows that are ``stride`` numbers apart."""
    for gate in range(lists.shape[0]):
        start = starts[gate]
        for i in range(starts[gate + 1] - start):
            room[start + i] = scores[np.int64(lists[gate, i]) * stride + gate]


@compiled()
def sigmoids(scores: Array, gates: Array) -> None:
    """``sigmoid`` of every score, one after the other, by the C library's exponential."""
    for i in range(scores.shape[0]):
        gates[i] = sigmoid(scores[i])


@compiled()
def swept_sigmoids(scores: Array, series: Any, room: Array, gates: Array) -> None:
    """The same, all exponentials in one sweep: what ``batch.gate_values`` does."""
    one = scores.dtype.type(1)
    for i in range(scores.shape[0]):
        room[i] = -scores[i]
    exponentials(room, series, gates)
    for i in range(scores.shape[0]):
        gates[i] = one / (one + gates[i])


@compiled()
def strict_sum(values: Array) -> Any:
    """The sum in the order written: one addition waits for the other."""
    total = values.dtype.type(0)
    for i in range(values.shape[0]):
        total += values[i]
    return total


@compiled(reassociate=True)
def free_sum(values: Array) -> Any:
    """The same with leave to reorder."""
    total = values.dtype.type(0)
    for i in range(values.shape[0]):
        total += values[i]
    return total
