"""How the register tiles are written: LLVM instructions on explicit vectors.

Reading guide. ``builder.load`` of a vector type is one wide load; a product and a sum that may
*contract* become one fused multiply-add; a ``phi`` is a variable of a loop and lives in a register.
Nothing here depends on the processor: LLVM splits vectors that are wider than its registers. Only
the size of a tile follows the machine, because sums that do not fit would spill to memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import binding, ir
from numba import types

INT = ir.IntType(64)


def features() -> Mapping[str, bool]:
    """What this processor can do; empty where LLVM cannot tell (it raises on some ARM systems)."""
    try:
        return binding.get_host_cpu_features()
    except RuntimeError:
        return {}


VECTOR_BYTES = 64 if features().get("avx512f") else 32
TILE = 24 if VECTOR_BYTES == 64 else 12
"""Sums that a tile keeps in registers: AVX-512 has 32 of them, everyone else room for 16."""
GROUP = 8
"""Sums that hide the latency of a multiply-add: four cycles, two of them begun in each."""
BLOCK_ROWS = 4
"""Neighbouring neurons of a block that share a tile."""

Value = Any


def most(fixed: int, chains: int = 1) -> int:
    """How many listed rows, or registers of a row, a tile takes.

    Where one row stands alone, more than :data:`GROUP` sums gain nothing, and every size is a piece
    of code that somebody waits for at the first start.
    """
    return GROUP if fixed * chains == 1 else TILE // (fixed * chains)


def number(value: int) -> Value:
    """A constant whole number."""
    return ir.Constant(INT, value)


def vector_of(array: Any) -> Value:
    """The vector type of one register of an array's numbers."""
    element = ir.FloatType() if array.dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(element, VECTOR_BYTES // (array.dtype.bitwidth // 8))


def pointer(context: Any, builder: Any, kind: Any, array: Value, start: Value) -> Value:
    """Where entry ``start`` of a one-dimensional array lies."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [start])


def load(builder: Any, place: Value, offset: Value, vector: Value) -> Value:
    """One register full, from any address."""
    there = builder.bitcast(builder.gep(place, [offset]), vector.as_pointer())
    return builder.load(there, align=4)


def prefetch(builder: Any, place: Value, offset: Value) -> None:
    """Ask for a cache line that will be read soon; any address will do, none is an error."""
    byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
    ask = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
    there = builder.bitcast(builder.gep(place, [offset]), byte)
    builder.call(ask, [there, ir.Constant(flag, 0), ir.Constant(flag, 3), ir.Constant(flag, 1)])


def multiply_add(builder: Any, a: Value, b: Value, total: Value) -> Value:
    """``a * b + total``, rounded once where the processor can."""
    product = builder.fmul(a, b, flags=("contract",))
    return builder.fadd(product, total, flags=("contract",))


def pick(builder: Any, a: Value, b: Value, lanes: Sequence[int]) -> Value:
    """A vector of some lanes of ``a`` followed by ``b``."""
    kind = ir.VectorType(ir.IntType(32), len(lanes))
    return builder.shuffle_vector(a, b, ir.Constant(kind, list(lanes)))


def lane_sums(builder: Any, vectors: Sequence[Value]) -> Value:
    """Sum every vector over its lanes; the sums are the lanes of the answer, in order.

    Two vectors are folded into one: lanes that stay come from a blend, which any unit can do, and
    only their partners, ``step`` lanes away, from a shuffle, which few can. 16 sums of 16 lanes
    take 15 additions, where sum by sum they would take 64.
    """
    count, lanes = len(vectors), vectors[0].type.count
    level = list(vectors)
    while len(level) & (len(level) - 1):  # up to a power of two, with copies nobody reads
        level.append(level[-1])
    apart, step = lanes // len(level), lanes
    while step > 1:
        step //= 2
        stay = [lane if not lane & step else lanes + lane for lane in range(lanes)]
        come = [lane ^ step if not lane & step else lanes + (lane ^ step) for lane in range(lanes)]
        half = (len(level) + 1) // 2
        pairs = zip(level[:half], level[-half:], strict=True)  # the last one meets itself
        level = [builder.fadd(pick(builder, a, b, stay), pick(builder, a, b, come))
                 for a, b in pairs]
    return pick(builder, level[0], level[0], range(0, count * apart, apart))


def loop(
    builder: Any, stop: Value, step: int, sums: int, vector: Value,
    body: Callable[[Value, list[Value]], list[Value]],
) -> list[Value]:
    """``for k in range(0, stop, step): sums = body(k, sums)``, with sums that start at zero.

    ``stop`` must be positive: the test stands at the end, as in every fast loop.
    """
    before = builder.block
    inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
    builder.branch(inside)
    builder.position_at_end(inside)
    k = builder.phi(INT)
    k.add_incoming(number(0), before)
    totals = [builder.phi(vector) for _ in range(sums)]
    for total in totals:
        total.add_incoming(ir.Constant(vector, [0.0] * vector.count), before)
    new = body(k, totals)
    following = builder.add(k, number(step))
    k.add_incoming(following, inside)
    for total, value in zip(totals, new, strict=True):
        total.add_incoming(value, inside)
    builder.cbranch(builder.icmp_signed("<", following, stop), inside, after)
    builder.position_at_end(after)
    return new


def steps(builder: Any, stop: Value, step: int, body: Callable[[Value], None]) -> None:
    """``for start in range(0, stop, step): body(start)``."""
    before = builder.block
    inside, after = builder.append_basic_block("steps"), builder.append_basic_block("rest")
    builder.cbranch(builder.icmp_signed(">", stop, number(0)), inside, after)
    builder.position_at_end(inside)
    start = builder.phi(INT)
    start.add_incoming(number(0), before)
    body(start)
    following = builder.add(start, number(step))
    start.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, stop), inside, after)
    builder.position_at_end(after)


def cases(builder: Any, count: Value, most: int, case: Callable[[int], None]) -> None:
    """One piece of code for every ``count`` from 1 to ``most``; nothing happens for others."""
    end = builder.append_basic_block("end")
    switch = builder.switch(count, end)
    for value in range(1, most + 1):
        block = builder.append_basic_block(f"case{value}")
        switch.add_case(number(value), block)
        builder.position_at_end(block)
        case(value)
        builder.branch(end)
    builder.position_at_end(end)


def listed(builder: Any, base: Value, stride: Value, chosen: Value, count: int) -> list[Value]:
    """Addresses of the rows ``base + stride * chosen[i]``."""
    indices = [builder.load(builder.gep(chosen, [number(i)])) for i in range(count)]
    wide = [i if i.type == INT else builder.zext(i, INT) for i in indices]
    return [builder.gep(base, [builder.mul(i, stride)]) for i in wide]


def spread(builder: Any, value: Value, vector: Value) -> Value:
    """One number in all lanes."""
    nothing = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return pick(builder, one, nothing, [0] * vector.count)


def store_sum(builder: Any, total: Value, place: Value, add: Value) -> None:
    """``place (+)= total`` for neighbouring numbers."""
    there = builder.bitcast(place, total.type.as_pointer())
    zero = ir.Constant(total.type, [0.0] * total.type.count)
    before = builder.select(add, builder.load(there, align=4), zero)
    builder.store(builder.fadd(before, total), there, align=4)


def store(builder: Any, value: Value, place: Value, offset: Value) -> None:
    """One register full, to any address."""
    there = builder.bitcast(builder.gep(place, [offset]), value.type.as_pointer())
    builder.store(value, there, align=4)
