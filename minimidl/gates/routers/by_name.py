"""Routers by name."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.routers.base import Router
from minimidl.gates.routers.expert_choice import ExpertChoiceRouter
from minimidl.gates.routers.noisy import NoisyTopKRouter
from minimidl.gates.routers.soft import SoftRouter
from minimidl.gates.routers.switch import SwitchRouter
from minimidl.gates.routers.topk import TopKRouter

ROUTERS = ("switch", "topk", "noisy-topk", "expert-choice", "soft")
"""Names that :func:`make_router` knows."""


def make_router(
    name: str, n_experts: int, *, k: int | None = None, renormalise: bool = True,
    capacity: float = 0.0, priority: str = "order", drop_at_evaluation: bool = False,
    evaluation: str = "cuts", temperature: float = 1.0,
) -> Router:
    """Build a router by its name, one of :data:`ROUTERS`.

    Args:
        name: which.
        n_experts: how many there are.
        k: experts per sample, on average for expert-choice; None: 2 for topk and noisy-topk, 1 for
            switch and expert-choice. Soft runs all.
        renormalise: of topk and noisy-topk.
        capacity: factor of the capacity; 0 for none (expert-choice: 1).
        priority: of switch and the Top-k routers: ``"order"`` or ``"probability"``.
        drop_at_evaluation: of the same: whether capacity holds in evaluation too.
        evaluation: of expert-choice: ``"cuts"`` or ``"batch"``.
        temperature: of the softmax.

    Raises:
        InputError: an unknown name, or options that the router refuses.

    """
    require(name in ROUTERS, "router", repr(name), f"one of {', '.join(ROUTERS)}")
    if name == "soft":
        require(k in (None, n_experts), "k", k, f"{n_experts}: the soft router runs all experts")
        require(not capacity, "capacity", capacity, "0: the soft router drops nothing")
        return SoftRouter(n_experts, temperature)
    if name == "expert-choice":
        return ExpertChoiceRouter(n_experts, 1 if k is None else k, capacity=capacity,
                                  evaluation=evaluation, temperature=temperature)
    if name == "switch":
        require(k in (None, 1), "k", k, "1 for the switch router", "take router='topk'")
        return SwitchRouter(n_experts, capacity=capacity, priority=priority,
                            drop_at_evaluation=drop_at_evaluation, temperature=temperature)
    kind = TopKRouter if name == "topk" else NoisyTopKRouter
    return kind(n_experts, 2 if k is None else k, renormalise=renormalise, capacity=capacity,
                priority=priority, drop_at_evaluation=drop_at_evaluation, temperature=temperature)
