"""The Switch router: one expert per sample, weighted with its raw probability."""

from __future__ import annotations

from minimidl.gates.routers.topk import TopKRouter


class SwitchRouter(TopKRouter):
    """``e = argmax P``, ``gate = P_e`` (Fedus et al. 2021, 2101.03961, eq. 2).

    The raw probability is what teaches the router: a weight of 1 would leave it without gradient.

    Args:
        n_experts: how many there are.
        capacity: factor of the capacity; 0 for none.
        priority: ``"order"`` or ``"probability"``.
        drop_at_evaluation: whether capacity holds in evaluation too.
        temperature: of the softmax.

    """

    def __init__(
        self, n_experts: int, *, capacity: float = 0.0, priority: str = "order",
        drop_at_evaluation: bool = False, temperature: float = 1.0,
    ) -> None:
        super().__init__(n_experts, 1, renormalise=False, capacity=capacity, priority=priority,
                         drop_at_evaluation=drop_at_evaluation, temperature=temperature)
