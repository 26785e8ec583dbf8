"""What a network costs, what it does and what it knows, sample by sample."""

from minimidl.measure.activity import activity_by_class
from minimidl.measure.calibration import Reliability, calibration_error, probabilities, reliability
from minimidl.measure.classes import ClassScores, class_scores, confusion_matrix, macro_f1
from minimidl.measure.discrete_information import DiscreteInformation, discrete_information
from minimidl.measure.hardness import Link, hardness_and_activity, sample_hardness, sample_loss
from minimidl.measure.layer_macs import LayerMacs
from minimidl.measure.macs import MacCount, count_macs
from minimidl.measure.marginal import gate_prices, mac_range
from minimidl.measure.mutual_information import (
    label_information,
    normal_information,
    pair_information,
)
from minimidl.measure.routing import (
    Routing,
    expert_information,
    routing_by_layer,
    usage_entropy,
    usage_variation,
)
from minimidl.measure.sliced import (
    SlicedInformation,
    normal_sliced_information,
    sliced_information,
    sliced_label_information,
)
from minimidl.measure.specificity import Specificity, class_specificity, selectivity
from minimidl.measure.stability import Stability, compare_gates, gate_stability

__all__ = [
    "ClassScores", "DiscreteInformation", "LayerMacs", "Link", "MacCount", "Reliability",
    "Routing", "SlicedInformation", "Specificity", "Stability", "activity_by_class",
    "calibration_error", "class_scores", "class_specificity", "compare_gates", "confusion_matrix",
    "count_macs", "discrete_information", "expert_information", "gate_prices", "gate_stability",
    "hardness_and_activity", "label_information", "mac_range", "macro_f1", "normal_information",
    "normal_sliced_information", "pair_information", "probabilities", "reliability",
    "routing_by_layer", "sample_hardness", "sample_loss", "selectivity", "sliced_information",
    "sliced_label_information", "usage_entropy", "usage_variation",
]
