"""What the register tiles compute, as plain loops: for readers, and where nothing is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.tile_code import BLOCK_ROWS, VECTOR_BYTES


def dots(
    fixed: int, row: Array, row_start: int, row_stride: int, others: Array, others_start: int,
    others_stride: int, chosen: Array, first: int, count: int, length: int,
    out: Array, out_start: int, out_stride: int, add: bool,
) -> None:
    """``out[i, f] (+)= row_f . others_i``, the i-th other being number ``chosen[first + i]``."""
    for i in range(count):
        start = others_start + int(chosen[first + i]) * others_stride
        other = others[start:start + length]
        for f in range(fixed):
            begin = row_start + f * row_stride
            total = row[begin:begin + length] @ other
            place = out_start + i * out_stride + f
            out[place] = total + out[place] if add else total


def outers(
    fixed: int, factors: Array, factors_start: int, factors_stride: int, rows: Array,
    rows_start: int, rows_stride: int, chosen: Array, first: int, count: int, vectors: int,
    out: Array, out_start: int, out_stride: int, add: bool,
) -> None:
    """``out[f] (+)= sum_i factors[i, f] rows_i``, as wide as ``vectors`` registers."""
    width = vectors * VECTOR_BYTES // out.itemsize
    for f in range(fixed):
        total = out[out_start + f * out_stride:][:width]
        if not add:
            total[:] = 0
        for i in range(count):
            start = rows_start + int(chosen[first + i]) * rows_stride
            total += factors[factors_start + i * factors_stride + f] * rows[start:start + width]


def spreads(
    fixed: int, row: Array, row_start: int, row_stride: int, factors: Array, factors_start: int,
    factors_stride: int, chosen: Array, first: int, count: int, vectors: int, out: Array,
    out_start: int, out_stride: int,
) -> None:
    """``out[chosen_i] += sum_f factors[i, f] * row_f``."""
    width = vectors * VECTOR_BYTES // out.itemsize
    for i in range(count):
        start = out_start + int(chosen[first + i]) * out_stride
        for f in range(fixed):
            factor, place = factors[factors_start + i * factors_stride + f], f * row_stride
            out[start:start + width] += factor * row[row_start + place:][:width]


def dot_row(*args: Any) -> None:
    """One fixed row."""
    dots(1, *args)


def kept(vectors: int) -> Callable[..., None]:
    """One fixed row that is ``vectors`` registers long."""
    def tile(
        row: Array, row_start: int, later: int, others: Array, others_stride: int, chosen: Array,
        first: int, count: int, out: Array, out_start: int, add: bool,
    ) -> None:
        length = vectors * VECTOR_BYTES // out.itemsize
        dots(1, row, row_start, 0, others, 0, others_stride, chosen, first, count, length, out,
             out_start, 1, add)

    return tile


def dot_block(*args: Any) -> None:
    """Several fixed rows, ``row_stride`` apart."""
    dots(BLOCK_ROWS, *args)


def spread_row(*args: Any) -> None:
    """Multiples of one row."""
    spreads(1, *args)


def spread_block(*args: Any) -> None:
    """Multiples of several rows, ``row_stride`` apart."""
    spreads(BLOCK_ROWS, *args)


def outer_row(*args: Any) -> None:
    """One row of answers."""
    outers(1, *args)


def outer_block(*args: Any) -> None:
    """Several rows of answers, ``out_stride`` apart."""
    outers(BLOCK_ROWS, *args)


def copy(source: Array, start: int, target: Array, place: int, count: int) -> None:
    """``target[place:place + count] = source[start:start + count]``."""
    target[place:place + count] = source[start:start + count]


def relu(
    values: Array, start: int, bias: Array, bias_start: int, factor: Any, count: int
) -> None:
    """Bias, ReLU and a factor, in place."""
    u = values[start:start + count] + bias[bias_start:bias_start + count]
    values[start:start + count] = factor * np.where(u < 0, u.dtype.type(0), u)


def first_bit(word: Any) -> int:
    """Position of the lowest bit that is set."""
    bits = int(word)
    return (bits & -bits).bit_length() - 1


def dot_pieces(
    row: Array, row_start: int, places: Array, masks: Array, piece: int, pieces: int,
    weights: Array, stride: int, chosen: Array, first: int, count: int, out: Array, out_start: int,
) -> None:
    """``out[i] = row . weight_i`` over the open columns, the i-th row being ``chosen[first + i]``.

    Args:
        row: holds the inputs, from ``row_start`` on.
        row_start: see there.
        places: first column of every piece, a register wide.
        masks: 16 bits per piece; bit l says whether column ``place + l`` is open.
        piece: the first piece.
        pieces: how many; at least 1.
        weights: rows of ``stride`` numbers.
        stride: see there.
        chosen: numbers of rows.
        first: the first of them.
        count: how many, at most ``GROUP``.
        out: where the answers go, from ``out_start`` on.
        out_start: see there.

    """
    lanes = VECTOR_BYTES // out.itemsize
    for i in range(count):
        start, total = int(chosen[first + i]) * stride, out.dtype.type(0)
        for p in range(piece, piece + pieces):
            for lane in range(lanes):
                if int(masks[p]) >> lane & 1:
                    column = int(places[p]) + lane
                    total += row[row_start + column] * weights[start + column]
        out[out_start + i] = total
