"""The compiled Top-k operators as plain functions: allocate, convert, call.

Everything a kernel needs as a typed number is made here once per call, because Numba would turn a
product of float32 and a Python number into float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require_finite
from minimidl.kernels import capped, implicit, select, sigmoid, topk

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
        scores: ``(rows, n)``, float32 or float64.
        k: strictly between 0 and n.
        temperature: positive.

    Raises:
        InputError: scores not finite.

    """
    scores = whole_rows(scores)
    p, slope, u = (np.empty_like(scores) for _ in range(3))
    left = np.ones(len(scores), np.bool_)
    if member == "sigmoid":
        solve_easy(scores, k, temperature, p, slope, u, left)
        if not left.any():  # and every score is finite
            return p, slope, u, False
    require_finite(scores, "scores")
    if left.all():
        return p, slope, u, solve_all(member, scores, k, temperature, p, slope, u)
    rest = scores[left]
    answers = [np.empty_like(rest) for _ in range(3)]
    beyond = solve_all(member, rest, k, temperature, *answers)
    p[left], slope[left], u[left] = answers
    return p, slope, u, beyond


def solve_easy(
    scores: Array, k: float, temperature: float, p: Array, slope: Array, u: Array, left: Array
) -> None:
    """Sigmoid Top-k of the rows that are easy; ``left`` says which are not."""
    info = np.finfo(scores.dtype)
    width = max(float(temperature), float(info.tiny))
    room = np.full((2, padded(scores)), sigmoid.HIGHEST, scores.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # told by ``left``
        sigmoid.sigmoid_topk(
            scores, float(k), width, 1 / (COARSE * float(info.eps)), series(scores.dtype),
            FINE[scores.dtype.name], room, p, slope, u, left)


def solve_all(
    member: str, scores: Array, k: float, temperature: float, p: Array, slope: Array, u: Array
) -> bool:
    """Any member, any finite scores; answers whether T is too low."""
    kind, info = scores.dtype.type, np.finfo(scores.dtype)
    width = max(float(temperature), float(info.tiny))
    cuts = np.empty(len(scores), scores.dtype)
    means, spreads = np.empty(len(scores)), np.empty(len(scores))
    # With a whole k all is decided where the gap below the k-th score is wider than F reaches, and
    # any shift into the gap will do. Otherwise the k-th score is the one that is shared out.
    exact = float(k) != math.floor(k)
    select.row_cuts(scores, math.ceil(k), exact, info.max, cuts, means, spreads)
    far, coarse = (kind(min(width * units, float(info.max)))
                   for units in (topk.FARTHEST, 1 / (COARSE * float(info.eps))))
    given = (scores, float(k), kind(width), far, coarse, cuts, means, spreads)
    if member == "capped-simplex":
        return bool(capped.capped_topk(*given, p, slope, u))
    room = np.full((3, padded(scores)), -2 * topk.FARTHEST, scores.dtype)
    return bool(topk.exponential_topk(
        *given, kind(CURLS[member]), series(scores.dtype), FINE[scores.dtype.name], room,
        p, slope, u))


def padded(scores: Array) -> int:
    """Length of a room for one row of scores."""
    return -(-scores.shape[1] // LANES) * LANES


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
