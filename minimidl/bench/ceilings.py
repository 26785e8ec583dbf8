"""The two ceilings of a roofline, measured here and now: multiply-adds, and reads by array size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from minimidl.bench.suite import Row
from minimidl.layers.initial import aligned_copy

ARRAY_BYTES = (32 << 10, 256 << 10, 8 << 20, 128 << 20)
"""On most machines in the first, second and third cache, and in none of them."""

LANES = 256
"""Columns of the register test; 8 KiB of float32, well inside the first cache."""


def ceilings(array_bytes: Sequence[int] = ARRAY_BYTES, seconds: float = 0.004,
             rounds: int = 25) -> list[Row]:
    """Measure with one thread, float32; empty without compiled kernels.

    A ceiling is what was reached at best, so the best of many short rounds counts here, not the
    median.

    Args:
        array_bytes: sizes of the arrays that are read.
        seconds: about how long one round lasts.
        rounds: of each.

    Returns:
        Rows with ``case`` (``"ceiling multiply-add"`` or ``"ceiling read"``), ``gflops`` or
        ``gigabytes_per_second``, and ``array_bytes`` of a read.

    """
    from minimidl.kernels import why_not_compiled

    if why_not_compiled():
        return []
    reads = [{"case": "ceiling read", "array_bytes": size,
              "gigabytes_per_second": read_rate(size, seconds, rounds)} for size in array_bytes]
    return [{"case": "ceiling multiply-add", "gflops": flop_rate(seconds, rounds)}, *reads]


def flop_rate(seconds: float, rounds: int) -> float:
    """GFLOP/s of multiply-adds that never wait for memory."""
    from minimidl.kernels.ceilings import CHAINS, LINKS, multiply_add

    lanes = aligned_copy(np.ones((CHAINS, LANES), np.float32))
    half, one = np.float32(0.5), np.float32(1)
    rate = best_rate(lambda repeats: multiply_add(lanes, half, one, repeats), seconds, rounds)
    return 2 * lanes.size * LINKS * rate / 1e9


def read_rate(size: int, seconds: float, rounds: int) -> float:
    """GB/s of reading an array of ``size`` bytes again and again."""
    from minimidl.kernels.ceilings import read_all

    values = aligned_copy(np.ones(size // 4, np.float32))  # else luck halves the first cache
    return values.nbytes * best_rate(lambda repeats: read_all(values, repeats), seconds,
                                     rounds) / 1e9


def best_rate(run: Callable[[int], object], seconds: float, rounds: int) -> float:
    """Passes per second of ``run(passes)`` in the best of the rounds."""
    run(1)  # compiled or loaded here
    passes, passed = 1, 0.0
    while passed < seconds / 2:
        passes = passes * 2 if passed else passes
        passed = timed(run, passes)
    passes = max(1, int(passes * seconds / passed))
    return passes / min(timed(run, passes) for _ in range(rounds))


def timed(run: Callable[[int], object], passes: int) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    run(passes)
    return time.perf_counter() - start
