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
from minimidl.kernels.tile_code import (
    BLOCK_ROWS,
    GROUP,
    TILE,
    VECTOR_BYTES,
    cases,
    lane_sums,
    listed,
    load,
    loop,
    multiply_add,
    number,
    pick,
    pointer,
    prefetch,
    spread,
    steps,
    store,
    store_sum,
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
    "most",
    "outer_block",
    "outer_long",
    "outer_row",
    "spread_block",
    "spread_row",
]


def most(fixed: int, chains: int = 1) -> int:
    """How many listed rows, or registers of a row, a tile takes.

    Where one row stands alone, more than :data:`GROUP` sums gain nothing, and every size is a piece
    of code that somebody waits for at the first start.
    """
    return GROUP if fixed * chains == 1 else TILE // (fixed * chains)


def dot_tile(fixed: int) -> Any:
    """Make a dot tile of ``fixed`` rows; ``count`` at most ``most(fixed)``.

    ``length`` must be a positive multiple of the vector's lanes.
    """
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        _: Any, row: Any, row_start: Any, row_stride: Any, others: Any, others_start: Any,
        others_stride: Any, chosen: Any, first: Any, count: Any, length: Any, out: Any,
        out_start: Any, out_stride: Any, add: Any,
    ) -> Any:
        kinds = (row, row_start, row_stride, others, others_start, others_stride, chosen, first,
                 count, length, out, out_start, out_stride, add)

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (row, row_start, row_stride, others, others_start, others_stride, chosen, first,
             count, length, out, out_start, out_stride, add) = values
            k = signature.args
            vector = vector_of(k[0])
            lanes = vector.count
            base = pointer(context, builder, k[0], row, row_start)
            other = pointer(context, builder, k[3], others, others_start)
            which = pointer(context, builder, k[6], chosen, first)
            answer = pointer(context, builder, k[10], out, out_start)
            own = [builder.gep(base, [builder.mul(row_stride, number(f))]) for f in range(fixed)]

            def case(n: int) -> None:
                rows = listed(builder, other, others_stride, which, n)

                def body(t: Any, sums: list[Any]) -> list[Any]:
                    kept = [load(builder, place, t, vector) for place in own]
                    new = []
                    for i, place in enumerate(rows):
                        value = load(builder, place, t, vector)
                        new += [multiply_add(builder, kept[f], value, sums[i * fixed + f])
                                for f in range(fixed)]
                    return new

                sums = loop(builder, length, lanes, n * fixed, vector, body)
                for start in range(0, n * fixed, lanes):
                    total = lane_sums(builder, sums[start:start + lanes])
                    if fixed == 1:  # the answers of several others lie side by side
                        store_sum(builder, total, builder.gep(answer, [number(start)]), add)
                        continue
                    for shift in range(0, total.type.count, fixed):
                        part = pick(builder, total, total, range(shift, shift + fixed))
                        stride = builder.mul(out_stride, number((start + shift) // fixed))
                        store_sum(builder, part, builder.gep(answer, [stride]), add)

            cases(builder, count, most(fixed), case)
            return context.get_dummy_value()

        return types.void(*kinds), code

    return tile


def kept_tile(vectors: int) -> Any:
    """Make a dot tile whose one fixed row, ``vectors`` registers long, stays in registers.

    For short rows: no loop along the sum, and any number of listed rows, :data:`GROUP` at a time.
    What lies at ``later`` is asked for meanwhile: the processor cannot foresee a row out of turn.
    """
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        _: Any, row: Any, row_start: Any, later: Any, others: Any, others_stride: Any, chosen: Any,
        first: Any, count: Any, out: Any, out_start: Any, add: Any,
    ) -> Any:
        kinds = (row, row_start, later, others, others_stride, chosen, first, count, out,
                 out_start, add)

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (row, row_start, later, others, others_stride, chosen, first, count, out, out_start,
             add) = values
            k = signature.args
            vector = vector_of(k[0])
            base = pointer(context, builder, k[0], row, row_start)
            other = pointer(context, builder, k[3], others, number(0))
            which = pointer(context, builder, k[5], chosen, first)
            answer = pointer(context, builder, k[8], out, out_start)
            at = [number(v * vector.count) for v in range(vectors)]
            kept = [load(builder, base, place, vector) for place in at]
            for place in at:
                prefetch(builder, pointer(context, builder, k[0], row, later), place)

            def group(size: int, start: Any) -> None:
                rows = listed(builder, other, others_stride, builder.gep(which, [start]), size)
                sums = [ir.Constant(vector, [0.0] * vector.count)] * size
                for value, place in zip(kept, at, strict=True):
                    sums = [multiply_add(builder, value, load(builder, r, place, vector), total)
                            for r, total in zip(rows, sums, strict=True)]
                for part in range(0, size, vector.count):
                    total = lane_sums(builder, sums[part:part + vector.count])
                    place = builder.gep(answer, [builder.add(start, number(part))])
                    store_sum(builder, total, place, add)

            whole = builder.and_(count, number(-GROUP))
            steps(builder, whole, GROUP, lambda start: group(GROUP, start))
            cases(builder, builder.sub(count, whole), GROUP - 1, lambda size: group(size, whole))
            return context.get_dummy_value()

        return types.void(*kinds), code

    return tile


def outer_tile(fixed: int, chains: int = 1) -> Any:
    """Make an outer tile of ``fixed`` rows of answers; ``vectors`` at most
    ``most(fixed, chains)``.

    ``count`` must be a positive multiple of ``chains``: so many sums are kept of every answer, each
    of its own listed rows, because a sum alone would wait for its last addition every time.
    """
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        _: Any, factors: Any, factors_start: Any, factors_stride: Any, rows: Any, rows_start: Any,
        rows_stride: Any, chosen: Any, first: Any, count: Any, vectors: Any, out: Any,
        out_start: Any, out_stride: Any, add: Any,
    ) -> Any:
        kinds = (factors, factors_start, factors_stride, rows, rows_start, rows_stride, chosen,
                 first, count, vectors, out, out_start, out_stride, add)

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (factors, factors_start, factors_stride, rows, rows_start, rows_stride, chosen,
             first, count, vectors, out, out_start, out_stride, add) = values
            k = signature.args
            vector = vector_of(k[0])
            at = [number(v * vector.count) for v in range(TILE)]
            factor = pointer(context, builder, k[0], factors, factors_start)
            base = pointer(context, builder, k[3], rows, rows_start)
            which = pointer(context, builder, k[6], chosen, first)
            answer = pointer(context, builder, k[10], out, out_start)

            def case(wide: int) -> None:
                size = fixed * wide

                def body(i: Any, sums: list[Any]) -> list[Any]:
                    places = listed(builder, base, rows_stride, builder.gep(which, [i]), chains)
                    new = []
                    for c, place in enumerate(places):
                        row = [load(builder, place, at[v], vector) for v in range(wide)]
                        step = builder.mul(builder.add(i, number(c)), factors_stride)
                        own = builder.gep(factor, [step])
                        for f in range(fixed):
                            value = builder.load(builder.gep(own, [number(f)]))
                            many, total = spread(builder, value, vector), c * size + f * wide
                            new += [multiply_add(builder, many, row[v], sums[total + v])
                                    for v in range(wide)]
                    return new

                sums = loop(builder, count, chains, chains * size, vector, body)
                for position in range(size):
                    total = sums[position]
                    for other in sums[position + size::size]:
                        total = builder.fadd(total, other)
                    f, v = divmod(position, wide)
                    place = builder.gep(answer, [builder.mul(out_stride, number(f))])
                    store_sum(builder, total, builder.gep(place, [at[v]]), add)

            cases(builder, vectors, most(fixed, chains), case)
            return context.get_dummy_value()

        return types.void(*kinds), code

    return tile


def spread_tile(fixed: int) -> Any:
    """Make a tile that adds multiples of ``fixed`` rows, ``row_stride`` apart, to the listed ones.

    ``out[chosen_i] += sum_f factors[i, f] * row_f`` for ``count > 0`` listed rows; ``vectors`` at
    most ``most(fixed)``.
    """
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        _: Any, row: Any, row_start: Any, row_stride: Any, factors: Any, factors_start: Any,
        factors_stride: Any, chosen: Any, first: Any, count: Any, vectors: Any, out: Any,
        out_start: Any, out_stride: Any,
    ) -> Any:
        kinds = (row, row_start, row_stride, factors, factors_start, factors_stride, chosen,
                 first, count, vectors, out, out_start, out_stride)

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (row, row_start, row_stride, factors, factors_start, factors_stride, chosen, first,
             count, vectors, out, out_start, out_stride) = values
            k = signature.args
            vector = vector_of(k[0])
            at = [number(v * vector.count) for v in range(TILE)]
            base = pointer(context, builder, k[0], row, row_start)
            own = [builder.gep(base, [builder.mul(row_stride, number(f))]) for f in range(fixed)]
            factor = pointer(context, builder, k[3], factors, factors_start)
            which = pointer(context, builder, k[6], chosen, first)
            answers = pointer(context, builder, k[10], out, out_start)

            def case(wide: int) -> None:
                kept = [[load(builder, place, at[v], vector) for v in range(wide)]
                        for place in own]

                def body(i: Any, nothing: list[Any]) -> list[Any]:
                    place = listed(builder, answers, out_stride, builder.gep(which, [i]), 1)[0]
                    given = builder.gep(factor, [builder.mul(i, factors_stride)])
                    many = [spread(builder, builder.load(builder.gep(given, [number(f)])), vector)
                            for f in range(fixed)]
                    for v in range(wide):
                        total = load(builder, place, at[v], vector)
                        for f in range(fixed):
                            total = multiply_add(builder, many[f], kept[f][v], total)
                        store(builder, total, place, at[v])
                    return nothing

                loop(builder, count, 1, 0, vector, body)

            cases(builder, vectors, most(fixed), case)
            return context.get_dummy_value()

        return types.void(*kinds), code

    return tile


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


CHAINS = 4
"""Sums per answer in ``outer_long``, for a long list of short rows."""
KEPT = (10, 4, 1)
"""Lengths of kept rows, in registers: with more of them hardly any is left for the sums."""

if config.DISABLE_JIT:
    dot_row, dot_block = plain_tiles.dot_row, plain_tiles.dot_block
    outer_row, outer_block = plain_tiles.outer_row, plain_tiles.outer_block
    outer_long = plain_tiles.outer_row
    spread_row, spread_block = plain_tiles.spread_row, plain_tiles.spread_block
    copy, first_bit = plain_tiles.copy, plain_tiles.first_bit
    dot_10, dot_4, dot_1 = (plain_tiles.kept(vectors) for vectors in KEPT)
else:
    dot_row, dot_block = dot_tile(1), dot_tile(BLOCK_ROWS)
    outer_row, outer_block = outer_tile(1), outer_tile(BLOCK_ROWS)
    outer_long = outer_tile(1, CHAINS)
    spread_row, spread_block = spread_tile(1), spread_tile(BLOCK_ROWS)
    copy, first_bit = copy_tile, first_bit_code
    dot_10, dot_4, dot_1 = (kept_tile(vectors) for vectors in KEPT)
