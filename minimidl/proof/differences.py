"""Central differences: the derivative as it is written in school, two evaluations per entry.

    df/dx_i  ~  (f(x + h e_i) - f(x - h e_i)) / (2 h)

The truncation error falls with ``h^2``, the rounding error grows with ``1 / h``; they balance near
the cube root of the machine epsilon, ``6e-6`` in float64. In float32 the best ``h`` leaves two
digits, which is why proofs are made in float64 and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require

STEP = 6e-6
"""Cube root of the float64 machine epsilon; multiplied by ``max(1, |x|)``."""

FAR = 8.0
"""The kink probe looks this many steps away on either side."""

BEND = 1e-3
"""Largest relative jump between the slopes left and right of a smooth point."""


class Measured(NamedTuple):
    """A numeric derivative, and how far the function is from smooth there (0 is smooth)."""

    slope: float
    roughness: float


def numeric_gradient(
    f: Callable[[Array], float], x: Array, eps: float | None = None
) -> Array:
    """Return ``df/dx`` by central differences on every entry of ``x``.

    Args:
        f: takes ``x`` and returns one number. It may also read ``x`` from elsewhere, for instance
            from ``layer.params``: the entries are changed in place, one at a time, and put back.
        x: float64 array of any shape; bitwise the same afterwards.
        eps: step; ``6e-6 * max(1, |x_i|)`` per entry unless given.

    Returns:
        An array like ``x``.

    Raises:
        InputError: ``x`` is not a float64 array.

    """
    require_float64(x, "x")
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        step = step_size(float(x[index])) if eps is None else eps
        gradient[index] = central(lambda: f(x), x, index, step)
    return gradient


def require_float64(x: Array, argument: str) -> None:
    """Raise :class:`minimidl.errors.InputError` unless ``x`` is a float64 array."""
    got = getattr(x, "dtype", type(x).__name__)
    require(isinstance(x, np.ndarray) and got == np.float64, argument, got, "a float64 array",
            "differences in a lower precision prove nothing: build with dtype=numpy.float64")


def step_size(value: float) -> float:
    """``6e-6 * max(1, |value|)``."""
    return STEP * max(1.0, abs(value))


@contextmanager
def disturbed(x: Array, index: tuple[int, ...], by: float) -> Iterator[float]:
    """Change one entry in place for the length of a ``with``; yields the change after rounding."""
    before = x[index].copy()
    x[index] += by
    try:
        yield float(x[index] - before)
    finally:
        x[index] = before


def central(f: Callable[[], float], x: Array, index: tuple[int, ...], step: float) -> float:
    """Slope of ``f`` along one entry of ``x``, from one step to either side."""
    with disturbed(x, index, step) as right:
        above = f()
    with disturbed(x, index, -step) as left:
        below = f()
    return (above - below) / (right - left)


def measure_entry(f: Callable[[], float], x: Array, index: tuple[int, ...]) -> Measured:
    """Slope along one entry, with a look at whether a kink is near; see :func:`smoothness`."""
    def at(steps: float) -> float:
        with disturbed(x, index, steps * step):
            return f()

    step = step_size(float(x[index]))
    return smoothness(at, step)


def smoothness(at: Callable[[float], float], step: float) -> Measured:
    """Measure a slope and how rough the function is around it.

    At a smooth point the slopes over one and over eight steps agree to ``h^2``, and the slopes to
    the left and to the right agree to ``h``. A kink inside the outer steps breaks the first, a kink
    exactly at the point breaks the second (there the first stays blind, by symmetry).

    Args:
        at: value of the function so many steps away.
        step: length of one step.

    """
    above, below = at(1.0), at(-1.0)
    slope = (above - below) / (2 * step)
    far_slope = (at(FAR) - at(-FAR)) / (2 * FAR * step)
    bend = abs(above - 2 * at(0.0) + below) / step
    scale = max(1.0, abs(slope))
    excess = max(0.0, bend - BEND * scale)
    return Measured(slope, max(abs(far_slope - slope), excess) / scale)
