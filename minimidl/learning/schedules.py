"""Schedules: pure functions of the step, for learning rates, temperatures, thresholds, densities.

Each maker returns ``schedule(step) -> float``. ``steps`` is where the schedule arrives; before 0
it is at its start, after ``steps`` at its end. With ``steps=1.0`` it is a function of the progress
from 0 to 1, as ``state_schedules`` of the training loop wants it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from minimidl.errors import require

Schedule = Callable[[float], float]
"""From the step (or the progress from 0 to 1) to a value."""


def _between(shape: Callable[[float], float], steps: float) -> Schedule:
    """Clamp to the progress ``t`` in [0, 1] and apply ``shape``."""
    require(steps > 0, "steps", steps, "a positive number")
    return lambda step: shape(min(1.0, max(0.0, step / steps)))


def constant(value: float) -> Schedule:
    """``value``, always."""
    return lambda step: value


def linear(start: float, end: float, steps: float = 1.0) -> Schedule:
    """``start + (end - start) t``."""
    return _between(lambda t: start * (1.0 - t) + end * t, steps)


def cosine(start: float, end: float, steps: float = 1.0) -> Schedule:
    """``end + (start - end) (1 + cos(pi t)) / 2`` (Loshchilov and Hutter 2017, eq. 5)."""
    return _between(lambda t: _mix(start, end, 0.5 * (1.0 - math.cos(math.pi * t))), steps)


def exponential(start: float, end: float, steps: float = 1.0) -> Schedule:
    """``start (end / start)^t``: the same factor in every step; both ends positive."""
    require(start > 0 and end > 0, "exponential schedule", f"from {start} to {end}",
            "two positive numbers", "use linear to reach 0")
    return _between(lambda t: end if t == 1.0 else start * (end / start) ** t, steps)


def cubic(start: float, end: float, steps: float = 1.0) -> Schedule:
    """``end + (start - end) (1 - t)^3``: fast first, then slow (Zhu and Gupta 2017, eq. 1)."""
    return _between(lambda t: _mix(start, end, 1.0 - (1.0 - t) ** 3), steps)


def _mix(start: float, end: float, weight: float) -> float:
    """Weighted mean that hits both ends exactly."""
    return start * (1.0 - weight) + end * weight


def warm_up(steps: float, after: Schedule) -> Schedule:
    """Grow linearly from 0 to ``after(0)`` over ``steps``, then follow ``after(step - steps)``."""
    require(steps > 0, "steps", steps, "a positive number")
    return lambda step: (
        after(0.0) * max(0.0, step) / steps if step < steps else after(step - steps)
    )


def three_phase(
    first: float, second: float, third: float, steps: float = 1.0,
    ends: tuple[float, float] = (0.3, 0.7),
) -> Schedule:
    """Three plateaus; the second begins at ``ends[0]`` of the way, the third at ``ends[1]``.

    Gated networks are often trained so: learn the task, close gates, settle.
    """
    require(0 <= ends[0] <= ends[1] <= 1, "ends", ends, "two fractions in ascending order")
    return _between(lambda t: first if t < ends[0] else second if t < ends[1] else third, steps)


def _three_phase_between(start: float, end: float, steps: float = 1.0) -> Schedule:
    """Three plateaus from ``start`` by the mean to ``end``."""
    return three_phase(start, 0.5 * (start + end), end, steps)


def _warm_up_cosine(start: float, end: float, steps: float = 1.0) -> Schedule:
    """The first tenth grows from 0 to ``start``, the rest is a cosine down to ``end``."""
    return warm_up(0.1 * steps, cosine(start, end, 0.9 * steps))


SCHEDULES: dict[str, Callable[[float, float, float], Schedule]] = {
    "constant": lambda start, end, steps: constant(start),
    "linear": linear,
    "cosine": cosine,
    "exponential": exponential,
    "cubic": cubic,
    "warm-up-cosine": _warm_up_cosine,
    "three-phase": _three_phase_between,
}


def by_name(name: str, start: float, end: float, steps: float = 1.0) -> Schedule:
    """Look a schedule up by name, for the command line; raises InputError with the known names."""
    require(name in SCHEDULES, "schedule", repr(name), f"one of {', '.join(SCHEDULES)}")
    return SCHEDULES[name](start, end, steps)
