"""Threshold Top-k: one idea, one backward, many members.

Find the one number ``tau`` (per row) with ``sum_i F((z_i - tau) / T) = k`` and answer
``p_i = F(u_i)``, ``u_i = (z_i - tau) / T``. Differentiating the equation that defines ``tau`` gives
one backward for every ``F``, with ``d = F'(u)``, ``D = sum d`` and ``mean_grad = <d, g> / D``:

    dL/dz_i = d_i (g_i - mean_grad) / T
    dL/dk   = mean_grad
    dL/dT   = -(1 / T) sum_i d_i u_i (g_i - mean_grad)

A member brings its solver for ``tau``, ``F`` and ``F'``; see ``sigmoid.py``.

Towards ``T = 0`` the answer is the hard Top-k, and equal scores at the cut share what is left:
k = 2 of (2, 1, 1, 1, 0) is (1, 1/3, 1/3, 1/3, 0). There all slopes vanish, and so do all gradients;
dL/dk, which then has no meaning, is answered as 0.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_finite, require_like
from minimidl.gates.fast_rows import row_kernels
from minimidl.gates.rows import check_scores, is_number

COARSE = 64
"""A warning is due where T is below so many rounding errors of the scores."""
FARTHEST = 4096.0
"""In units of T: beyond it no ``F`` differs from 0 or 1, and no slope from 0."""


def check_topk(scores: Array, k: float, temperature: float) -> None:
    """Raise InputError for scores that are not finite rows, k outside [0, n] or T <= 0."""
    check_problem(scores, k, temperature)
    require_finite(scores, "scores")


def check_problem(scores: Array, k: float, temperature: float) -> None:
    """:func:`check_topk` without the look at every score."""
    check_scores(scores)
    require(is_number(k) and 0 <= k <= scores.shape[1], "k", repr(k),
            f"a number in [0, {scores.shape[1]}]")
    require(is_number(temperature) and temperature > 0, "temperature", repr(temperature),
            "a positive number")


def implicit_backward(
    slope: Array, u: Array, temperature: float, grad_p: Array
) -> Grads:
    """The one backward of the family; see the head of this file.

    Args:
        slope: ``d = F'(u)``, ``(rows, n)``.
        u: ``(z - tau) / T``, ``(rows, n)``.
        temperature: ``T``.
        grad_p: ``g = dL/dp``, ``(rows, n)``.

    Returns:
        ``scores`` ``(rows, n)``; ``k`` and ``temperature`` as 0-d arrays (summed over the rows,
        because one number serves all rows).

    """
    tiny = np.finfo(np.float64).tiny
    total = slope.sum(axis=1, dtype=np.float64, keepdims=True)  # (rows, 1)
    weighted = (slope * grad_p).sum(axis=1, dtype=np.float64, keepdims=True)
    # Where every slope has vanished (T -> 0) all gradients are 0; the guard turns 0/0 into 0.
    mean_grad = (weighted / np.maximum(total, tiny)).astype(slope.dtype)  # (rows, 1)
    pull = slope * (grad_p - mean_grad) / width(temperature, slope)
    return {
        "scores": pull,
        "k": mean_grad.sum(),
        "temperature": -(pull * u).sum(),
    }


def family_backward(slope: Array, u: Array, temperature: float, grad_p: Array) -> Grads:
    """:func:`implicit_backward`, compiled where the array is large.

    Raises InputError where ``grad_p`` has not the shape and dtype of the scores.
    """
    require_like(grad_p, slope, "grad_p")
    fast = row_kernels(slope)
    if fast is None:
        return implicit_backward(slope, u, temperature, grad_p)
    scores, k, t = fast.implicit_backward(slope, u, temperature, grad_p)
    return {"scores": scores, "k": k, "temperature": t}


def scale(scores: Array, k: float, temperature: float) -> Array:
    """Scores in units of the temperature, 0 at the cut: ``(z - z_m) / T``, ``(rows, n)``.

    ``z_m`` is the m-th largest score, m = ceil(k). Shifting changes nothing (shift invariance), and
    from here the scores that are still undecided are small numbers with all their digits, whatever
    the common offset and however low the temperature.

    Warns (RuntimeWarning) where ``T < 64 eps max|z - z_m|``: the scores themselves are then too
    coarse in their dtype for so low a temperature, and their order near the cut may be rounding.
    """
    place = scores.shape[1] - math.ceil(k)
    centred = scores - np.partition(scores, place, axis=1)[:, place, None]
    reach = np.max(np.abs(centred), initial=0)
    if temperature < COARSE * np.finfo(scores.dtype).eps * reach:
        warnings.warn(
            f"temperature {temperature:g} is too low for {scores.dtype} scores that spread over "
            f"{reach:g}: gradients are mostly rounding (raise it or use float64)",
            RuntimeWarning, stacklevel=4)
    return in_units(centred, temperature)


def in_units(centred: Array, temperature: float) -> Array:
    """``z / T``, held within +-4096: there every ``F`` is 0 or 1, and no number overflows."""
    with np.errstate(over="ignore"):
        return np.clip(centred / width(temperature, centred), -FARTHEST, FARTHEST)


def width(temperature: float, like: Array) -> np.floating:
    """``T`` in the dtype of ``like``, at least its smallest normal number: never 0 / 0."""
    return like.dtype.type(max(temperature, np.finfo(like.dtype).tiny))


class Solved(NamedTuple):
    """A solved row problem; every array is ``(rows, n)`` in the dtype of the scores.

    Attributes:
        p: ``F(u)``, the answer.
        slope: ``F'(u)``.
        u: ``(z - tau) / T``.

    """

    p: Array
    slope: Array
    u: Array


class ThresholdTopK(ABC):
    """A soft Top-k operator: ``p`` in [0, 1], ``sum p = k`` in every row, order preserved.

    A member is ``cut``, ``cdf``, ``slope`` and ``middle``. Where there is a compiled twin, large
    arrays go to it; see ``fast_rows.py``.

    Attributes:
        middle: the ``u`` with ``F(u) = 1/2``: where the cut of a hard choice sits.
        twin: name of the compiled twin in ``minimidl.kernels``; empty if there is none.

    """

    middle: float
    twin: str = ""

    @abstractmethod
    def cut(self, scaled: Array, k: float) -> Array:
        """``tau`` ``(rows, 1)`` in float64 for temperature 1 and ``0 < k < n``.

        ``scaled`` comes from :func:`scale`: 0 is the ceil(k)-th largest score of the row.
        """

    @abstractmethod
    def cdf(self, u: Array) -> Array:
        """``F(u)``."""

    @abstractmethod
    def slope(self, u: Array) -> Array:
        """``F'(u)``."""

    def solve(self, scores: Array, k: float, temperature: float) -> Solved:
        """Find ``tau`` for every row and evaluate there, for ``0 < k < n``.

        Compiled for large arrays; what follows is the NumPy reference. Raises InputError for scores
        that are not finite: here, because compiled rows find out while they look at them anyway.
        """
        fast = row_kernels(scores) if self.twin else None
        if fast is not None:
            p, slope, u, coarse = fast.solve(self.twin, scores, k, temperature)
            if coarse:
                scale(scores, k, temperature)  # for its warning, and for its precise rule
            return Solved(p, slope, u)
        require_finite(scores, "scores")
        scaled = scale(scores, k, temperature)
        u = (scaled - self.cut(scaled, k)).astype(scores.dtype)
        return Solved(self.cdf(u), self.slope(u), u)

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Choose ``k`` of ``n`` softly.

        Args:
            scores: ``z``, ``(rows, n)``, finite.
            k: budget, any real number in [0, n].
            temperature: ``T > 0``; towards 0 the answer becomes the hard Top-k, ties shared.
            rng: not used: this operator draws nothing.

        Returns:
            ``p`` ``(rows, n)`` and the memory for :meth:`backward`.

        Raises:
            InputError: scores not finite, k outside [0, n], temperature not positive.

        Warns:
            RuntimeWarning: the temperature is too low for the precision; see :func:`scale`.

        """
        check_problem(scores, k, temperature)
        if k <= 0 or k >= scores.shape[1]:  # nothing left to choose: every gradient is 0
            require_finite(scores, "scores")
            full = np.full_like(scores, 0 if k <= 0 else 1)
            return full, {"u": np.zeros_like(scores), "slope": np.zeros_like(scores),
                          "temperature": temperature}
        p, slope, u = self.solve(scores, k, temperature)
        return p, {"u": u, "slope": slope, "temperature": temperature}

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """``dL/d(scores)``, ``dL/dk``, ``dL/d(temperature)`` by :func:`family_backward`."""
        return family_backward(memory["slope"], memory["u"], memory["temperature"], grad_p)
