"""A chooser by name, for the layers that accept either kind."""

from __future__ import annotations

from collections.abc import Sequence

from minimidl.errors import require
from minimidl.gates.choosers.base import Chooser
from minimidl.gates.choosers.dselect import DSelectChooser
from minimidl.gates.choosers.split import SplitChooser
from minimidl.gates.choosers.threshold import ThresholdChooser
from minimidl.gates.choosers.topk import TopKChooser, count_open

CHOICES = ("topk", "threshold")


def make_chooser(
    choose: str, n_gates: int, *, keep: float, topk: str, surrogate: str, threshold: float,
    estimator: str, value: str, temperature: float, min_keep: int = 0,
) -> Chooser:
    """Build the chooser of MID-L (``"topk"``) or of DynamicGate (``"threshold"``)."""
    require(choose in CHOICES, "choose", repr(choose), f"one of {', '.join(CHOICES)}")
    if choose == "threshold":
        require(min_keep <= n_gates, "min_keep", min_keep, f"at most the {n_gates} gates there are")
        return ThresholdChooser(threshold, estimator, min_keep, value, temperature)
    k = count_open(keep, n_gates)
    if topk == "dselect-k":
        return DSelectChooser(k, n_gates, temperature)
    return TopKChooser(k, topk, surrogate, value, temperature)


def shared_chooser(choose: str, budget: str, sizes: Sequence[int], **options: object) -> Chooser:
    """One chooser for several layers.

    ``budget="model"``: one cut through all scores, so that layers trade neurons.
    ``budget="layer"``: each layer keeps its own share.
    """
    require(budget in ("model", "layer"), "budget", repr(budget), "'model' or 'layer'")
    if budget == "model":
        return make_chooser(choose, sum(sizes), **options)  # type: ignore[arg-type]
    parts = [make_chooser(choose, size, **options) for size in sizes]  # type: ignore[arg-type]
    return SplitChooser(parts, sizes)
