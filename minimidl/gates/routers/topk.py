"""Every sample takes its k most probable experts (Shazeer et al. 2017; GShard, 2006.16668).

    v = P over the chosen,  w = v / sum v        (renormalised)      or  w = v  (raw)
    dL/dv = (g - <g, w>) / sum v

With k = 1 a renormalised weight is 1 whatever the router says, its derivative is 0, and the router
never hears of the task: that combination is refused. Raw, it is the Switch router.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.gates.routers.base import Router, require_count
from minimidl.gates.routers.capacity import PRIORITIES, capacity_of, within_capacity
from minimidl.gates.threshold.hard import topk_mask

DEAD_ROUTER = ("with k=1 the renormalised weight is always 1 and the router gets no task gradient: "
               "take k >= 2, renormalise=False, or the switch router")


def renormalise(probability: Array, chosen: Array) -> Array:
    """``w = P / sum over the chosen of P``, ``(batch, n)``; 0 where not chosen."""
    v = np.where(chosen, probability, probability.dtype.type(0))
    return v / total_of(v)


def renormalise_backward(grad_weight: Array, probability: Array, chosen: Array) -> Array:
    """``dL/dP = (g - <g, w>) / sum v`` over the chosen, 0 elsewhere."""
    v = np.where(chosen, probability, probability.dtype.type(0))
    total = total_of(v)
    along = (grad_weight * (v / total)).sum(axis=1, keepdims=True)
    return np.where(chosen, (grad_weight - along) / total, probability.dtype.type(0))


def total_of(v: Array) -> Array:
    """``(batch, 1)`` row sums, 1 where there is nothing to share out."""
    total = v.sum(axis=1, keepdims=True)
    return np.where(total > 0, total, total.dtype.type(1))


class TopKRouter(Router):
    """The k best experts of every sample, ties to the lowest index.

    A bias on the choice, ``state["bias"]``, balances the experts without a loss (Wang et al. 2024,
    2408.15664): the choice is made on ``P + bias``, the weights are of ``P`` alone, and no gradient
    reaches the bias; see :class:`minimidl.learning.LossFreeBalance`.

    Args:
        n_experts: how many there are.
        k: how many each sample takes.
        renormalise: whether the weights of a sample's experts sum to 1.
        capacity: factor of the capacity, see ``capacity.py``; 0 for none.
        priority: ``"order"`` (earlier samples first) or ``"probability"``.
        drop_at_evaluation: whether capacity holds in evaluation too; a prediction then depends on
            the other samples of its batch.
        temperature: of the softmax.

    Raises:
        InputError: k outside 1 to n_experts, k = 1 renormalised, unknown priority.

    """

    def __init__(
        self, n_experts: int, k: int = 2, *, renormalise: bool = True, capacity: float = 0.0,
        priority: str = "order", drop_at_evaluation: bool = False, temperature: float = 1.0,
    ) -> None:
        super().__init__(n_experts, temperature)
        require_count(k, n_experts)
        require(k > 1 or not renormalise, "k", k, "at least 2 with renormalised weights",
                DEAD_ROUTER)
        require(0 <= capacity < np.inf, "capacity", capacity, "a positive factor, or 0 for none")
        require(priority in PRIORITIES, "priority", repr(priority),
                f"one of {', '.join(PRIORITIES)}")
        self.k, self.renormalise, self.capacity = int(k), renormalise, capacity
        self.priority, self.drop_at_evaluation = priority, drop_at_evaluation
        self.state["bias"] = np.zeros(n_experts)

    def choose(self, scores: Array, probability: Array, training: bool) -> Array:
        """The k largest of ``P + bias``; without a bias on the scores, which never underflow."""
        bias = self.state["bias"]
        biased = probability + bias.astype(probability.dtype) if bias.any() else scores
        return topk_mask(biased, self.k)

    def keep(self, chosen: Array, probability: Array, training: bool) -> Array:
        """At most ``C`` samples per expert, in training unless asked otherwise."""
        if not self.capacity or not (training or self.drop_at_evaluation):
            return chosen
        places = capacity_of(self.capacity, len(chosen), self.k, self.n_experts)
        return within_capacity(
            chosen, places, probability if self.priority == "probability" else None)

    def weigh(self, probability: Array, chosen: Array) -> Array:
        """Renormalised over the chosen, or raw. What capacity drops is not shared out again."""
        return renormalise(probability, chosen) if self.renormalise else probability

    def weigh_backward(self, grad_weight: Array, probability: Array, chosen: Array) -> Array:
        """See the file head; a dropped expert still counts in the sum."""
        if not self.renormalise:
            return grad_weight
        return renormalise_backward(grad_weight, probability, chosen)
