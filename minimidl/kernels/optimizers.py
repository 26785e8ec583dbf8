"""Optimiser steps in Numba: one pass over parameter, gradient and moments.

NumPy walks over these arrays a dozen times, once per operation, and each walk reads and writes
memory. Here every number is read once and written once. The formulas, and the order of their
roundings, are those of ``update`` in ``learning/adam.py`` and ``learning/sgd.py``: nothing is fused
or reordered, so the bits are the same with and without Numba. That costs nothing, because memory is
what the loop waits for.

A moment nearer to 0 than ``least`` becomes 0 (see ``learning/subnormal.py``; 0 drops nothing). It
is a choice between two values and not a branch, so that the loops run in vectors. NaN and infinity
pass through.

Every kernel works on spans ``(m, 2)`` of its flat arrays: from the first number, up to but without
the second. A dense step is one span; a sparse step has one per run of neighbouring rows, and what
lies between them is neither read nor written. Spans are not checked here. All scalars come in the
dtype of the arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled

STRETCH = 128
"""Numbers looked at between two questions whether a row has a gradient."""


@compiled()
def sgd(spans: Array, values: Array, grad: Array, kept: Any, rate: Any) -> None:
    """``p <- kept p - rate g``."""
    for start, stop in spans:
        p, g = values[start:stop], grad[start:stop]
        for i in range(p.shape[0]):
            p[i] = p[i] * kept - g[i] * rate


@compiled()
def momentum(
    spans: Array, values: Array, grad: Array, velocity: Array, kept: Any, rate: Any, beta: Any,
    least: Any,
) -> None:
    """``u <- beta u + g``, then ``p <- kept p - rate u``."""
    zero = least - least
    for start, stop in spans:
        p, g, u = values[start:stop], grad[start:stop], velocity[start:stop]
        for i in range(p.shape[0]):
            speed = u[i] * beta + g[i]
            speed = zero if abs(speed) < least else speed
            u[i] = speed
            p[i] = p[i] * kept - speed * rate


@compiled()
def nesterov(
    spans: Array, values: Array, grad: Array, velocity: Array, kept: Any, rate: Any, beta: Any,
    least: Any,
) -> None:
    """``u <- beta u + g``, then ``p <- kept p - rate (g + beta u)``."""
    zero = least - least
    for start, stop in spans:
        p, g, u = values[start:stop], grad[start:stop], velocity[start:stop]
        for i in range(p.shape[0]):
            speed = u[i] * beta + g[i]
            speed = zero if abs(speed) < least else speed
            u[i] = speed
            p[i] = p[i] * kept - (speed * beta + g[i]) * rate


@compiled()
def adam(
    spans: Array, values: Array, grad: Array, first: Array, second: Array, kept: Any, rate: Any,
    beta1: Any, rest1: Any, beta2: Any, rest2: Any, eps: Any, least: Any,
) -> None:
    """``m <- b1 m + (1-b1) g``, ``v <- b2 v + (1-b2) g^2``, ``p <- kept p - rate m/(sqrt(v)+eps)``.

    The corrections of the step are in ``rate`` and ``eps``; ``rest1`` and ``rest2`` are one minus
    the betas, made in float64.
    """
    zero = least - least
    for start, stop in spans:
        p, g, m, v = values[start:stop], grad[start:stop], first[start:stop], second[start:stop]
        for i in range(p.shape[0]):
            mean = m[i] * beta1 + g[i] * rest1
            square = v[i] * beta2 + g[i] * g[i] * rest2
            mean = zero if abs(mean) < least else mean
            square = zero if square < least else square
            m[i], v[i] = mean, square
            p[i] = p[i] * kept - mean / (np.sqrt(square) + eps) * rate


@compiled()
def find_rows(grad: Array, found: Array) -> int:
    """Write the numbers of the rows of ``(rows, n)`` that are not all zero; answer how many.

    It stops after the first stretch that is not all 0, so a row with a gradient costs next to
    nothing; inside a stretch it does not stop, so that the loop runs in vectors.
    """
    count = 0
    for row in range(grad.shape[0]):
        for start in range(0, grad.shape[1], STRETCH):
            part = grad[row, start:start + STRETCH]
            seen = 0
            for i in range(part.shape[0]):
                seen |= part[i] != 0
            if seen:
                found[count] = row
                count += 1
                break
    return count


@compiled()
def join_rows(rows: Array, width: int, spans: Array) -> int:
    """Write the spans of :func:`spans_of`; answer how many."""
    count = 0
    for row in rows:
        if count == 0 or spans[count - 1, 1] != row * width:
            spans[count, 0] = row * width
            count += 1
        spans[count - 1, 1] = (row + 1) * width
    return count


STEPS = {"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "adam": adam}


def step(
    name: str, arrays: Sequence[Array], numbers: Sequence[float], rows: Array | None = None,
    width: int = 1,
) -> None:
    """One optimiser step in place.

    Args:
        name: key of :data:`STEPS`.
        arrays: parameter, gradient and slots: ``(n,)``, C-contiguous, all of one dtype.
        numbers: the scalars of the kernel, in its order.
        rows: int64 numbers of the rows to step, rising and in range (not checked here); None: all.
        width: numbers per row.

    """
    kind = arrays[0].dtype.type
    spans = np.array([[0, arrays[0].size]]) if rows is None else spans_of(rows, width)
    STEPS[name](spans, *arrays, *[kind(number) for number in numbers])


def spans_of(rows: Array, width: int) -> Array:
    """Spans ``(m, 2)`` of rising ``rows``, neighbours in one.

    Rows 0, 1 and 4 of width 3 are the spans 0 to 6 and 12 to 15.
    """
    spans = np.empty((len(rows), 2), np.int64)
    return spans[:join_rows(rows, width, spans)]


def nonzero_rows(grad: Array) -> Array:
    """Numbers of the rows of ``(rows, n)`` that are not all zero, rising, int64."""
    found = np.empty(len(grad), np.int64)
    return found[:find_rows(grad, found)]
