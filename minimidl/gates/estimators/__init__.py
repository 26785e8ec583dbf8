"""Honest ways to differentiate a hard choice, by name."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.estimators.base import Estimator
from minimidl.gates.estimators.concrete import ConcreteStraightThrough
from minimidl.gates.estimators.dselect_k import (
    DSelectK,
    selector_penalty,
    selector_penalty_backward,
)
from minimidl.gates.estimators.reinmax import CategoricalReinMax, ReinMax
from minimidl.gates.estimators.score_function import (
    SCORE_FUNCTIONS,
    antithetic_masks,
    arm,
    disarm,
    leave_one_out,
    reinforce,
)
from minimidl.gates.estimators.threshold import (
    Clipped,
    IdentityProbability,
    IdentityScore,
    ThresholdSurrogate,
)

ESTIMATORS: dict[str, Estimator] = {
    "identity-probability": IdentityProbability(), "identity-score": IdentityScore(),
    "clipped": Clipped(), "threshold-surrogate": ThresholdSurrogate(),
    "concrete": ConcreteStraightThrough(), "reinmax": ReinMax(),
}


def estimator(name: str) -> Estimator:
    """Look an estimator for thresholded gates up; raises InputError with the known names."""
    require(name in ESTIMATORS, "estimator", repr(name), f"one of {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name]


__all__ = [
    "ESTIMATORS", "SCORE_FUNCTIONS", "CategoricalReinMax", "Clipped", "ConcreteStraightThrough",
    "DSelectK", "Estimator", "IdentityProbability", "IdentityScore", "ReinMax",
    "ThresholdSurrogate", "antithetic_masks", "arm", "disarm", "estimator", "leave_one_out",
    "reinforce", "selector_penalty", "selector_penalty_backward",
]
