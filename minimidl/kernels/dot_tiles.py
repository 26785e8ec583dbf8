"""Dot tiles: listed rows against fixed ones, sums along the rows; see ``tiles.py``."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from minimidl.kernels.tile_code import (
    GROUP,
    cases,
    lane_sums,
    listed,
    load,
    loop,
    most,
    multiply_add,
    number,
    pick,
    pointer,
    prefetch,
    steps,
    store_sum,
    vector_of,
)


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
