"""Training on the open places only: three products and their lists.

A gated layer and the linear layer after it need, forward and backward, five sums over the open
places of a batch. Three kernels make them all:

* :func:`products`: ``x . w`` in every open place; with other arguments, ``dL/dout . next_weight``;
* :func:`spread`: what the open places add to the next layer; with other arguments, ``dL/dx``;
* :func:`weight_gradients`: ``sum_s d[s] x[s]`` over the samples that opened a neuron.

All lists come from :func:`list_places`, once per batch. What stands between the products (the
activation, its slope, the gate) is arithmetic on one compact array, and NumPy does it.

Layout of compact arrays, ``(places, together)``: word by word of 64 samples, in it list by list,
in it sample by sample. A list belongs to a gate where its neurons come in fours (``together``
neurons), else to a single neuron.
"""

from __future__ import annotations

from minimidl.arrays import Array
from minimidl.kernels.batch import add_rows_to_all
from minimidl.kernels.jit import compiled
from minimidl.kernels.products import LONGEST, aligned, multiply
from minimidl.kernels.tiles import BLOCK_ROWS, KEPT, TILE, VECTOR_BYTES, outer_block, outer_row
from minimidl.kernels.words import CROWD, list_samples


@compiled()
def list_places(words: Array, lists: Array, starts: Array) -> int:
    """Who opened what, for a whole batch; returns the number of open places.

    Args:
        words: ``(n_words, n_lists)`` uint64.
        lists: ``(n_words, n_lists, 64)`` uint8, filled: samples within their word.
        starts: ``(n_words, n_lists + 1)`` int64, filled: where a list lies in compact arrays.

    """
    total = 0
    for c in range(words.shape[0]):
        list_samples(words[c], lists[c], starts[c])
        for row in range(starts.shape[1]):
            starts[c, row] += total
        total = starts[c, starts.shape[1] - 1]
    return total


@compiled()
def list_rows(
    lists: Array, starts: Array, samples: Array, places: Array, row_starts: Array
) -> None:
    """The same places list by list over all words.

    Args:
        lists: from :func:`list_places`.
        starts: likewise.
        samples: ``(places,)`` int32, filled: the sample of each place, in the new order.
        places: ``(places,)`` int64, filled: where it lies in compact arrays.
        row_starts: ``(n_lists + 1,)`` int64, filled.

    """
    position = row_starts[0] = 0
    for row in range(lists.shape[1]):
        for c in range(lists.shape[0]):
            for i in range(starts[c, row + 1] - starts[c, row]):
                samples[position] = c * CROWD + lists[c, row, i]
                places[position] = starts[c, row] + i
                position += 1
        row_starts[row + 1] = position


@compiled(nogil=True)
def products(
    x: Array, weight_t: Array, lists: Array, starts: Array, together: int, values: Array,
    first: int, stop: int,
) -> None:
    """``values = x . weight_t`` in the open places of the words ``first`` to ``stop``.

    Args:
        x: ``(batch, n)``, at least one register wide.
        weight_t: ``(n_units, n)``.
        lists: from :func:`list_places`.
        starts: likewise.
        together: neurons per list: 1, or a multiple of four.
        values: ``(places * together,)``, filled.
        first: of the words.
        stop: of the words.

    """
    lanes = VECTOR_BYTES // x.itemsize
    longest = LONGEST if together > 1 else KEPT[0]
    panel = aligned(min(longest, x.shape[1] // lanes) * lanes * CROWD, x)
    for c in range(first, stop):
        multiply(x[c * CROWD:(c + 1) * CROWD], weight_t, lists[c], starts[c], together, panel,
                 values)


@compiled(nogil=True)
def spread(
    values: Array, weight: Array, lists: Array, starts: Array, together: int, out: Array,
    first: int, stop: int,
) -> None:
    """``out[s] += sum of value * weight[neuron]`` over the open places of sample s.

    Args:
        values: ``(places * together,)``.
        weight: ``(n_units, n_out)``.
        lists: from :func:`list_places`.
        starts: likewise.
        together: as in :func:`products`.
        out: ``(batch, n_out)``, changed.
        first: of the words.
        stop: of the words.

    """
    lanes, n_out = VECTOR_BYTES // out.itemsize, out.shape[1]
    wide = (n_out + lanes - 1) // lanes * lanes
    totals, spare = aligned(CROWD * wide, out), aligned(BLOCK_ROWS * wide, out)
    spare[:] = out.dtype.type(0)
    for c in range(first, stop):
        totals[:] = out.dtype.type(0)
        add_rows_to_all(weight, lists[c], starts[c], together, values, spare, totals, wide)
        for s in range(c * CROWD, min((c + 1) * CROWD, out.shape[0])):
            for o in range(n_out):
                out[s, o] += totals[(s - c * CROWD) * wide + o]


@compiled(nogil=True)
def weight_gradients(
    factors: Array, x: Array, samples: Array, row_starts: Array, together: int, grad_t: Array,
    first: int, stop: int,
) -> None:
    """``grad_t[neuron] = sum_s factor[s] x[s]`` for the lists ``first`` to ``stop``.

    Neurons that nobody opened get zeros; nothing is read or multiplied for them. Columns are taken
    in pieces whose inputs stay in the cache while all neurons pass.

    Args:
        factors: ``(places * together,)``, in the order of :func:`list_rows`.
        x: ``(batch, n)``, at least one register wide.
        samples: from :func:`list_rows`.
        row_starts: likewise.
        together: as in :func:`products`.
        grad_t: ``(n_units, n)``, filled in the rows of these lists.
        first: of the lists.
        stop: of the lists.

    """
    n, lanes = x.shape[1], VECTOR_BYTES // x.itemsize
    rows, grads = x.reshape(x.size), grad_t.reshape(grad_t.size)
    most, whole = TILE // BLOCK_ROWS, n // lanes
    pieces = (whole + most - 1) // most
    for piece in range(pieces + (n % lanes > 0)):
        begin = whole * piece // pieces
        vectors, column = whole * (piece + 1) // pieces - begin, begin * lanes
        if piece == pieces:  # behind the last whole register: reach back over columns already made
            vectors, column = 1, n - lanes
        for row in range(first, stop):
            start, count = row_starts[row], row_starts[row + 1] - row_starts[row]
            for unit in range(row * together, (row + 1) * together, min(together, BLOCK_ROWS)):
                place, factor = unit * n + column, start * together + unit - row * together
                if count == 0:
                    for f in range(min(together, BLOCK_ROWS)):
                        for t in range(vectors * lanes):
                            grads[place + f * n + t] = x.dtype.type(0)
                elif together == 1:
                    outer_row(factors, factor, 1, rows, column, n, samples, start, count, vectors,
                              grads, place, n, False)
                else:
                    outer_block(factors, factor, together, rows, column, n, samples, start, count,
                                vectors, grads, place, n, False)
