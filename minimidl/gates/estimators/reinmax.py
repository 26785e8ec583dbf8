"""ReinMax: a straight-through estimator that is right to second order.

A Bernoulli gate has the true gradient ``p (1 - p) (f(1) - f(0))``. Straight-through replaces the
difference by ``f'(b)``, one end of the step. ReinMax weighs the draws such that the mean is the
trapezoid ``p (1 - p) (f'(1) + f'(0)) / 2``, which is exact for every quadratic ``f`` (Heun's rule;
Liu, Dong, Yu and Gao 2023):

    dL/dz = (1 - p) g / 2  if b = 1,     p g / 2  if b = 0

For one choice among n, with a one-hot draw ``d`` of ``p = softmax(z)``, ``J(q) g = q (g - <q, g>)``
and ``q = (d + softmax(z / T)) / 2``:   ``dL/dz = 2 J(q) g - J(p) g / 2``.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require_like
from minimidl.gates.estimators.base import Estimator, check_gate
from minimidl.gates.logistic import logistic
from minimidl.gates.rows import check_rows
from minimidl.gates.sampling.noise import gumbel_noise, logistic_noise, need_rng


class ReinMax(Estimator):
    """A Bernoulli(p) gate, ``p = sigmoid((z - cut) / T)``, without bias for quadratic losses.

    Card:
        formula: dL/dz = (1 - p) g / (2 T) if b = 1, p g / (2 T) if b = 0
        cost: O(n) forward, O(n) backward
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: gates are drawn and the bias of straight-through matters
        source: Liu, Dong, Yu and Gao 2023, arXiv 2304.08612, theorem 3.1; two outcomes worked out
    """

    stochastic = True

    def forward(
        self, scores: Array, cut: float = 0.0, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Drawn mask; without ``rng`` the most probable one, ``1[z > cut]``."""
        check_gate(scores, cut, temperature)
        width = scores.dtype.type(temperature)
        u = (scores - scores.dtype.type(cut)) / width
        noise = 0 if rng is None else logistic_noise(
            need_rng(rng, "ReinMax"), scores.shape).astype(scores.dtype)
        is_open = u + noise > 0
        unlikely = logistic(np.where(is_open, -u, u))  # 1 - p if open, p if closed
        return is_open.astype(scores.dtype), {"slope": unlikely / (2 * width), "open": is_open}


class CategoricalReinMax:
    """One of ``n``, drawn from a softmax, without bias for quadratic losses at ``T = 1``.

    Card:
        formula: dL/dz = 2 J((d + softmax(z / T)) / 2) g - J(softmax(z)) g / 2
        cost: O(n) forward, O(n) backward
        exactly k: yes, k = 1
        exact zeros: yes
        use when: one expert is drawn per sample
        source: Liu, Dong, Yu and Gao 2023, arXiv 2304.08612, algorithm 2
    """

    stochastic = True

    def forward(
        self, scores: Array, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """One-hot rows ``(rows, n)`` in the dtype of the scores.

        Args:
            scores: logits, ``(rows, n)``, finite.
            temperature: of the stand-in; the draw does not depend on it.
            rng: draws.

        Raises:
            InputError: rng missing, scores not finite, temperature not positive.

        """
        check_rows(scores, temperature)
        noise = gumbel_noise(need_rng(rng, "categorical ReinMax"), scores.shape)
        chosen = (scores + noise.astype(scores.dtype)).argmax(axis=1, keepdims=True)
        one_hot = np.zeros_like(scores)
        np.put_along_axis(one_hot, chosen, 1, axis=1)
        middle = (one_hot + softmax(scores / scores.dtype.type(temperature))) / 2
        return one_hot, {"plain": softmax(scores), "middle": middle, "open": one_hot > 0}

    def backward(self, grad_mask: Array, memory: Memory) -> Array:
        """``2 J(q) g - J(p) g / 2``, ``(rows, n)``.

        Raises InputError where ``grad_mask`` has not the shape and dtype of the scores.
        """
        require_like(grad_mask, memory["plain"], "grad_mask")
        return 2 * pull(memory["middle"], grad_mask) - pull(memory["plain"], grad_mask) / 2


def softmax(z: Array) -> Array:
    """Rows of ``exp(z)`` scaled to sum 1, safe for large scores."""
    weight = np.exp(z - z.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


def pull(q: Array, g: Array) -> Array:
    """``J(q) g = q (g - <q, g>)``, row by row."""
    return q * (g - (q * g).sum(axis=1, keepdims=True))
