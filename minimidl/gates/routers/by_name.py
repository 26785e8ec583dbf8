"""Routers by name."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.routers.base import Router
from minimidl.gates.routers.switch import SwitchRouter
from minimidl.gates.routers.topk import TopKRouter

ROUTERS = ("switch", "topk")
"""Names that :func:`make_router` knows."""


def make_router(
    name: str, n_experts: int, *, k: int | None = None, renormalise: bool = True,
    capacity: float = 0.0, priority: str = "order", drop_at_evaluation: bool = False,
    temperature: float = 1.0,
) -> Router:
    """Build a router by its name, one of :data:`ROUTERS`.

    Args:
        name: which.
        n_experts: how many there are.
        k: experts per sample; None: 1 for switch, 2 for the others (1 if there is but one).
        renormalise: of topk.
        capacity: factor of the capacity; 0 for none.
        priority: ``"order"`` or ``"probability"``.
        drop_at_evaluation: whether capacity holds in evaluation too.
        temperature: of the softmax.

    Raises:
        InputError: an unknown name, or options that the router refuses.

    """
    require(name in ROUTERS, "router", repr(name), f"one of {', '.join(ROUTERS)}")
    if name == "switch":
        require(k in (None, 1), "k", k, "1 for the switch router", "take router='topk'")
        return SwitchRouter(n_experts, capacity=capacity, priority=priority,
                            drop_at_evaluation=drop_at_evaluation, temperature=temperature)
    return TopKRouter(n_experts, 2 if k is None else k, renormalise=renormalise, capacity=capacity,
                      priority=priority, drop_at_evaluation=drop_at_evaluation,
                      temperature=temperature)
