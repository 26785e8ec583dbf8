"""The simplex family: scores to probabilities that sum to 1, dense or with exact zeros."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.probability.alpha_entmax import AlphaEntmax
from minimidl.gates.probability.base import Probability
from minimidl.gates.probability.entmax15 import Entmax15
from minimidl.gates.probability.softmax import Softmax
from minimidl.gates.probability.sparsemax import Sparsemax

SIMPLEX: dict[str, Probability] = {
    "softmax": Softmax(), "sparsemax": Sparsemax(), "entmax15": Entmax15(),
    "alpha-entmax": AlphaEntmax(),
}


def simplex(name: str) -> Probability:
    """Look a map onto the simplex up by name; raises InputError with the known names."""
    require(name in SIMPLEX, "simplex", repr(name), f"one of {', '.join(SIMPLEX)}")
    return SIMPLEX[name]


__all__ = [
    "SIMPLEX", "AlphaEntmax", "Entmax15", "Probability", "Softmax", "Sparsemax", "simplex",
]
