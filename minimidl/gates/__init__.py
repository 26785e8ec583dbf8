"""Who decides: Top-k operators, straight-through gates, and the networks that score."""

from __future__ import annotations

from minimidl.gates.choosers.base import GATE_VALUES, Chooser
from minimidl.gates.choosers.dselect import DSelectChooser
from minimidl.gates.choosers.fixed_rate import FixedRateChooser
from minimidl.gates.choosers.threshold import ThresholdChooser
from minimidl.gates.choosers.topk import TopKChooser, count_open
from minimidl.gates.decision import Decision, GateGradient, Pull
from minimidl.gates.estimators import ESTIMATORS, SCORE_FUNCTIONS, Estimator, estimator
from minimidl.gates.logistic import logistic, logit
from minimidl.gates.nets import AffineNet, LowRankNet, MlpNet, StaticNet, gate_net
from minimidl.gates.probability import SIMPLEX, simplex
from minimidl.gates.ranking import RANKING, NeuralSortTopK, SoftSortTopK, rank_operator
from minimidl.gates.registry import TOPK, TopK, topk
from minimidl.gates.routers import (
    ROUTERS,
    ExpertChoiceRouter,
    NoisyTopKRouter,
    Router,
    SoftRouter,
    SwitchRouter,
    TopKRouter,
    make_router,
)
from minimidl.gates.sampling import GumbelTopK, PerturbedTopK, RelaxedSubset
from minimidl.gates.straight_through import threshold_mask, threshold_mask_backward
from minimidl.gates.threshold.capped_simplex import CappedSimplexTopK
from minimidl.gates.threshold.hard import HardTopK, topk_mask
from minimidl.gates.threshold.lapsum import LapSumTopK
from minimidl.gates.threshold.normal import NormalTopK
from minimidl.gates.threshold.pnorm import PNormTopK
from minimidl.gates.threshold.sigmoid import SigmoidTopK

__all__ = [
    "ESTIMATORS", "GATE_VALUES", "RANKING", "ROUTERS", "SCORE_FUNCTIONS", "SIMPLEX", "TOPK",
    "AffineNet", "CappedSimplexTopK", "Chooser", "DSelectChooser", "Decision", "Estimator",
    "ExpertChoiceRouter", "FixedRateChooser", "GateGradient", "GumbelTopK", "HardTopK",
    "LapSumTopK", "LowRankNet", "MlpNet", "NeuralSortTopK", "NoisyTopKRouter", "NormalTopK",
    "PNormTopK", "PerturbedTopK", "Pull", "RelaxedSubset", "Router", "SigmoidTopK",
    "SoftRouter", "SoftSortTopK", "StaticNet", "SwitchRouter", "ThresholdChooser", "TopK",
    "TopKChooser", "TopKRouter", "count_open", "estimator", "gate_net", "logistic", "logit",
    "make_router", "rank_operator", "simplex", "threshold_mask", "threshold_mask_backward",
    "topk", "topk_mask",
]
