"""Register tiles: the two innermost loops of everything that is fast here.

A product of matrices is slow when every multiplication has to fetch its two numbers, and fast when
a number fetched once serves several multiplications whose sums stay in registers. That is a *tile*.
Two kinds are enough, and each meets a *list* of rows, which is what the gates left open:

* **dot** tiles, for rows that lie along the sum: ``fixed`` rows that follow each other (one
  neuron's weights, four of a block, one sample's inputs) against the listed rows.
  ``out[i, f] (+)= fixed_f . listed_i``. A short fixed row is kept in registers (``dot_10`` ...);
* **outer** tiles, for rows that lie across the answer: multiples of the listed rows are added up.
  ``out[f, :] = sum_i factor[i, f] listed_i``, the gradient of a weight (the rows are samples) or
  of an input (the rows are neurons). Its transpose is :func:`spread_row`: one row, kept in
  registers, is added to the listed rows, ``out_i += factor_i row``.

Numba has no type for a vector register, and its automatic vectoriser spills large tiles; so they
are written as LLVM vectors (:mod:`minimidl.kernels.tile_code`). With the compiler off
(``NUMBA_DISABLE_JIT=1``) the plain loops of :mod:`minimidl.kernels.plain_tiles` run instead, which
also say exactly what is computed. All arrays are one-dimensional; nothing checks their bounds.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from minimidl.kernels import plain_tiles
from minimidl.kernels.dot_tiles import dot_tile, kept_tile
from minimidl.kernels.outer_tiles import outer_tile, spread_tile
from minimidl.kernels.tile_code import (
    BLOCK_ROWS,
    GROUP,
    TILE,
    VECTOR_BYTES,
    load,
    pointer,
    spread,
    steps,
    store,
    vector_of,
)

__all__ = [
    "BLOCK_ROWS",
    "CHAINS",
    "GROUP",
    "KEPT",
    "TILE",
    "VECTOR_BYTES",
    "copy",
    "dot_1",
    "dot_4",
    "dot_10",
    "dot_block",
    "dot_row",
    "first_bit",
    "outer_block",
    "outer_long",
    "outer_row",
    "relu",
    "spread_block",
    "spread_row",
]


@intrinsic  # type: ignore[untyped-decorator]
def copy_tile(_: Any, source: Any, start: Any, target: Any, place: Any, count: Any) -> Any:
    """``target[place:place + count] = source[start:start + count]`` as one move of memory."""
    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source, start, target, place, count = values
        k = signature.args
        cgutils.raw_memcpy(
            builder, pointer(context, builder, k[2], target, place),
            pointer(context, builder, k[0], source, start), count,
            k[0].dtype.bitwidth // 8, align=4)
        return context.get_dummy_value()

    return types.void(source, start, target, place, count), code


@intrinsic  # type: ignore[untyped-decorator]
def first_bit_code(_: Any, word: Any) -> Any:
    """Position of the lowest bit that is set: one instruction."""
    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), code


@intrinsic  # type: ignore[untyped-decorator]
def relu_tile(
    _: Any, values: Any, start: Any, bias: Any, bias_start: Any, factor: Any, count: Any
) -> Any:
    """``values = factor * relu(values + bias)`` in place; ``count`` fills whole registers."""
    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        values, start, bias, bias_start, factor, count = given
        k = signature.args
        vector = vector_of(k[0])
        place = pointer(context, builder, k[0], values, start)
        added = pointer(context, builder, k[2], bias, bias_start)
        many, zero = spread(builder, factor, vector), ir.Constant(vector, [0.0] * vector.count)

        def body(t: Any) -> None:
            u = builder.fadd(load(builder, place, t, vector), load(builder, added, t, vector))
            below = builder.fcmp_ordered("<", u, zero)  # NaN stays NaN
            store(builder, builder.fmul(many, builder.select(below, zero, u)), place, t)

        steps(builder, count, vector.count, body)
        return context.get_dummy_value()

    return types.void(values, start, bias, bias_start, factor, count), code


CHAINS = 4
"""Sums per answer in ``outer_long``, for a long list of short rows."""
KEPT = (10, 4, 1)
"""Lengths of kept rows, in registers: with more of them hardly any is left for the sums."""

if config.DISABLE_JIT:
    dot_row, dot_block = plain_tiles.dot_row, plain_tiles.dot_block
    outer_row, outer_block = plain_tiles.outer_row, plain_tiles.outer_block
    outer_long = plain_tiles.outer_row
    spread_row, spread_block = plain_tiles.spread_row, plain_tiles.spread_block
    copy, first_bit, relu = plain_tiles.copy, plain_tiles.first_bit, plain_tiles.relu
    dot_10, dot_4, dot_1 = (plain_tiles.kept(vectors) for vectors in KEPT)
else:
    dot_row, dot_block = dot_tile(1), dot_tile(BLOCK_ROWS)
    outer_row, outer_block = outer_tile(1), outer_tile(BLOCK_ROWS)
    outer_long = outer_tile(1, CHAINS)
    spread_row, spread_block = spread_tile(1), spread_tile(BLOCK_ROWS)
    copy, first_bit, relu = copy_tile, first_bit_code, relu_tile
    dot_10, dot_4, dot_1 = (kept_tile(vectors) for vectors in KEPT)
