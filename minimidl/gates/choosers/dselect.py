"""The chooser that writes its choice as bits: DSelect-k in a gated layer.

The gate network answers, for each of k selectors, the bits of a code and one mixing weight. In
training the mask is ``k`` times the smooth answer of :class:`minimidl.gates.estimators.DSelectK`;
in evaluation each selector takes its most probable code, so at most k gates are open.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.decision import Decision
from minimidl.gates.estimators import DSelectK

START = 0.01
"""Bits start near 0, in units of the score: a saturated bit has gradient 0 and never moves."""


class DSelectChooser(Chooser):
    """At most ``k`` of ``n_gates``; meant for few large blocks, not for hundreds of neurons.

    The probability that budgets see is the smooth answer itself, clipped to 1.
    """

    def __init__(self, k: int, n_gates: int, temperature: float = 1.0) -> None:
        super().__init__("binary", temperature)
        self.k, self.select = k, DSelectK(n_gates, k)

    def n_scores(self, n_gates: int) -> int:
        """``k`` selectors with ``ceil(log2 n_gates)`` bits and one weight each."""
        return self.k * (self.select.bits + 1)

    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Mix the selectors, smooth in training and hard in evaluation."""
        parts = scores.reshape(len(scores), self.k, -1)
        step = scores.dtype.type(START / self.temperature)
        q, memory = self.select.forward(parts[:, :, :-1] * step, parts[:, :, -1])
        soft = q * q.dtype.type(self.k)
        mask = soft if training else self.harden(memory, q)
        probability = np.minimum(soft, 1)
        return Decision(scores, probability, mask, mask, mask > 0, {"select": memory, "step": step})

    def harden(self, memory: dict[str, Array], q: Array) -> Array:
        """``k * sum_r mix_r onehot(best code of r)``, ``(batch, n_gates)``."""
        best = memory["selectors"][:, :, :self.select.n].argmax(axis=2)  # (batch, k)
        mask = np.zeros_like(q)
        rows = np.arange(len(q))[:, None]
        np.add.at(mask, (rows, best), memory["mix"] * q.dtype.type(self.k))
        return mask

    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """DSelect-k's backward; in evaluation it is the smooth answer's (straight through)."""
        memory, step = decision.memory["select"], decision.memory["step"]
        grad_q = grad_gate
        if grad_probability is not None:
            grad_q = grad_q + grad_probability * (decision.probability < 1)
        grads = self.select.backward(grad_q * grad_q.dtype.type(self.k), memory)
        both = [grads["bits"] * step, grads["weights"][:, :, None]]
        return np.concatenate(both, axis=2).reshape(decision.scores.shape)
