"""Binary Concrete (Gumbel-sigmoid): a Bernoulli gate, relaxed.

    s = sigmoid((z + ln u - ln(1 - u)) / T),   u uniform

Rounding ``s`` gives exactly a Bernoulli(sigmoid(z)) draw, at every temperature; ``s`` itself lies
strictly inside (0, 1) and has a true derivative. The loss is therefore met at values that the gate
never takes when it is hard: a bias that vanishes as T goes to 0, while the variance grows.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require_like
from minimidl.gates.logistic import logistic
from minimidl.gates.rows import check_temperature
from minimidl.gates.sampling.noise import logistic_noise, need_rng
from minimidl.gates.threshold.base import check_topk


class BinaryConcrete:
    """A smooth sample of independent gates.

    Card:
        formula: s = sigmoid((z + ln u - ln(1 - u)) / T)
        cost: O(n) forward, O(n) backward
        exactly k: no, every gate on its own
        exact zeros: no
        use when: gates should be random in training and the soft value may multiply
        source: Maddison, Mnih and Teh 2017, arXiv 1611.00712, section 3.3; Jang, Gu and Poole 2017
    """

    stochastic = True

    def forward(
        self, scores: Array, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Gates in (0, 1), ``(rows, n)``, dtype of the scores.

        Args:
            scores: logits, ``(rows, n)``, finite.
            temperature: above 0; towards 0 the gates become zeros and ones.
            rng: draws the noise, which stays in the memory.

        Raises:
            InputError: rng missing, scores not finite, temperature not positive.

        """
        check_topk(scores, 0, temperature)
        check_temperature(temperature, scores)
        noise = logistic_noise(need_rng(rng, "binary Concrete"), scores.shape)
        width = scores.dtype.type(temperature)
        u = (scores + noise.astype(scores.dtype)) / width
        return logistic(u), {"u": u, "temperature": width}

    def backward(self, grad_gate: Array, memory: Memory) -> Grads:
        """``dz = g s (1 - s) / T`` and ``dT = -sum of dz u``, the noise held."""
        u = memory["u"]
        require_like(grad_gate, u, "grad_gate")
        pull = grad_gate * logistic(u) * logistic(-u) / memory["temperature"]
        return {"scores": pull, "temperature": np.asarray(-(pull * u).sum())}
