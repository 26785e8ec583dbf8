"""Choosers side by side: one gate network scores several layers, each with a budget of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.decision import Decision


class SplitChooser(Chooser):
    """Gives each chooser its share of the scores; answers as if it were one.

    Args:
        choosers: all of one kind; they share the state of the first.
        sizes: how many gates each of them has.

    """

    def __init__(self, choosers: Sequence[Chooser], sizes: Sequence[int]) -> None:
        super().__init__(choosers[0].value, choosers[0].temperature)
        self.choosers, self.cuts = list(choosers), np.cumsum(sizes)[:-1]
        self.state = choosers[0].state
        for chooser in choosers:
            chooser.state = self.state

    def split(self, per_gate: Array) -> list[Array]:
        """``(batch, sum of sizes)`` to one array per chooser."""
        return np.split(per_gate, self.cuts, axis=1)

    def decide(self, scores: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Decide part by part, and lay the parts side by side."""
        parts = [chooser.decide(part, training, rng)
                 for chooser, part in zip(self.choosers, self.split(scores), strict=True)]
        together = {name: np.concatenate([getattr(part, name) for part in parts], axis=1)
                    for name in ("scores", "probability", "mask", "gate", "active")}
        return Decision(**together, memory={"parts": parts})

    def backward(
        self, grad_gate: Array, grad_probability: Array | None, decision: Decision
    ) -> Array:
        """Pull each part back through its own chooser."""
        pulls: list[Array | None] = [None] * len(self.choosers)
        if grad_probability is not None:
            pulls = [*self.split(grad_probability)]
        return np.concatenate([
            chooser.backward(part, pull, own) for chooser, part, pull, own in zip(
                self.choosers, self.split(grad_gate), pulls, decision.memory["parts"], strict=True)
        ], axis=1)
