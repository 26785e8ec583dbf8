"""Choosers: from the scores of a gate network to a decision, and back.

A gated layer is a gate network, a chooser, and what the gates multiply. All choosers end in the
same product: ``gate = mask * probability`` (``value="probability"``) or ``gate = mask``
(``value="binary"``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.gates.decision import Decision, GateGradient

GATE_VALUES = ("probability", "binary")


class Chooser(ABC):
    """Decides who is open.

    Attributes:
        value: what multiplies, one of :data:`GATE_VALUES`.
        state: ``temperature`` and what else schedules may move, as 0-d arrays; it becomes the
            ``state`` of the layer.

    """

    def __init__(self, value: str, temperature: float) -> None:
        require(value in GATE_VALUES, "gate_value", repr(value), f"one of {', '.join(GATE_VALUES)}")
        require(0 < temperature < np.inf, "temperature", temperature, "a positive number")
        self.value = value
        self.state: dict[str, Array] = {"temperature": np.array(temperature, np.float64)}

    @property
    def temperature(self) -> float:
        """The temperature now."""
        return float(self.state["temperature"])

    def n_scores(self, n_gates: int) -> int:
        """How many scores are needed to choose among ``n_gates``."""
        return n_gates

    @abstractmethod
    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Decide from scores ``(batch, n_gates)``; what is reported active is what is executed."""

    @abstractmethod
    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """``dL/d(scores)``, ``(batch, n_gates)``.

        Args:
            grad_gate: ``dL/d(gate)``: the task's pull on the value that multiplies.
            grad_probability: ``dL/d(probability)`` from budgets, or None.
            decision: from :meth:`decide`.

        """

    def scores_backward(self, grad_scores: Array, decision: Decision) -> Array:
        """From ``dL/d(decision.scores)`` to the gate network's answers, which they usually are."""
        return grad_scores

    def pull_back(self, grad_gate: Array, pull: GateGradient, decision: Decision) -> Array:
        """``dL/d`` (the gate network's answers): the task's pull and all of the budgets' together.

        Raises InputError for a pull on a load, which only a router that draws has.
        """
        require(pull.load is None, "grad_gate.load", f"a pull on a {type(self).__name__}",
                "a noisy Top-k router")
        if pull.gate is not None:
            grad_gate = grad_gate + pull.gate
        grad = self.backward(grad_gate, pull.probability, decision)
        if pull.scores is not None:
            grad = grad + self.scores_backward(pull.scores, decision)
        return grad

    def multiply(self, mask: Array, probability: Array) -> Array:
        """The value that multiplies."""
        return mask if self.value == "binary" else mask * probability

    def multiply_backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> tuple[Array, Array | None]:
        """``dL/d(mask)`` and ``dL/d(probability)`` (None where nothing pulls on it)."""
        if self.value == "binary":
            return grad_gate, grad_probability
        grad_p = grad_gate * decision.mask
        if grad_probability is not None:
            grad_p = grad_p + grad_probability
        return grad_gate * decision.probability, grad_p
