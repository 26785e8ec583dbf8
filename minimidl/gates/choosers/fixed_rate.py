"""Gates that nobody learns: every gate is open with the same fixed probability.

    b ~ Bernoulli(rate),  gate = b / rate,  E[gate] = 1

The control for every learned gate. What a random choice of the same size saves and costs, a learned
one has to beat.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.decision import Decision

EVALUATIONS = ("mean", "sample")


class FixedRateChooser(Chooser):
    """Draws each gate on its own; the scores have no say, and get no gradient.

    Args:
        rate: chance that a gate is open, in (0, 1].
        evaluation: ``"mean"``: everything open with gate 1, the mean network. ``"sample"``: drawn
            as in training (Monte Carlo).

    State: ``rate``, and a ``temperature`` of no effect, as every chooser has one.

    """

    def __init__(self, rate: float, evaluation: str = "mean") -> None:
        super().__init__("binary", 1.0)
        require(0 < rate <= 1, "rate", rate, "a chance of being open in (0, 1]")
        require(evaluation in EVALUATIONS, "evaluation", repr(evaluation),
                f"one of {', '.join(EVALUATIONS)}")
        self.evaluation = evaluation
        self.state["rate"] = np.array(rate, np.float64)

    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Draw, in training and in Monte Carlo evaluation; else open everything."""
        rate, kind = float(self.state["rate"]), scores.dtype.type
        probability = np.full_like(scores, rate)
        if not training and self.evaluation == "mean":
            ones = np.ones_like(scores)
            return Decision(scores, probability, ones, ones.copy(), np.ones(scores.shape, bool))
        require(rng is not None, "rng", None,
                "a numpy.random.Generator: gates of a fixed rate are drawn",
                "pass rng=numpy.random.default_rng(seed)")
        assert rng is not None  # for the type checker
        active = rng.random(scores.shape, dtype=np.float32) < rate
        mask = active.astype(scores.dtype)
        return Decision(scores, probability, mask, mask * kind(1.0 / rate), active)

    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """Nothing: neither task nor budget moves a fixed rate."""
        return np.zeros_like(decision.scores)
