"""Balancing without a loss: numbers in the layers' states that move after every step.

Both rules are entries of ``fit(budgets=[...])`` that add nothing to the loss and pull on nothing.
What they move is in ``layer.state``, so it is saved and resumed with the model.

    bias_e <- bias_e + rate * sign(mean load - load_e)        Switch and Top-k routers
    cut_e  <- cut_e + rate * (cut of the batch - cut_e)       expert choice
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.gates import Decision, ExpertChoiceRouter, Router, TopKRouter
from minimidl.gates.routers import batch_cuts
from minimidl.layers import Gated, memory_at
from minimidl.learning.budget import GradGate


class Follower(ABC):
    """Reads the decisions of a step and moves the states of the routers after it.

    Args:
        rate: of the move.

    Attributes:
        state: what it must remember beside the layers' states, 0-d arrays.

    Raises:
        InputError: a rate out of range; when called, a model without a fitting router.

    """

    kind: type[Router]

    def __init__(self, rate: float, highest: float = np.inf) -> None:
        require(0 < rate < np.inf and rate <= highest, "rate", rate,
                f"a number above 0 and at most {highest}" if highest < np.inf
                else "a positive number")
        self.rate = rate
        self.state: dict[str, Array] = {}
        self.seen: list[tuple[Router, Decision]] = []

    def __call__(
        self, layers: Mapping[str, Gated], memory: Memory, progress: float = 1.0
    ) -> tuple[float, GradGate]:
        """Note what was decided; no value, no pull."""
        self.seen = [(layer.chooser, memory_at(memory, path)["decision"])
                     for path, layer in layers.items() if isinstance(layer.chooser, self.kind)]
        require(len(self.seen) > 0, "model", "no layer with a fitting router",
                f"Experts with a {self.kind.__name__}")
        return 0.0, {}

    def after_step(self) -> None:
        """Move the states of every router that was seen."""
        for router, decision in self.seen:
            self.move(router, decision)

    @abstractmethod
    def move(self, router: Router, decision: Decision) -> None:
        """Change the state of one router in place."""

    def report(self) -> dict[str, float]:
        """``load_violation``: how far the worst expert of the last batch is above the mean load.

        ``max load / mean load - 1``, "MaxVio" of 2408.15664; 0 is even.
        """
        worst = max((violation(decision.memory["chosen"]) for _, decision in self.seen),
                    default=0.0)
        return {"load_violation": worst}


def violation(chosen: Array) -> float:
    """``max load / mean load - 1`` of a boolean ``(batch, n_experts)``; 0 where all is even."""
    load = chosen.sum(axis=0)
    return float(load.max() / load.mean()) - 1.0 if load.any() else 0.0


class LossFreeBalance(Follower):
    """A bias on the choice rises where an expert got too little (Wang et al. 2024, 2408.15664).

    The choice is made on ``P + bias``, the weights are of ``P`` alone, no gradient reaches the
    bias; so it does not fight the task as a balance loss does.

    Args:
        rate: of the bias, per step.

    """

    kind = TopKRouter

    def __init__(self, rate: float = 1e-3) -> None:
        super().__init__(rate)

    def move(self, router: Router, decision: Decision) -> None:
        """One step up or down for every expert that is not exactly at the mean."""
        load = decision.memory["chosen"].sum(axis=0)
        router.state["bias"] += self.rate * np.sign(load.mean() - load)


class ExpertChoiceCuts(Follower):
    """Cuts of expert-choice routers follow the batches, so that evaluation needs no batch.

    Args:
        rate: weight of the newest batch in the moving average, at most 1. The first steps average
            over what there is.

    """

    kind = ExpertChoiceRouter

    def __init__(self, rate: float = 0.05) -> None:
        super().__init__(rate, highest=1.0)
        self.state["step"] = np.zeros((), np.int64)

    def move(self, router: Router, decision: Decision) -> None:
        """One step towards the cuts of this batch."""
        newest = batch_cuts(decision.probability, decision.memory["chosen"])
        weight = max(self.rate, 1.0 / (float(self.state["step"]) + 1.0))
        router.state["cuts"] += weight * (newest - router.state["cuts"])

    def after_step(self) -> None:
        """Move the cuts, and count the step."""
        super().after_step()
        self.state["step"] += 1

    def report(self) -> dict[str, float]:
        """``cut``: mean over experts and layers of where evaluation cuts now."""
        cuts = [float(router.state["cuts"].mean()) for router, _ in self.seen]
        return {"cut": sum(cuts) / max(1, len(cuts))}
