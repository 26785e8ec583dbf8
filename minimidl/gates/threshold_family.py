"""The members of the threshold family, by name."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.capped_simplex import CappedSimplexTopK
from minimidl.gates.lapsum import LapSumTopK
from minimidl.gates.normal_topk import NormalTopK
from minimidl.gates.pnorm_topk import PNormTopK
from minimidl.gates.sigmoid_topk import SigmoidTopK
from minimidl.gates.threshold import ThresholdTopK

MEMBERS: dict[str, ThresholdTopK] = {
    "sigmoid": SigmoidTopK(), "lapsum": LapSumTopK(), "capped-simplex": CappedSimplexTopK(),
    "pnorm": PNormTopK(), "normal": NormalTopK(),
}


def threshold_member(name: str, argument: str = "surrogate") -> ThresholdTopK:
    """Look a member up by name; raises InputError naming ``argument`` and the known names."""
    require(name in MEMBERS, argument, repr(name), f"one of {', '.join(MEMBERS)}")
    return MEMBERS[name]
