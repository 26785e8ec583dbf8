"""Register tiles for compressed rows: lists of live connections instead of whole rows.

* :data:`gather_dot`: one neuron, one sample. A register of inputs is gathered by their numbers and
  meets a register of weights. A gather costs as much as its loads one by one, so this is three
  times slower per connection than a row read side by side; it pays where few are live.
* :data:`sum_wires`: one neuron, several registers of samples. The inputs lie sample beside sample,
  so that a live connection is one number times whole registers, with nothing gathered. Every width
  keeps eight sums, which hides the latency of a multiply-add: several of each where it is narrow.
* :data:`turn`: a square of numbers, as wide and as high as a register, rows to columns.

What they compute, as plain loops: :mod:`minimidl.kernels.plain_wires`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from minimidl.kernels import plain_wires
from minimidl.kernels.tile_code import (
    GROUP,
    INT,
    VECTOR_BYTES,
    lane_sums,
    listed,
    load,
    loop,
    multiply_add,
    number,
    pick,
    pointer,
    spread,
    store,
    store_sum,
    vector_of,
)

WIDTHS = (1, 2, 4)
"""Registers of samples that share a live connection."""


def gathered(builder: Any, base: Any, columns: Any, vector: Any) -> Any:
    """The numbers ``base[columns[lane]]`` in one register."""
    count, index = vector.count, ir.IntType(32)
    kind = ir.VectorType(index, count)
    numbers = builder.load(builder.bitcast(columns, kind.as_pointer()), align=4)
    if VECTOR_BYTES == 64:
        return gathered_at_once(builder, base, numbers, vector)
    result = ir.Constant(vector, ir.Undefined)
    for lane in range(count):
        place = ir.Constant(index, lane)
        column = builder.sext(builder.extract_element(numbers, place), INT)
        result = builder.insert_element(result, builder.load(builder.gep(base, [column])), place)
    return result


def gathered_at_once(builder: Any, base: Any, numbers: Any, vector: Any) -> Any:
    """The same by one instruction, which every processor with AVX-512 has."""
    count, single = vector.count, vector.element == ir.FloatType()
    lanes = ir.VectorType(ir.IntType(1), count)
    byte, size = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(vector, [vector, byte, numbers.type, lanes, size])
    name = f"llvm.x86.avx512.mask.gather.{'dps' if single else 'dpd'}.512"
    gather = builder.module.declare_intrinsic(name, [], kind)
    nothing, every = ir.Constant(vector, [0.0] * count), ir.Constant(lanes, [1] * count)
    return builder.call(gather, [nothing, builder.bitcast(base, byte), numbers, every,
                                 ir.Constant(size, 4 if single else 8)])


@intrinsic  # type: ignore[untyped-decorator]
def gather_dot_code(
    _: Any, x: Any, x_start: Any, columns: Any, weights: Any, first: Any, count: Any, out: Any,
    place: Any,
) -> Any:
    """As :func:`minimidl.kernels.plain_wires.gather_dot`."""
    kinds = (x, x_start, columns, weights, first, count, out, place)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        x, x_start, columns, weights, first, count, out, place = values
        k = signature.args
        vector = vector_of(k[0])
        base = pointer(context, builder, k[0], x, x_start)
        which = pointer(context, builder, k[2], columns, first)
        factor = pointer(context, builder, k[3], weights, first)

        def body(i: Any, sums: list[Any]) -> list[Any]:
            inputs = gathered(builder, base, builder.gep(which, [i]), vector)
            return [multiply_add(builder, inputs, load(builder, factor, i, vector), sums[0])]

        sums = loop(builder, count, vector.count, 1, vector, body)
        answer = pointer(context, builder, k[6], out, place)
        store_sum(builder, lane_sums(builder, sums), answer, ir.Constant(ir.IntType(1), 0))
        return context.get_dummy_value()

    return types.void(*kinds), code


def sum_tile(wide: int) -> Any:
    """Make the tile for ``wide`` registers of samples."""
    chains = GROUP // wide

    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        _: Any, panel: Any, columns: Any, weights: Any, first: Any, count: Any, totals: Any,
        place: Any,
    ) -> Any:
        kinds = (panel, columns, weights, first, count, totals, place)

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            panel, columns, weights, first, count, totals, place = values
            k = signature.args
            vector = vector_of(k[0])
            at = [number(v * vector.count) for v in range(wide)]
            base = pointer(context, builder, k[0], panel, number(0))
            which = pointer(context, builder, k[1], columns, first)
            factor = pointer(context, builder, k[2], weights, first)
            answer = pointer(context, builder, k[5], totals, place)

            def some(many: int) -> Any:
                """Body of a loop that takes ``many`` connections at a time."""
                def body(i: Any, sums: list[Any]) -> list[Any]:
                    rows = listed(builder, base, number(wide * vector.count),
                                  builder.gep(which, [i]), many)
                    new = []
                    for c, row in enumerate(rows):
                        own = builder.gep(factor, [builder.add(i, number(c))])
                        weight = spread(builder, builder.load(own), vector)
                        new += [multiply_add(builder, weight, load(builder, row, at[v], vector),
                                             sums[c * wide + v]) for v in range(wide)]
                    return new
                return body

            zero = ir.Constant(vector, [0.0] * vector.count)
            begin = [load(builder, answer, start, vector) for start in at]
            whole = builder.and_(count, number(-chains))
            sums = sums_over(builder, number(0), whole, chains,
                             begin + [zero] * (wide * (chains - 1)), some(chains))
            for other in range(wide, wide * chains):
                sums[other % wide] = builder.fadd(sums[other % wide], sums[other])
            sums = sums_over(builder, whole, count, 1, sums[:wide], some(1))
            for start, total in zip(at, sums, strict=True):
                store(builder, total, answer, start)
            return context.get_dummy_value()

        return types.void(*kinds), code

    return tile


def sums_over(
    builder: Any, start: Any, stop: Any, step: int, sums: list[Any], body: Any
) -> list[Any]:
    """``for i in range(start, stop, step): sums = body(i, sums)``; the range may be empty."""
    before = builder.block
    inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed("<", start, stop), inside, after)
    builder.position_at_end(inside)
    i, totals = builder.phi(INT), [builder.phi(total.type) for total in sums]
    new = body(i, totals)
    following = builder.add(i, number(step))
    builder.cbranch(builder.icmp_signed("<", following, stop), inside, after)
    builder.position_at_end(after)
    results = []
    i.add_incoming(start, before)
    i.add_incoming(following, inside)
    for total, first, last in zip(totals, sums, new, strict=True):
        total.add_incoming(first, before)
        total.add_incoming(last, inside)
        results.append(builder.phi(total.type))
        results[-1].add_incoming(first, before)
        results[-1].add_incoming(last, inside)
    return results


@intrinsic  # type: ignore[untyped-decorator]
def turn_code(
    _: Any, rows: Any, start: Any, stride: Any, out: Any, out_start: Any, out_stride: Any
) -> Any:
    """As :func:`minimidl.kernels.plain_wires.turn`.

    Squares of half the size change places, then those of a quarter, and so on: four times 16
    two-register shuffles for 256 numbers, where number by number it would be 256 loads and stores.
    """
    kinds = (rows, start, stride, out, out_start, out_stride)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        rows, start, stride, out, out_start, out_stride = values
        k = signature.args
        vector = vector_of(k[0])
        size = step = vector.count
        source = pointer(context, builder, k[0], rows, start)
        target = pointer(context, builder, k[3], out, out_start)
        square = [load(builder, source, builder.mul(stride, number(i)), vector)
                  for i in range(size)]
        while step > 1:
            step //= 2
            for i in range(size):
                if i & step:
                    continue
                a, b = square[i], square[i + step]
                square[i] = pick(builder, a, b, [
                    lane if not lane & step else size + lane - step for lane in range(size)])
                square[i + step] = pick(builder, a, b, [
                    lane + step if not lane & step else size + lane for lane in range(size)])
        for i in range(size):
            store(builder, square[i], target, builder.mul(out_stride, number(i)))
        return context.get_dummy_value()

    return types.void(*kinds), code


if config.DISABLE_JIT:
    gather_dot, turn = plain_wires.gather_dot, plain_wires.turn
    sum_1, sum_2, sum_4 = (plain_wires.sum_wires(wide) for wide in WIDTHS)
else:
    gather_dot, turn = gather_dot_code, turn_code
    sum_1, sum_2, sum_4 = (sum_tile(wide) for wide in WIDTHS)
