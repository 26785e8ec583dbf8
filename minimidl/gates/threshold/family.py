"""The members of the threshold family, by name."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.threshold.base import ThresholdTopK
from minimidl.gates.threshold.capped_simplex import CappedSimplexTopK
from minimidl.gates.threshold.lapsum import LapSumTopK
from minimidl.gates.threshold.normal import NormalTopK
from minimidl.gates.threshold.pnorm import PNormTopK
from minimidl.gates.threshold.sigmoid import SigmoidTopK

MEMBERS: dict[str, ThresholdTopK] = {
    "sigmoid": SigmoidTopK(), "lapsum": LapSumTopK(), "capped-simplex": CappedSimplexTopK(),
    "pnorm": PNormTopK(), "normal": NormalTopK(),
}


def threshold_member(name: str, argument: str = "surrogate") -> ThresholdTopK:
    """Look a member up by name; raises InputError naming ``argument`` and the known names."""
    require(name in MEMBERS, argument, repr(name), f"one of {', '.join(MEMBERS)}")
    return MEMBERS[name]
