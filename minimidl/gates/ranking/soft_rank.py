"""Soft rank: ranks that have a derivative, exact as soon as the scores are far enough apart.

Ranks are the point of the permutahedron (all orders of 1..n, and what lies between) that the scores
point to. Soft rank is the nearest point of it to ``z / T``. With ``s`` the sorted ``z / T`` and
``w = (n, ..., 1)``, the difference ``s - rank`` is the isotonic regression of ``s - w``, so

    sorted rank = s - mean_B(s - w) = mean_B(w) + (s - mean_B(s))

with ``mean_B`` the mean over the blocks that the regression pools. The second form is the one that
is computed: a block of one entry gives its whole rank without a rounding error.

Backward (blocks are constant almost everywhere): in sorted order ``ds = g - mean_B(g)``.

Source: Blondel, Teboul, Berthet and Djolonga 2020 (2002.08871), quadratic regularisation.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.gates.ranking.isotonic import block_means, block_starts
from minimidl.gates.ranking.order import descending_order, put_back
from minimidl.gates.rows import check_rows, require_shape


class SoftRank:
    """Rank of every score in its row: about 1 for the smallest, about ``n`` for the largest.

    The ranks of a row always sum to ``n (n + 1) / 2`` and keep the order of the scores. They are
    exact once neighbouring scores differ by ``T`` or more, and then the gradient is exactly 0. Do
    not cut a Top-k out of them: it would not hold its budget; the capped simplex is the same
    projection with ``w = (1, ..., 1, 0, ..., 0)``, and it does.

    Card:
        formula: rank = projection of z / T on the permutahedron of (n, ..., 1)
        cost: O(n log n) forward, O(n) backward
        exactly k: no, it answers ranks
        exact zeros: no
        use when: a loss is written on ranks, such as a rank correlation.
        source: Blondel et al. 2020, arXiv 2002.08871
    """

    def forward(
        self, scores: Array, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Rank each row softly; worked in float64, answered in the dtype of ``scores``.

        Args:
            scores: ``z``, ``(rows, n)``, finite floats.
            temperature: ``T > 0`` (the paper's epsilon), in units of the scores.
            rng: not used: this operator draws nothing.

        Returns:
            Ranks ``(rows, n)`` in [1, n], ascending with the scores; and the memory.

        Raises:
            InputError: scores not finite rows of floats, temperature not positive.

        """
        check_rows(scores, temperature)
        order = descending_order(scores)
        s = np.take_along_axis(scores, order, axis=1).astype(np.float64) / temperature
        w = np.arange(s.shape[1], 0, -1.0)
        starts = block_starts(s - w)
        rank = block_means(np.broadcast_to(w, s.shape), starts) + (s - block_means(s, starts))
        memory = {"s": s, "order": order, "starts": starts, "temperature": temperature}
        return put_back(rank, order).astype(scores.dtype), memory

    def backward(self, grad_rank: Array, memory: Memory) -> Grads:
        """``scores`` ``(rows, n)``; ``temperature`` 0-d, ``-<dL/dz, z> / T`` over all rows."""
        require_shape(grad_rank, memory["s"], "grad_rank")
        temperature, order = memory["temperature"], memory["order"]
        g = np.take_along_axis(grad_rank, order, axis=1).astype(np.float64)
        pull = (g - block_means(g, memory["starts"])) / temperature
        grad_temperature = -(pull * memory["s"]).sum()
        return {"scores": put_back(pull, order).astype(grad_rank.dtype),
                "temperature": np.asarray(grad_temperature.astype(grad_rank.dtype))}
