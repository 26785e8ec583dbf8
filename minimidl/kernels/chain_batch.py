"""Gated layers in a row, gate by gate: many samples at once, 64 to a word.

Between the layers stands a dense ``hidden (batch, n_units)`` in which closed neurons are 0. How the
next layer takes it depends on what opened it:

* *skipped*: where a gate opens whole registers of neurons, and the layer's own neurons come four
  or more to a gate, every sample has a list of its open registers, and the product reads no other
  column. Eight rows of weights stay in the first-level cache while their samples come by;
* *masked*: else nearly every register holds an open neuron, and the product of the batch kernel
  takes all of them: the columns of closed neurons are multiplied, as zeros. Closed rows are
  skipped in either case.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.batch import add_crowd, finish_crowd
from minimidl.kernels.columns import multiply_pieces
from minimidl.kernels.jit import compiled
from minimidl.kernels.products import product
from minimidl.kernels.tile_code import GROUP
from minimidl.kernels.tiles import BLOCK_ROWS, VECTOR_BYTES
from minimidl.kernels.words import CROWD, list_samples


@compiled()
def open_registers(words: Array, block: int, lanes: int, places: Array, counts: Array) -> None:
    """The registers that every sample opened: ``places[s, :counts[s]]``, first columns, ascending.

    Args:
        words: ``(ceil(batch / 64), n_gates)`` of the layer before.
        block: its neurons per gate, a multiple of ``lanes``.
        lanes: numbers in a register.
        places: ``(batch, n_units / lanes)`` int64, filled.
        counts: ``(batch,)`` int64, filled.

    """
    for s in range(counts.shape[0]):
        word, bit, count = words[s // CROWD], np.uint64(s % CROWD), 0
        for gate in range(word.shape[0]):
            if (word[gate] >> bit) & np.uint64(1):
                for first in range(gate * block, (gate + 1) * block, lanes):
                    places[s, count] = first
                    count += 1
        counts[s] = count


@compiled()
def skipping_product(
    x: Array, places: Array, counts: Array, weight_t: Array, lists: Array, starts: Array,
    block: int,
) -> Array:
    """``x . w`` in all open places, over the open registers of every sample."""
    n_in, most = x.shape[1], places.shape[1]
    inputs, weights, flat = x.reshape(x.size), weight_t.reshape(weight_t.size), np.ravel(places)
    values = np.empty(starts[lists.shape[0]] * block, x.dtype)
    whole, rows = np.full(places.size, 0xFFFF, np.uint16), np.arange(weight_t.shape[0])
    for gate in range(lists.shape[0]):
        samples = starts[gate + 1] - starts[gate]
        for first in range(0, block, GROUP):
            last = min(first + GROUP, block)
            for i in range(samples):
                s = np.int64(lists[gate, i])
                multiply_pieces(
                    inputs, s * n_in, flat, whole, s * most, counts[s], weights, n_in, rows,
                    gate * block + first, gate * block + last, values,
                    (starts[gate] + i) * block + first)
    return values


@compiled()
def crowd_values(
    x: Array, places: Array, counts: Array, scores: Array, words: Array, block: int,
    per_gate: int, temperature: float, binary: bool, series: Any, weight_t: Array, bias: Array,
    code: int, lists: Array, starts: Array,
) -> Array:
    """Lists and values of one word of samples; ``counts`` is empty where nothing is skipped."""
    list_samples(words, lists, starts)
    if counts.shape[0] > 0:
        values = skipping_product(x, places, counts, weight_t, lists, starts, block)
    else:
        values = product(x, weight_t, lists, starts, block)
    finish_crowd(scores, per_gate, temperature, binary, series, bias, x[:0], code, lists, starts,
                 block, values)
    return values


@compiled(nogil=True)
def batch_layer(
    x: Array, places: Array, counts: Array, scores: Array, words: Array, block: int,
    temperature: float, binary: bool, series: Any, weight_t: Array, bias: Array, code: int,
    next_weight: Array, base: Array, out: Array,
) -> None:
    """Run one gated layer of a chain, and the linear layer behind it if there is one.

    Args:
        x: ``(batch, n_in)``, at least as wide as one register; closed inputs are 0.
        places: ``(batch, registers)`` of :func:`open_registers`, or empty: nothing is skipped.
        counts: ``(batch,)``, or empty. Only for ``block`` a multiple of 4.
        scores: ``(batch, n_gates)``.
        words: ``(ceil(batch / 64), n_gates)``, who opened what.
        block: neurons per gate.
        temperature: of the gate values.
        binary: gate values are 1.
        series: ``rows.series(dtype)``.
        weight_t: ``(n_units, n_in)``.
        bias: ``(n_units,)``.
        code: of the activation.
        next_weight: ``(n_units, n_out)`` of the linear layer; empty where there is none.
        base: ``(1, n_out)``, its bias.
        out: ``(batch, n_out)``, or without a linear layer ``(batch, n_units)``; filled.

    """
    together = block if block % BLOCK_ROWS == 0 else 1  # neurons that share a list
    for c in range(words.shape[0]):
        here, stop = c * CROWD, min((c + 1) * CROWD, x.shape[0])
        own = np.repeat(words[c], block // together)
        lists = np.empty((own.shape[0], CROWD), np.uint8)
        starts = np.empty(own.shape[0] + 1, np.int64)
        values = crowd_values(
            x[here:stop], places[here:stop], counts[here:stop], scores[here:stop], own, together,
            block // together, temperature, binary, series, weight_t, bias, code, lists, starts)
        if next_weight.shape[0] > 0:
            add_crowd(next_weight, lists, starts, together, values, base, out[here:stop])
        else:
            write_crowd(lists, starts, together, values, out[here:stop])


@compiled()
def write_crowd(lists: Array, starts: Array, block: int, values: Array, out: Array) -> None:
    """The values of open places as a dense ``(samples, n_units)``; closed neurons are 0."""
    out[:] = out.dtype.type(0)
    for gate in range(lists.shape[0]):
        for i in range(starts[gate], starts[gate + 1]):
            s = np.int64(lists[gate, i - starts[gate]])
            for n in range(block):
                out[s, gate * block + n] = values[i * block + n]


def skips(block_before: int, block: int, itemsize: int) -> bool:
    """Whether :func:`batch_layer` can skip columns between layers of these blocks."""
    return block_before % (VECTOR_BYTES // itemsize) == 0 and block % BLOCK_ROWS == 0
