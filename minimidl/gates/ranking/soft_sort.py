"""Soft sort: sorted values whose derivative reaches more than one score each.

The same projection as in ``soft_rank.py``, roles exchanged: ``w / T`` with ``w = (n, ..., 1)``
is projected on the permutahedron of the scores. With ``s`` the scores from largest to smallest and
``a = w / T``, and ``mean_B`` over the blocks that the isotonic regression of ``a - s`` pools,

    sorted = a - mean_B(a - s) = mean_B(s) + (a - mean_B(a))

Backward: ``ds = mean_B(g)``, put back into the order of the input, and ``da = g - mean_B(g)``.

Source: Blondel, Teboul, Berthet and Djolonga 2020 (2002.08871), quadratic regularisation.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.gates.ranking.isotonic import block_means, block_starts
from minimidl.gates.ranking.order import descending_order, put_back
from minimidl.gates.rows import check_rows, require_shape


class SoftSort:
    """The scores of each row from largest to smallest, pulled to their mean by a large ``T``.

    The sum of a row is kept. The answer is exact once neighbouring scores differ by at most
    ``1 / T``; the gradient is then the permutation that sorts. Not to be taken for the matrix of
    the same name by Prillo and Eisenschlos (``softsort_mask.py``).

    Card:
        formula: sorted = projection of (n, ..., 1) / T on the permutahedron of z
        cost: O(n log n) forward, O(n) backward
        exactly k: no, it answers values
        exact zeros: no
        use when: a loss is written on sorted values, such as a quantile or a trimmed mean.
        source: Blondel et al. 2020, arXiv 2002.08871
    """

    def forward(
        self, scores: Array, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Sort each row softly; worked in float64, answered in the dtype of ``scores``.

        Args:
            scores: ``z``, ``(rows, n)``, finite floats.
            temperature: ``T > 0`` (the paper's epsilon), in units of one over the scores.
            rng: not used: this operator draws nothing.

        Returns:
            Values ``(rows, n)``, never increasing along a row; and the memory.

        Raises:
            InputError: scores not finite rows of floats, temperature not positive.

        """
        check_rows(scores, temperature)
        order = descending_order(scores)
        s = np.take_along_axis(scores, order, axis=1).astype(np.float64)
        a = np.broadcast_to(np.arange(s.shape[1], 0, -1.0) / temperature, s.shape)
        starts = block_starts(a - s)
        values = block_means(s, starts) + (a - block_means(a, starts))
        memory = {"a": a, "order": order, "starts": starts, "temperature": temperature}
        return values.astype(scores.dtype), memory

    def backward(self, grad_sorted: Array, memory: Memory) -> Grads:
        """``scores`` ``(rows, n)``; ``temperature`` 0-d, ``-<dL/da, a> / T`` over all rows."""
        require_shape(grad_sorted, memory["a"], "grad_sorted")
        pooled = block_means(grad_sorted, memory["starts"])
        grad_a = grad_sorted - pooled
        grad_temperature = -(grad_a * memory["a"]).sum() / memory["temperature"]
        return {"scores": put_back(pooled, memory["order"]).astype(grad_sorted.dtype),
                "temperature": np.asarray(grad_temperature.astype(grad_sorted.dtype))}
