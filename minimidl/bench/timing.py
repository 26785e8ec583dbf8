"""How to time on a noisy machine: alternate what is compared, warm it up, take medians.

Machines change their speed from second to second (clock, neighbours, caches). Timing A for a while
and then B measures the weather; A B A B measures the difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from minimidl.errors import require

Call = Callable[[], object]

FEWEST_ROUNDS = 7
"""A median of fewer says little about its spread."""

LONG_CALL = 0.03
"""Seconds; a call this long fills the caches by itself and is not warmed up in every round."""


@dataclass(frozen=True)
class Timing:
    """Seconds per call: the median over the rounds, and the quartiles as the spread."""

    seconds: float
    low: float
    high: float
    calls: int
    rounds: int


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit every BLAS and OpenMP pool that is loaded now to one thread, for the block."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def calls_for(call: Call, round_seconds: float) -> int:
    """Warm ``call`` up, and return how many calls fill one round; at least 1."""
    call()  # whatever is compiled or allocated at the first call
    count, passed = 1, 0.0
    while passed < round_seconds / 4 and count < 1_000_000:
        count = 1 if passed == 0.0 else count * 2
        passed = seconds_of(call, count)
    return max(1, int(count * round_seconds / passed)) if passed > 0 else count


def seconds_of(call: Call, count: int) -> float:
    """Seconds that ``count`` calls take together."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - start


def alternate(
    calls: dict[str, Call], *, rounds: int = 15, round_seconds: float = 0.005
) -> dict[str, Timing]:
    """Time all ``calls`` in turn, round after round.

    Each turn begins with one call off the clock: what ran before has filled the caches with other
    weights, and whoever comes first after it would pay for all who share his.

    Args:
        calls: what to time, by name; functions without arguments.
        rounds: at least seven.
        round_seconds: how long one call is repeated per round; longer rounds hide the timer.

    Returns:
        One :class:`Timing` per name.

    Raises:
        InputError: nothing to time, or too few rounds.

    """
    require(len(calls) > 0, "calls", "none", "at least one function")
    require(rounds >= FEWEST_ROUNDS, "rounds", rounds, f"at least {FEWEST_ROUNDS}")
    counts = {name: calls_for(call, round_seconds) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            if not seconds[name] or seconds[name][-1] < LONG_CALL:
                call()
            seconds[name].append(seconds_of(call, counts[name]) / counts[name])
    return {name: summary(seconds[name], counts[name]) for name in calls}


def summary(seconds: list[float], calls: int) -> Timing:
    """Median and quartiles of seconds per call."""
    low, middle, high = np.percentile(seconds, [25, 50, 75])
    return Timing(float(middle), float(low), float(high), calls, len(seconds))
