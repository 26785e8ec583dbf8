"""What this machine can do at most: multiply-adds from registers, and reads from arrays of a size.

Not part of any model. The roofline of ``minimidl bench`` needs two ceilings that belong to this
core and this minute; a data sheet knows neither the clock under load nor the neighbours.
"""

from __future__ import annotations

from typing import Any

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled

CHAINS = 8
"""Independent sums per lane: enough to hide the latency of a multiply-add on two ports."""

LINKS = 12
"""Dependent multiply-adds per load and store, so that memory is no part of the measurement."""


@compiled(reassociate=True)
def multiply_add(lanes: Array, factor: Any, addend: Any, repeats: int) -> None:
    """``lanes <- lanes * factor + addend``, :data:`LINKS` times per pass, ``repeats`` passes.

    Args:
        lanes: ``(CHAINS, n)``; small enough for the first-level cache. Makes
            ``2 * CHAINS * n * LINKS * repeats`` floating-point operations.
        factor: of the lanes' dtype, below 1 in size, so that the values stay finite.
        addend: of the lanes' dtype.
        repeats: passes over the array.

    """
    for _ in range(repeats):
        for j in range(lanes.shape[1]):
            a, b, c, d = lanes[0, j], lanes[1, j], lanes[2, j], lanes[3, j]
            e, f, g, h = lanes[4, j], lanes[5, j], lanes[6, j], lanes[7, j]
            # LLVM unrolls this one and then vectorises over j: one lane of a register per column.
            for _ in range(12):
                a, b = a * factor + addend, b * factor + addend
                c, d = c * factor + addend, d * factor + addend
                e, f = e * factor + addend, f * factor + addend
                g, h = g * factor + addend, h * factor + addend
            lanes[0, j], lanes[1, j], lanes[2, j], lanes[3, j] = a, b, c, d
            lanes[4, j], lanes[5, j], lanes[6, j], lanes[7, j] = e, f, g, h


@compiled(reassociate=True)
def read_all(values: Array, repeats: int) -> Any:
    """Read ``(n,)`` values ``repeats`` times, and return their sum times ``repeats``.

    The sum may be reordered, so it is made in several registers at once and waits for memory, not
    for the adder. The passes cannot be merged: each begins with another value.
    """
    total = values[0] - values[0]
    for i in range(repeats):
        part = values[i % values.shape[0]]
        for j in range(values.shape[0]):
            part += values[j]
        total += part - values[i % values.shape[0]]
    return total


@compiled()
def trivial(values: Array) -> None:
    """Add 1 to every entry: the smallest kernel that can be kept in the cache."""
    for j in range(values.shape[0]):
        values[j] += values.dtype.type(1)
