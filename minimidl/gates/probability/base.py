"""One backward for every map from scores to a probability vector.

All members answer ``p_i = f(u_i - tau)`` with ``u = z / T``, ``f`` increasing and ``tau`` such that
``sum p = 1``: the threshold equation of ``gates/threshold/base.py`` with the budget 1 and no
upper cap. So the backward is the one derived there. With the slope ``s_i = f'(u_i - tau)``,

    dL/dz = s * (g - <s, g> / sum s) / T          dL/dT = -<dL/dz, u>

and the members differ in one line, ``s`` as a function of ``p``:

    softmax p        entmax-1.5 sqrt(p)        sparsemax 1[p > 0]        alpha-entmax p^(2 - alpha)

Sources: Martins and Astudillo 2016 (1602.02068); Peters, Niculae and Martins 2019 (1905.05702).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require_like
from minimidl.gates.rows import check_rows
from minimidl.gates.threshold.base import implicit_backward

LOWEST = -1000.0
"""A scaled score so far below the best of its row is answered with exactly 0 by every member."""


class Probability(ABC):
    """Scores to a probability vector per row: at least 0, sum 1, order kept.

    This is *not* an exact Top-k: the budget is 1, and how many entries of a sparse member are not 0
    is decided by the scores.
    """

    @abstractmethod
    def solve(self, u: Array) -> Array:
        """``p`` ``(rows, n)`` for scaled scores whose row maximum is 0, dtype of ``u``."""

    @abstractmethod
    def slope(self, p: Array) -> Array:
        """``s = f'`` as a function of ``p``; 0 where ``p`` is exactly 0."""

    def forward(
        self, scores: Array, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Turn each row of scores into probabilities.

        Args:
            scores: ``z``, ``(rows, n)``, finite, float.
            temperature: ``T > 0``; towards 0 the best entry takes all (ties share), towards
                infinity all entries get ``1 / n``.
            rng: not used: this operator draws nothing.

        Returns:
            ``p`` ``(rows, n)`` in the dtype of ``scores``, and the memory for :meth:`backward`.

        Raises:
            InputError: scores not finite rows of floats, temperature not positive.

        """
        check_rows(scores, temperature)
        u = scaled(scores, temperature)
        p = self.solve(u)
        return p, {"u": u, "p": p, "slope": self.slope(p), "support": p > 0,
                   "temperature": temperature}

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """``scores`` ``(rows, n)`` and ``temperature`` (0-d, summed over rows); see file head.

        Raises InputError where ``grad_p`` has not the shape and dtype of the scores.
        """
        require_like(grad_p, memory["p"], "grad_p")
        grads = implicit_backward(memory["slope"], memory["u"], memory["temperature"], grad_p)
        return {"scores": grads["scores"], "temperature": np.asarray(grads["temperature"])}


def scaled(scores: Array, temperature: float) -> Array:
    """``(z - max z) / T``, at least :data:`LOWEST`.

    The shift changes no answer and saves digits. The floor changes none either, and it keeps sums
    of squares small and ``0 * u`` a number where ``u`` would be infinite.
    """
    width = scores.dtype.type(temperature)
    with np.errstate(over="ignore"):
        u = (scores - scores.max(axis=1, keepdims=True)) / width
    return np.maximum(u, scores.dtype.type(LOWEST))


def descending(x: Array) -> Array:
    """Each row from largest to smallest, float64 (sums over many entries follow)."""
    return -np.sort(-x.astype(np.float64), axis=1)


def at(table: Array, support_size: Array) -> Array:
    """``(rows, 1)``: the value that ``table`` holds for each row's support size (from 1)."""
    return np.take_along_axis(table, support_size[:, None] - 1, axis=1)
