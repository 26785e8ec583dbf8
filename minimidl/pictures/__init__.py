"""Figures: functions that take ``ax=`` and return it. Matplotlib is imported when one is drawn."""

from minimidl.pictures.activity import activity_map
from minimidl.pictures.bias_variance import bias_variance
from minimidl.pictures.budget import budget_figure, executed_curve, multiplier_curve
from minimidl.pictures.cost import accuracy_against_cost
from minimidl.pictures.curves import curves, curves_figure
from minimidl.pictures.drift import drift_figure, recovery_curves
from minimidl.pictures.information import knowledge_figure, label_knowledge
from minimidl.pictures.quickstart import quickstart_figure
from minimidl.pictures.robustness import harm_curves, robustness_figure
from minimidl.pictures.samples import samples
from minimidl.pictures.style import save_figure

__all__ = [
    "accuracy_against_cost", "activity_map", "bias_variance", "budget_figure", "curves",
    "curves_figure", "drift_figure", "executed_curve", "harm_curves", "knowledge_figure",
    "label_knowledge", "multiplier_curve", "quickstart_figure", "recovery_curves",
    "robustness_figure", "samples", "save_figure",
]
