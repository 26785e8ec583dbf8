"""Top-k operators by the names of the command line."""

from __future__ import annotations

from typing import Protocol

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.ranking import NeuralSortTopK, SoftSortTopK
from minimidl.gates.sampling import GumbelTopK, PerturbedTopK, RelaxedSubset
from minimidl.gates.threshold.family import MEMBERS
from minimidl.gates.threshold.hard import HardTopK


class TopK(Protocol):
    """Every way to choose k of n answers these two calls."""

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Choose: ``(rows, n)`` scores to ``(rows, n)`` weights that sum to k.

        They lie in [0, 1], but for ``softsort``, ``neuralsort`` and ``relaxed-subset``, whose
        entries may exceed 1.
        """

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """Gradients of ``scores``, ``k`` and ``temperature``, where they exist."""


TOPK: dict[str, TopK] = {
    "sigmoid": MEMBERS["sigmoid"], "hard": HardTopK(), **MEMBERS,
    "softsort": SoftSortTopK(), "neuralsort": NeuralSortTopK(),
    "gumbel": GumbelTopK(), "relaxed-subset": RelaxedSubset(),
    "perturbed": PerturbedTopK(), "perturbed-gumbel": PerturbedTopK("gumbel"),
}


def topk(name: str) -> TopK:
    """Look a Top-k operator up by name; raises InputError with the known names."""
    require(name in TOPK, "topk", repr(name), f"one of {', '.join(TOPK)}")
    return TOPK[name]
