"""The chooser of DynamicGate: everybody whose probability passes a threshold.

    p = sigmoid(z / T),  b = 1[p > theta],  gate = b   (or b * p)

``p > theta`` is ``z > cut`` with ``cut = T * logit(theta)``: one number decides the mask, and
schedules should move that number.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.decision import Decision
from minimidl.gates.estimators import estimator as find_estimator
from minimidl.gates.logistic import logistic, logit
from minimidl.gates.min_keep import at_least


class ThresholdChooser(Chooser):
    """Opens the gates above a cut, as many as there are.

    What budgets see is ``p = sigmoid(z / T)``. For an estimator that draws, the chance of opening
    in training is that of ``z - cut``: the two agree at the threshold 1/2 (and, for ``"concrete"``,
    at ``T = 1``).

    Args:
        threshold: ``theta`` in (0, 1).
        estimator: how the hard mask is differentiated; see :func:`minimidl.gates.estimator`.
            Stochastic ones draw in training and compare in evaluation.
        min_keep: every sample keeps at least so many gates, its best ones (against collapse).
        value: ``"binary"`` or ``"probability"``.
        temperature: ``T``.

    """

    def __init__(
        self, threshold: float = 0.5, estimator: str = "identity-probability", min_keep: int = 0,
        value: str = "binary", temperature: float = 1.0,
    ) -> None:
        require(0 < threshold < 1, "threshold", threshold, "a number strictly between 0 and 1")
        super().__init__(value, temperature)
        require(min_keep >= 0, "min_keep", min_keep, "a number of gates, at least 0")
        self.estimator, self.min_keep = find_estimator(estimator), min_keep
        self.state["threshold"] = np.array(threshold, np.float64)

    @property
    def cut(self) -> float:
        """``T * logit(theta)``: the one number on the scores that decides the mask."""
        return self.temperature * logit(float(self.state["threshold"]))

    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Squash and compare; a deterministic estimator decides alike in training and after."""
        temperature = self.temperature
        require(not (training and self.estimator.stochastic) or rng is not None, "rng", None,
                "a numpy.random.Generator: this estimator draws in training",
                "pass rng=numpy.random.default_rng(seed)")
        p = logistic(scores / scores.dtype.type(temperature))
        b, memory = self.estimator.forward(scores, self.cut, temperature, rng if training else None)
        if self.min_keep:
            b = at_least(b > 0, scores, self.min_keep).astype(scores.dtype)
        return Decision(scores, p, b, self.multiply(b, p), b > 0,
                        {"estimator": memory, "temperature": temperature})

    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """Product rule, then the estimator's substitute for the derivative of the comparison."""
        grad_b, grad_p = self.multiply_backward(grad_gate, grad_probability, decision)
        grad_z = self.estimator.backward(grad_b, decision.memory["estimator"])
        if grad_p is not None:
            p = decision.probability
            t = p.dtype.type(decision.memory["temperature"])
            grad_z = grad_z + grad_p * p * logistic(-decision.scores / t) / t
        return grad_z
