"""What a network costs and what it does: MACs per sample, activity by class."""

from minimidl.measure.activity import activity_by_class
from minimidl.measure.macs import LayerMacs, MacCount, count_macs
from minimidl.measure.marginal import gate_prices, mac_range

__all__ = [
    "LayerMacs", "MacCount", "activity_by_class", "count_macs", "gate_prices", "mac_range",
]
