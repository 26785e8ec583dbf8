"""Gumbel Top-k: the hard Top-k of noisy scores is a sample without replacement.

The k largest of ``z + G``, with independent standard Gumbel ``G``, are distributed as k draws
without replacement with probabilities in proportion to ``exp(z)`` (Plackett and Luce; Kool, van
Hoof and Welling 2019). The sample is piecewise constant in ``z``; ``backward`` returns the
derivative of the stand-in of ``threshold/hard.py``, taken at the noisy scores.
"""

from __future__ import annotations

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.gates.sampling.noise import gumbel_noise, need_rng
from minimidl.gates.threshold.base import check_topk
from minimidl.gates.threshold.hard import HardTopK


class GumbelTopK:
    """Exactly ``k`` of ``n``, drawn without replacement in proportion to ``exp(z)``.

    Card:
        formula: p = hard Top-k of z + G, G standard Gumbel
        cost: O(n) forward, O(n) backward
        exactly k: yes, k ones in every draw
        exact zeros: yes
        use when: the choice itself should explore, and what runs in training must be hard
        source: Kool, van Hoof and Welling 2019, arXiv 1903.06059, section 3; surrogate ours
    """

    stochastic = True

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Mask of zeros and ones, ``(rows, n)``, in the dtype of ``scores``.

        Args:
            scores: ``(rows, n)``, finite.
            k: a whole number in [0, n].
            temperature: width of the surrogate; the sample does not depend on it.
            rng: draws the noise, which stays in the memory.

        Raises:
            InputError: rng missing, scores not finite, k not a whole number in [0, n],
                temperature not positive.

        """
        check_topk(scores, k, temperature)
        noise = gumbel_noise(need_rng(rng, "Gumbel Top-k"), scores.shape).astype(scores.dtype)
        mask, memory = HardTopK().forward(scores + noise, k, temperature)
        return mask, memory | {"noise": noise}

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """Surrogate gradients of scores, k and temperature at the noisy scores."""
        return HardTopK().backward(grad_p, memory)
