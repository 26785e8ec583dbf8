"""Outer and spread tiles: multiples of rows, added up; see ``tiles.py``."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from minimidl.kernels.tile_code import (
    TILE,
    cases,
    listed,
    load,
    loop,
    most,
    multiply_add,
    number,
    pointer,
    spread,
    store,
    store_sum,
    vector_of,
)


def outer_tile(fixed: int, chains: int = 1) -> Any:
    """Make an outer tile of ``fixed`` rows of answers.

    ``vectors`` is at most ``most(fixed, chains)``. ``count`` must be a positive multiple of
    ``chains``: so many sums are kept of every answer, each of its own listed rows, because a sum
    alone would wait for its last addition every time.
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
