"""Who decides: Top-k operators, straight-through gates, and the networks that score."""

from __future__ import annotations

from typing import Protocol

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.capped_simplex import CappedSimplexTopK
from minimidl.gates.decision import Decision
from minimidl.gates.hard_topk import HardTopK, topk_mask
from minimidl.gates.lapsum import LapSumTopK
from minimidl.gates.logistic import logistic, logit
from minimidl.gates.nets import AffineNet, LowRankNet, gate_net
from minimidl.gates.normal_topk import NormalTopK
from minimidl.gates.pnorm_topk import PNormTopK
from minimidl.gates.probability import SIMPLEX, simplex
from minimidl.gates.ranking import RANKING, NeuralSortTopK, SoftSortTopK, rank_operator
from minimidl.gates.sigmoid_topk import SigmoidTopK
from minimidl.gates.straight_through import threshold_mask, threshold_mask_backward
from minimidl.gates.threshold_family import MEMBERS


class TopK(Protocol):
    """Every way to choose k of n answers these two calls."""

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Choose: ``(rows, n)`` scores to ``(rows, n)`` weights in [0, 1] that sum to k."""

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """Gradients of ``scores``, ``k`` and ``temperature``, where they exist."""


TOPK: dict[str, TopK] = {
    "sigmoid": MEMBERS["sigmoid"], "hard": HardTopK(), **MEMBERS,
    "softsort": SoftSortTopK(), "neuralsort": NeuralSortTopK(),
}


def topk(name: str) -> TopK:
    """Look a Top-k operator up by name; raises InputError with the known names."""
    require(name in TOPK, "topk", repr(name), f"one of {', '.join(TOPK)}")
    return TOPK[name]


__all__ = [
    "RANKING", "SIMPLEX", "TOPK", "AffineNet", "CappedSimplexTopK", "Decision", "HardTopK",
    "LapSumTopK", "LowRankNet", "NeuralSortTopK", "NormalTopK", "PNormTopK", "SigmoidTopK",
    "SoftSortTopK", "TopK", "gate_net", "logistic", "logit", "rank_operator", "simplex",
    "threshold_mask", "threshold_mask_backward", "topk", "topk_mask",
]
