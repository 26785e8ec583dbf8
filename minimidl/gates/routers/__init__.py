"""Routers: which few big blocks (experts) a sample is sent to, and with what weight."""

from minimidl.gates.routers.base import Router
from minimidl.gates.routers.by_name import ROUTERS, make_router
from minimidl.gates.routers.capacity import capacity_of, within_capacity
from minimidl.gates.routers.expert_choice import ExpertChoiceRouter, batch_cuts
from minimidl.gates.routers.noisy import NoisyTopKRouter
from minimidl.gates.routers.soft import SoftRouter
from minimidl.gates.routers.switch import SwitchRouter
from minimidl.gates.routers.topk import TopKRouter

__all__ = [
    "ROUTERS", "ExpertChoiceRouter", "NoisyTopKRouter", "Router", "SoftRouter", "SwitchRouter",
    "TopKRouter", "batch_cuts", "capacity_of", "make_router", "within_capacity",
]
