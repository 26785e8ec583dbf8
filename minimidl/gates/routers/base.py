"""Routers: choosers for a few big blocks, with weights from a softmax over all of them.

    P      = softmax(l / T)          router probabilities, (batch, n_experts)
    chosen = a rule on P             boolean; piecewise constant, so its derivative is 0
    kept   = chosen, within capacity
    gate   = weight(P, chosen) * kept

There is nothing straight through here: what moves a router is that the weight of what it chose is
its own probability. The gradient is the true derivative of the weights with the choice held, as in
Shazeer et al. 2017 (1701.06538) and Fedus et al. 2021 (2101.03961).
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.decision import Decision
from minimidl.gates.probability.softmax import Softmax


class Router(Chooser):
    """What every router does; the rule of choice is in the subclasses.

    A decision of a router holds ``scores`` (the logits), ``probability`` (their softmax), ``mask``
    and ``active`` (executed, after capacity) and ``gate`` (the weights), all
    ``(batch, n_experts)``; ``memory["chosen"]`` is what was wanted before capacity, and
    ``memory["dropped"]``, whole numbers ``(n_experts,)``, counts what capacity took away.

    Args:
        n_experts: how many there are, at least 1.
        temperature: ``T > 0`` of the softmax.

    """

    def __init__(self, n_experts: int, temperature: float = 1.0) -> None:
        super().__init__("probability", temperature)
        require(n_experts >= 1, "n_experts", n_experts, "at least 1")
        self.n_experts, self.softmax = n_experts, Softmax()

    @abstractmethod
    def choose(self, scores: Array, probability: Array, training: bool) -> Array:
        """Boolean ``(batch, n_experts)``: who is wanted."""

    def keep(self, chosen: Array, probability: Array, training: bool) -> Array:
        """Boolean ``(batch, n_experts)``: who of the chosen is executed; here all."""
        return chosen

    def weigh(self, probability: Array, chosen: Array) -> Array:
        """Weights before capacity: the raw probability, read where ``chosen``."""
        return probability

    def weigh_backward(self, grad_weight: Array, probability: Array, chosen: Array) -> Array:
        """``dL/d(probability)``; ``grad_weight`` is 0 outside what was executed."""
        return grad_weight

    def logits(self, scores: Array, training: bool, rng: Rng | None) -> tuple[Array, Memory]:
        """From the router network's answers to one logit per expert, and a memory; here as is.

        :meth:`scores_backward` is the way back.
        """
        return scores, {}

    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Choose experts for every row of ``scores``; raises InputError where they are no rows."""
        logits, drawn = self.logits(scores, training, rng)
        p, memory = self.softmax.forward(logits, self.temperature)
        chosen = self.choose(logits, p, training)
        kept = self.keep(chosen, p, training)
        mask = kept.astype(p.dtype)
        return Decision(logits, p, mask, self.weigh(p, chosen) * mask, kept, {
            "softmax": memory, "chosen": chosen, "dropped": (chosen & ~kept).sum(axis=0), **drawn})

    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """Through the weights of what was executed, and the softmax that they come from."""
        memory = decision.memory
        grad_p = self.weigh_backward(
            grad_gate * decision.mask, decision.probability, memory["chosen"])
        if grad_probability is not None:
            grad_p = grad_p + grad_probability
        grad_logits: Array = self.softmax.backward(grad_p, memory["softmax"])["scores"]
        return self.scores_backward(grad_logits, decision)


def require_count(k: int, n_experts: int) -> None:
    """Raise InputError unless ``k`` is a whole number of experts, from 1 to all."""
    whole = isinstance(k, int | np.integer)
    require(whole and 1 <= k <= n_experts, "k", k, f"a whole number from 1 to {n_experts} experts")
