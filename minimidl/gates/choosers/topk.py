"""The chooser of MID-L: the k best scores, squashed scores as values.

a = sigmoid(z),  m = TopK(z, k),  gate = m * a   (or m)
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.decision import Decision
from minimidl.gates.logistic import logistic
from minimidl.gates.probability import SIMPLEX, simplex
from minimidl.gates.registry import TOPK, TopK
from minimidl.gates.threshold.hard import HardTopK


def count_open(keep: float, n_gates: int) -> int:
    """Number of open gates: an int ``keep`` is a count, a float a fraction in (0, 1].

    Fractions round down, so that the active ratio never exceeds what was asked for, but never to 0.
    """
    require(isinstance(keep, int | float | np.number), "keep", repr(keep),
            "a fraction in (0, 1], or a whole number of gates")
    if isinstance(keep, int | np.integer):
        require(1 <= keep <= n_gates, "keep", keep,
                f"a count from 1 to {n_gates} gates, or a fraction in (0, 1]")
        return int(keep)
    require(0 < keep <= 1, "keep", keep, "a fraction in (0, 1], or a whole number of gates")
    return max(1, int(keep * n_gates + 1e-9))


class ScaledSimplex:
    """``k`` times a probability vector: a Top-k whose number of open gates is the scores' own.

    The sum is k; entries may exceed 1. A sparse member opens what it does not answer with exactly
    0, in evaluation as in training; softmax opens everything and saves nothing.
    """

    def __init__(self, name: str) -> None:
        self.operator = simplex(name)

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """``k p(z)``, ``(rows, n)``; see :class:`minimidl.gates.probability.base.Probability`."""
        p, memory = self.operator.forward(scores, temperature, rng)
        return p * p.dtype.type(k), {"p": p, "inner": memory, "k": k}

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """``dL/dk = <g, p>``; the rest is the simplex operator's backward of ``k g``."""
        inner = self.operator.backward(grad_p * grad_p.dtype.type(memory["k"]), memory["inner"])
        return {**inner, "k": np.asarray((grad_p * memory["p"]).sum())}


class TopKChooser(Chooser):
    """Opens ``k`` gates of every sample.

    Args:
        k: how many.
        operator: name of a Top-k operator. ``"hard"`` is the same in training and evaluation;
            others are what they are in training (soft, or random) and hard in evaluation. A simplex
            name opens what is not exactly 0, see :class:`ScaledSimplex`.
        surrogate: whose slope stands in for the missing derivative of the hard mask.
        value: ``"probability"`` or ``"binary"``.
        temperature: of the operator.

    """

    def __init__(
        self, k: int, operator: str = "hard", surrogate: str = "sigmoid",
        value: str = "probability", temperature: float = 1.0,
    ) -> None:
        super().__init__(value, temperature)
        require(operator in TOPK or operator in SIMPLEX, "topk", repr(operator),
                f"one of {', '.join([*TOPK, *SIMPLEX])}")
        self.k, self.operator = k, operator
        hard = HardTopK(surrogate)
        self.in_evaluation: TopK = ScaledSimplex(operator) if operator in SIMPLEX else hard
        self.in_training: TopK = (
            self.in_evaluation if operator in ("hard", *SIMPLEX) else TOPK[operator])

    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Squash and choose; with a soft operator in training, every mask above 0 is active."""
        a = logistic(scores)
        operator = self.in_training if training else self.in_evaluation
        m, memory = operator.forward(scores, self.k, self.temperature, rng)
        return Decision(scores, a, m, self.multiply(m, a), m > 0,
                        {"operator": operator, "topk": memory})

    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """Product rule, then the operator's backward and the logistic's."""
        grad_m, grad_a = self.multiply_backward(grad_gate, grad_probability, decision)
        operator, memory = decision.memory["operator"], decision.memory["topk"]
        grad_z: Array = operator.backward(grad_m, memory)["scores"]
        if grad_a is not None:
            grad_z = grad_z + grad_a * decision.probability * logistic(-decision.scores)
        return grad_z
