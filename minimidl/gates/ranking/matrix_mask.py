"""A Top-k mask out of a soft permutation matrix: what SoftSort and NeuralSort share.

Row ``i`` of a soft permutation matrix says where the i-th largest score may be: a probability
vector, ``P_i = softmax(L_i)``. The first ``k`` rows, added up, are a mask:

    p_j = sum over i <= k of P_ij,        sum_j p_j = k

Rows sum to 1, columns need not, so **an entry of the mask may exceed 1**. For scores (1, 0, -1, -9)
and ``k = 3`` SoftSort counts the second score 1.07 times: it is near to all of the first three.

Teaching size: every pair of scores is compared, so time and memory are quadratic in ``n``. More
than :data:`MOST_PAIRS` pairs (one row of 4096, or 256 rows of 256) are refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.rows import check_rows
from minimidl.gates.threshold.base import check_topk

MOST_PAIRS = 4096**2
"""Largest ``rows * n * n``: 128 MB for each of a handful of float64 arrays."""


class MatrixMask(ABC):
    """Top-k mask by the first ``k`` rows of a soft permutation matrix; ``k`` a whole number."""

    @abstractmethod
    def logits(self, u: Array, k: int) -> Array:
        """``L`` ``(rows, k, n)`` for scaled scores ``u`` ``(rows, n)``."""

    @abstractmethod
    def logits_vjp(self, u: Array, grad_logits: Array) -> Array:
        """``dL/du`` ``(rows, n)`` from the gradient of the logits ``(rows, k, n)``."""

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Add up the first ``k`` rows of the soft permutation matrix.

        Args:
            scores: ``z``, ``(rows, n)``, finite floats, ``rows * n * n`` at most 4096 squared.
            k: a whole number in [0, n]; for 0 and for n nothing is left to choose and the mask is
                all zeros or all ones.
            temperature: ``T > 0``; towards 0 the mask becomes hard.
            rng: not used: this operator draws nothing.

        Returns:
            ``p`` ``(rows, n)``: at least 0, sum ``k``, entries may exceed 1; and the memory.

        Raises:
            InputError: scores not finite, k not a whole number in [0, n], temperature not
                positive, too many pairs.

        """
        check_rows(scores, temperature)
        check_topk(scores, k, temperature)
        require(float(k).is_integer(), "k", k, "a whole number", "rows of a matrix have no parts")
        rows, n = scores.shape
        require(rows * n * n <= MOST_PAIRS, "scores", f"shape {scores.shape}",
                f"rows * n * n of at most {MOST_PAIRS}",
                "this operator compares all pairs; 'lapsum' or 'sigmoid' have no such limit")
        if k <= 0 or k >= n:
            full = np.full_like(scores, 0 if k <= 0 else 1)
            return full, {"u": scores, "temperature": temperature}
        # Only differences of scores count; small numbers keep more digits.
        u = (scores - np.median(scores, axis=1, keepdims=True)) / scores.dtype.type(temperature)
        matrix = softmax(self.logits(u, int(k)))  # (rows, k, n)
        return matrix.sum(axis=1), {"u": u, "matrix": matrix, "temperature": temperature}

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """``scores`` ``(rows, n)`` and ``temperature`` (0-d); none in ``k``, a count of rows."""
        require_like(grad_p, memory["u"], "grad_p")
        if "matrix" not in memory:
            return {"scores": np.zeros_like(grad_p), "temperature": np.zeros((), grad_p.dtype)}
        matrix, g = memory["matrix"], grad_p[:, None, :]  # every row of the matrix hears the same g
        grad_logits = matrix * (g - (matrix * g).sum(axis=2, keepdims=True))
        grad_u = self.logits_vjp(memory["u"], grad_logits)
        pull = grad_u / grad_u.dtype.type(memory["temperature"])
        # The mask depends on z / T alone: T dp/dT = -<dp/dz, z>.
        return {"scores": pull, "temperature": np.asarray(-(pull * memory["u"]).sum())}


def softmax(logits: Array) -> Array:
    """Softmax over the last axis."""
    weight = np.exp(logits - logits.max(axis=2, keepdims=True))
    return weight / weight.sum(axis=2, keepdims=True)
