"""A register tile for inputs of which only some are open: columns that are closed are not read.

A weight lies along its inputs, so the open columns of a row are scattered. To gather them one by
one takes ten times as long as to read them side by side; so a row is read a register at a time, and
only the registers that hold an open column (a *piece*). Within a piece a mask says which lanes
count: a masked multiply-add leaves the sum of a closed lane as it is, whatever the weight there is.

So whole closed registers cost nothing, and a closed column beside an open one costs its lane.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from minimidl.kernels import plain_tiles
from minimidl.kernels.tile_code import (
    GROUP,
    cases,
    lane_sums,
    listed,
    load,
    loop,
    multiply_add,
    number,
    pointer,
    store_sum,
    vector_of,
)


@intrinsic  # type: ignore[untyped-decorator]
def dot_pieces_code(
    _: Any, row: Any, row_start: Any, places: Any, masks: Any, piece: Any, pieces: Any,
    weights: Any, stride: Any, chosen: Any, first: Any, count: Any, out: Any, out_start: Any,
) -> Any:
    """As :func:`minimidl.kernels.plain_tiles.dot_pieces`."""
    kinds = (row, row_start, places, masks, piece, pieces, weights, stride, chosen, first, count,
             out, out_start)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (row, row_start, places, masks, piece, pieces, weights, stride, chosen, first, count, out,
         out_start) = values
        k = signature.args
        vector = vector_of(k[0])
        own = pointer(context, builder, k[0], row, row_start)
        place = pointer(context, builder, k[2], places, piece)
        mask = pointer(context, builder, k[3], masks, piece)
        base = pointer(context, builder, k[6], weights, number(0))
        which = pointer(context, builder, k[8], chosen, first)
        answer = pointer(context, builder, k[11], out, out_start)

        no = ir.Constant(ir.IntType(1), 0)

        def case(n: int) -> None:
            rows = listed(builder, base, stride, which, n)

            def body(i: Any, sums: list[Any]) -> list[Any]:
                at = builder.load(builder.gep(place, [i]))
                open_lanes = lanes_of(builder, builder.load(builder.gep(mask, [i])), vector.count)
                x = load(builder, own, at, vector)
                new = [multiply_add(builder, x, load(builder, r, at, vector), total)
                       for r, total in zip(rows, sums, strict=True)]
                return [builder.select(open_lanes, after, before)
                        for after, before in zip(new, sums, strict=True)]

            sums = loop(builder, pieces, 1, n, vector, body)
            for start in range(0, n, vector.count):
                total = lane_sums(builder, sums[start:start + vector.count])
                store_sum(builder, total, builder.gep(answer, [number(start)]), no)

        cases(builder, count, GROUP, case)
        return context.get_dummy_value()

    return types.void(*kinds), code


def lanes_of(builder: Any, word: Any, lanes: int) -> Any:
    """The low bits of a word of 16, one per lane, as a vector of booleans."""
    bits = ir.IntType(lanes)
    low = word if word.type == bits else builder.trunc(word, bits)
    return builder.bitcast(low, ir.VectorType(ir.IntType(1), lanes))


dot_pieces = plain_tiles.dot_pieces if config.DISABLE_JIT else dot_pieces_code
