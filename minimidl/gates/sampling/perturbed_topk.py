"""Perturbed Top-k: the mean of hard masks under noise is smooth, though no mask is.

    p = E[M(z + T e)]  ~  (1 / S) sum_s M(z + T e_s),   M the hard Top-k mask

Its derivative needs no derivative of ``M`` (Berthet et al. 2020, proposition 3.1; Cordonnier et
al. 2021 for Top-k). With a noise density ``exp(-v(e))``, ``Y_s`` the masks and ``Y_0 = M(z)``:

    dL/dz = (1 / (T S)) sum_s v'(e_s) <g, Y_s - Y_0>
    dL/dT = (1 / (T S)) sum_s (<e_s, v'(e_s)> - n) <g, Y_s - Y_0>

``Y_0`` is a baseline: ``E v'(e) = 0`` and ``E <e, v'(e)> = n``, so it costs no bias and saves
variance. Gaussian: ``v' = e``. Gumbel: ``v' = 1 - exp(-e)``.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.rows import check_temperature
from minimidl.gates.sampling.noise import gumbel_noise, need_rng
from minimidl.gates.threshold.base import check_topk
from minimidl.gates.threshold.hard import topk_mask


class PerturbedTopK:
    """The mean of ``samples`` hard Top-k masks of noisy scores.

    Args:
        noise: ``"gaussian"`` or ``"gumbel"``.
        samples: ``S``, masks per forward. Time and memory grow with it, the noise of the gradient
            falls with its root.

    Card:
        formula: p = E[hard Top-k of z + T e], e Gaussian or Gumbel, by S draws
        cost: S times O(n) forward, S times O(n) backward
        exactly k: yes in sum, for every draw
        exact zeros: only where no draw opens a gate
        use when: any hard choice at all must be differentiated, and time matters little
        source: Berthet et al. 2020, arXiv 2002.08676; Cordonnier et al. 2021, arXiv 2104.03059
    """

    stochastic = True

    def __init__(self, noise: str = "gaussian", samples: int = 100) -> None:
        require(noise in ("gaussian", "gumbel"), "noise", repr(noise), "'gaussian' or 'gumbel'")
        require(isinstance(samples, int) and samples >= 1, "samples", repr(samples),
                "a whole number of at least 1")
        self.noise, self.samples = noise, samples

    def draw(self, rng: Rng, shape: tuple[int, ...]) -> Array:
        """Noise ``e``, float64."""
        if self.noise == "gumbel":
            return gumbel_noise(rng, shape)
        return rng.standard_normal(shape)

    def slope(self, e: Array) -> Array:
        """``v'(e)`` of the density ``exp(-v(e))``."""
        return e if self.noise == "gaussian" else 1 - np.exp(-e)

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Weights ``(rows, n)`` in [0, 1] that sum to ``k``; dtype of the scores.

        Args:
            scores: ``(rows, n)``, finite.
            k: a whole number in [0, n].
            temperature: scale of the noise.
            rng: draws the noise, which stays in the memory (``S`` times the scores).

        Raises:
            InputError: rng missing, scores not finite, k not a whole number in [0, n],
                temperature not positive.

        """
        check_topk(scores, k, temperature)
        check_temperature(temperature, scores)
        require(float(k).is_integer(), "k", k, "a whole number", "a hard choice has no parts")
        width, n = scores.dtype.type(temperature), scores.shape[1]
        e = self.draw(need_rng(rng, "perturbed Top-k"), (self.samples, *scores.shape))
        e = e.astype(scores.dtype)  # (samples, rows, n)
        noisy = (scores + width * e).reshape(self.samples * len(scores), n)
        masks = topk_mask(noisy, int(k)).reshape(e.shape)
        memory = {"noise": e, "masks": masks, "plain": topk_mask(scores, int(k)),
                  "temperature": width}
        return masks.mean(axis=0, dtype=scores.dtype), memory

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """Gradients of ``scores`` and of ``temperature`` (0-d); see the head of this file."""
        e, dtype = memory["noise"], memory["noise"].dtype
        require_like(grad_p, e[0], "grad_p")
        change = memory["masks"].astype(dtype) - memory["plain"]
        gain = (grad_p * change).sum(axis=2, keepdims=True)  # (samples, rows, 1)
        gain /= dtype.type(len(e)) * memory["temperature"]
        slope = self.slope(e)
        surprise = (e * slope).sum(axis=2, keepdims=True) - dtype.type(e.shape[2])
        return {"scores": (slope * gain).sum(axis=0),
                "temperature": np.asarray((surprise * gain).sum())}
