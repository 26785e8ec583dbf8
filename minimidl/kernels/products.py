"""Products in the open places of up to 64 samples: panels of inputs meet lists of samples.

Inputs are taken in panels that fit into the first-level cache, and stay there while the weights of
all neurons stream by, each read once per 64 samples. Neurons are visited in the order of how many
samples they have: the processor then guesses right which size of tile comes next.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled
from minimidl.kernels.tiles import (
    BLOCK_ROWS,
    KEPT,
    TILE,
    VECTOR_BYTES,
    copy,
    dot_1,
    dot_4,
    dot_10,
    dot_block,
)
from minimidl.kernels.words import CROWD, order_by_count

BLOCK_TILE = TILE // BLOCK_ROWS
"""Samples, or registers of a row, that meet four neurons in a tile."""
AHEAD = 4
"""Neurons between asking for a piece of weights and using it."""
NEURONS = 256
"""Single neurons at a time: 1 MB of weights for a thousand inputs."""
LONGEST = 64
"""Registers of a row at a time where four neurons share a tile: 4 + 6 such rows are 40 kB.

For single neurons it is 10: 64 samples' inputs are 40 kB then, and a first-level cache 48 kB.
"""


@compiled()
def aligned(size: int, like: Array) -> Array:
    """Room for ``size`` numbers that starts at a multiple of a register's width."""
    room = np.empty(size + VECTOR_BYTES // like.itemsize, like.dtype)
    skip = (-room.ctypes.data % VECTOR_BYTES) // like.itemsize
    return room[skip:skip + size]


@compiled()
def fill_panel(x: Array, first: int, width: int, skip: int, panel: Array) -> None:
    """Inputs ``first`` to ``first + width`` of every sample side by side, the first few as 0."""
    n_in = x.shape[1]
    flat = x.reshape(x.size)
    for s in range(x.shape[0]):
        copy(flat, s * n_in + first, panel, s * width, width)
        for t in range(skip):
            panel[s * width + t] = x.dtype.type(0)


@compiled()
def row_panel(
    panel: Array, vectors: int, width: int, weights: Array, first: int, n_in: int, add: bool,
    lists: Array, starts: Array, order: Array, values: Array,
) -> None:
    """Multiply one panel of inputs with the weights of single neurons, in all open places.

    A neuron's piece of weights stays in ``vectors`` registers while its samples come by.
    """
    flat = lists.reshape(lists.size)
    for position in range(order.shape[0]):
        neuron = order[position]
        start, count = starts[neuron], starts[neuron + 1] - starts[neuron]
        piece, place = neuron * n_in + first, neuron * CROWD
        later = order[min(position + AHEAD, order.shape[0] - 1)] * n_in + first
        if vectors == 10:
            dot_10(weights, piece, later, panel, width, flat, place, count, values, start, add)
        elif vectors == 4:
            dot_4(weights, piece, later, panel, width, flat, place, count, values, start, add)
        else:
            dot_1(weights, piece, later, panel, width, flat, place, count, values, start, add)


@compiled()
def block_length(left: int, whole: int) -> int:
    """How many of ``left`` registers of a row the next panel takes where rows share tiles."""
    panels = (left + LONGEST - 1) // LONGEST
    return max(1, min(whole, (left + panels - 1) // panels))


@compiled()
def row_length(left: int, whole: int) -> int:
    """The same for single rows: 10, or the shortest kept length that takes all that is left."""
    best = 0
    for vectors in KEPT:  # from the longest to the shortest
        if vectors <= whole and (best == 0 or vectors >= left):
            best = vectors
    return best


@compiled()
def block_panel(
    panel: Array, width: int, weights: Array, first: int, n_in: int, add: bool,
    lists: Array, starts: Array, block: int, values: Array,
) -> None:
    """The same for blocks of a multiple of four neurons, four of them in one tile."""
    flat = lists.reshape(lists.size)
    most = BLOCK_TILE
    for gate in range(lists.shape[0]):
        start, left = starts[gate], starts[gate + 1] - starts[gate]
        place, parts = gate * CROWD, (left + most - 1) // most
        while left > 0:
            some = (left + parts - 1) // parts
            for i in range(0, block, BLOCK_ROWS):
                dot_block(weights, (gate * block + i) * n_in + first, n_in, panel, 0, width,
                          flat, place, some, width, values, start * block + i, block, add)
            start, place, left, parts = start + some, place + some, left - some, parts - 1


@compiled()
def multiply(
    x: Array, weight_t: Array, lists: Array, starts: Array, block: int, panel: Array,
    values: Array,
) -> None:
    """``values = x . w`` wherever a gate is open, some lists at a time.

    A few hundred neurons' weights stay in the second-level cache, and their pages in the table of
    pages, while one panel after the other asks for its piece of every row.
    """
    n_in = x.shape[1]
    weights, order = weight_t.reshape(weight_t.size), np.empty(NEURONS, np.int64)
    at_once = lists.shape[0] if block > 1 else NEURONS
    for first in range(0, lists.shape[0], at_once):
        stop = min(first + at_once, lists.shape[0])
        multiply_some(x, weights[first * block * n_in:], lists[first:stop], starts[first:stop + 1],
                      block, order, panel, values)


@compiled()
def multiply_some(
    x: Array, weights: Array, lists: Array, starts: Array, block: int, order: Array, panel: Array,
    values: Array,
) -> None:
    """The same for neighbouring lists, panel by panel.

    The last panel may reach back over inputs that were counted already; it holds 0 for those. So
    all panels are whole registers, and no neuron reads beyond its own weights.
    """
    n_in, lanes = x.shape[1], VECTOR_BYTES // x.itemsize
    first, whole = 0, n_in // lanes
    if block == 1:
        order = order[:lists.shape[0]]
        order_by_count(starts, order)
    while first < n_in:
        left = (n_in - first + lanes - 1) // lanes
        vectors = block_length(left, whole) if block > 1 else row_length(left, whole)
        width, here = vectors * lanes, min(first, n_in - vectors * lanes)
        fill_panel(x, here, width, first - here, panel)
        if block > 1:
            block_panel(panel, width, weights, here, n_in, first > 0, lists, starts, block, values)
        else:
            row_panel(panel, vectors, width, weights, here, n_in, first > 0, lists, starts, order,
                      values)
        first = here + width


@compiled()
def product(x: Array, weight_t: Array, lists: Array, starts: Array, block: int) -> Array:
    """``x . w`` in all open places, in room that starts at a register."""
    lanes = VECTOR_BYTES // x.itemsize
    longest = LONGEST if block > 1 else KEPT[0]
    panel = aligned(min(longest, x.shape[1] // lanes) * lanes * CROWD, x)
    values = aligned(starts[lists.shape[0]] * block, x)
    multiply(x, weight_t, lists, starts, block, panel, values)
    return values
