"""The compiled Top-k operators as plain functions: allocate, convert, call.

Everything a kernel needs as a typed number is made here once per call, because Numba would turn a
product of float32 and a Python number into float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels import capped, implicit, select, topk

CURLS = {"sigmoid": 1, "lapsum": 0}
"""The constant c of ``topk.py`` by member."""
MEMBERS = ("sigmoid", "lapsum", "capped-simplex")

DEGREES = {"float32": 7, "float64": 13}
"""Of the Taylor polynomial of exp: the first whose error on |r| <= ln(2) / 2 rounds away."""
FINE = {"float32": 1e-3, "float64": 1e-8}
"""A last Newton step so small leaves an error of half its square: below one rounding."""
LANES = 64
"""Rows are worked on in rooms of a multiple of it: four vectors of 16 float32, or eight of 8."""
COARSE = 64  # as in gates/threshold/base.py


def whole_rows(scores: Array) -> Array:
    """The array itself if kernels can walk it, else a copy."""
    return scores if scores.flags.carray else np.array(scores, order="C")


def topk_mask(scores: Array, k: int) -> Array | None:
    """Boolean ``(rows, n)`` mask, exactly ``k`` per row, ties to the lowest index; 0 < k < n.

    None where scores, or their squares in float64, are not finite.
    """
    mask = np.empty(scores.shape, np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):  # told by the answer
        done = select.row_masks(whole_rows(scores), k, np.finfo(scores.dtype).max, mask)
    return mask if done else None


def solve(
    member: str, scores: Array, k: float, temperature: float
) -> tuple[Array, Array, Array, bool]:
    """``p``, ``slope``, ``u`` as in ``gates.threshold.base.Solved``, and whether T is too low.

    Args:
        member: one of :data:`MEMBERS`.
        scores: ``(rows, n)`` finite, float32 or float64.
        k: strictly between 0 and n.
        temperature: positive.

    """
    scores, kind, info = whole_rows(scores), scores.dtype.type, np.finfo(scores.dtype)
    width = max(float(temperature), float(info.tiny))
    cuts = np.empty(len(scores), scores.dtype)
    means, spreads = np.empty(len(scores)), np.empty(len(scores))
    p, slope, u = (np.empty_like(scores) for _ in range(3))
    # With a whole k all is decided where the gap below the k-th score is wider than F reaches, and
    # any shift into the gap will do. Otherwise the k-th score is the one that is shared out.
    exact = float(k) != math.floor(k)
    select.row_cuts(scores, math.ceil(k), exact, info.max, cuts, means, spreads)
    far, coarse = (kind(min(width * units, float(info.max)))
                   for units in (topk.FARTHEST, 1 / (COARSE * float(info.eps))))
    given = (scores, float(k), kind(width), far, coarse, cuts, means, spreads)
    if member == "capped-simplex":
        beyond = capped.capped_topk(*given, p, slope, u)
    else:
        name, whole = scores.dtype.name, -(-scores.shape[1] // LANES) * LANES
        room = np.full((3, whole), -2 * topk.FARTHEST, scores.dtype)
        beyond = topk.exponential_topk(
            *given, kind(CURLS[member]), series(scores.dtype), FINE[name], room, p, slope, u)
    return p, slope, u, bool(beyond)


def series(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """``1 / j!`` from the highest power down, as numbers of ``dtype``."""
    return tuple(dtype.type(1 / math.factorial(j)) for j in range(DEGREES[dtype.name], -1, -1))


def implicit_backward(
    slope: Array, u: Array, temperature: float, grad_p: Array
) -> tuple[Array, Any, Any]:
    """Gradients of scores, k and temperature, as ``gates.threshold.base.implicit_backward``."""
    kind = slope.dtype.type
    pull = np.empty(slope.shape, slope.dtype)
    width = kind(max(float(temperature), float(np.finfo(slope.dtype).tiny)))
    k, t = implicit.implicit_rows(
        whole_rows(slope), whole_rows(u), width, whole_rows(grad_p), pull)
    return pull, kind(k), kind(t)
