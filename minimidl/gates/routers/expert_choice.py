"""Expert choice: each expert takes its best samples (Zhou et al. 2022, 2202.09368).

    C        = ceil(factor N k / E)                     samples per expert
    chosen   = the C largest of each column of P        (training)
    chosen   = P_e > cut_e                              (evaluation)
    gate     = P

The load is perfectly even, and a hard sample may get more experts than an easy one, or none. But
who is chosen depends on the other samples of the batch: the rule is not causal. A prediction must
not depend on who happens to be predicted beside it, so evaluation compares with cuts that followed
the training (:class:`minimidl.learning.ExpertChoiceCuts`).
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.gates.routers.base import Router, require_count
from minimidl.gates.routers.capacity import capacity_of
from minimidl.gates.threshold.hard import topk_mask

EVALUATIONS = ("cuts", "batch")


class ExpertChoiceRouter(Router):
    """Every expert's ``C`` most probable samples, ties to the earlier one; raw weights.

    Args:
        n_experts: how many there are.
        k: experts per sample, on average.
        capacity: a further factor on the number of places; 0 is 1.
        evaluation: ``"cuts"``, or ``"batch"``: as in training, not causal.
        temperature: of the softmax.

    State: ``cuts`` ``(n_experts,)``, from ``1 / n_experts`` on.

    """

    def __init__(
        self, n_experts: int, k: int = 1, *, capacity: float = 0.0, evaluation: str = "cuts",
        temperature: float = 1.0,
    ) -> None:
        super().__init__(n_experts, temperature)
        require_count(k, n_experts)
        require(0 <= capacity < np.inf, "capacity", capacity, "a positive factor, or 0 for 1")
        require(evaluation in EVALUATIONS, "evaluation", repr(evaluation),
                f"one of {', '.join(EVALUATIONS)}")
        self.k, self.capacity, self.evaluation = int(k), capacity or 1.0, evaluation
        self.state["cuts"] = np.full(n_experts, 1 / n_experts)

    def places(self, n_samples: int) -> int:
        """``C``, at most all samples."""
        return min(n_samples, capacity_of(self.capacity, n_samples, self.k, self.n_experts))

    def choose(self, scores: Array, probability: Array, training: bool) -> Array:
        """Column by column the best; in evaluation whoever passes the expert's cut."""
        if training or self.evaluation == "batch":
            columns = np.ascontiguousarray(probability.T)  # (n_experts, batch)
            return np.ascontiguousarray(topk_mask(columns, self.places(len(scores))).T)
        return probability > self.state["cuts"].astype(probability.dtype)


def batch_cuts(probability: Array, chosen: Array) -> Array:
    """``(n_experts,)``: midway between the lowest chosen and the highest other sample, in float64.

    Where all samples of the batch were chosen it is 0.
    """
    p = probability.astype(np.float64)
    lowest = np.where(chosen, p, np.inf).min(axis=0, initial=1.0)
    highest = np.where(chosen, -np.inf, p).max(axis=0, initial=-np.inf)
    return np.where(np.isfinite(highest), 0.5 * (lowest + highest), 0.0)
