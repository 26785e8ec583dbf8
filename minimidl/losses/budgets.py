"""Budgets without a target: losses on gate probabilities that only know less, or clearer.

Each is a pair. The gradient is ``dL/d(probability)``; it enters a model through ``grad_gate``.
``usage`` may be the probabilities or the executed mask, floats 0 and 1; with the mask, the
gradient goes to the probabilities straight through, and what is controlled is what is executed.

The budgets live in three files: here those without a target, in
``budget_targets.py`` those with one, in ``multipliers.py`` those with a multiplier.
"""

from __future__ import annotations

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.losses.usage import everywhere, mean_of


def mean_usage(usage: Array) -> tuple[float, Memory]:
    """``m``, the mean of ``usage`` ``(batch, n_gates)``."""
    return mean_of(usage), {"usage": usage}


def mean_usage_backward(memory: Memory) -> Array:
    """``dm/dp = 1 / size``."""
    usage = memory["usage"]
    return everywhere(usage, 1.0 / usage.size)


def cost_weighted_usage(
    usages: dict[str, Array], costs: dict[str, float]
) -> tuple[float, Memory]:
    """``sum_l c_l m_l / sum_l c_l``: usage as a share of the multiply-accumulates.

    Args:
        usages: ``(batch, n_gates)`` by layer path.
        costs: ``c_l > 0`` by the same paths, such as the MACs that an open layer would cost.

    Raises:
        InputError: the paths differ, or a cost is not positive.

    """
    require(usages.keys() == costs.keys() and len(usages) > 0, "costs", sorted(costs),
            f"one cost for each of the layers {sorted(usages)}")
    require(all(cost > 0 for cost in costs.values()), "costs", costs, "positive numbers")
    total = sum(costs.values())
    share = {path: cost / total for path, cost in costs.items()}
    value = sum(share[path] * mean_of(usage) for path, usage in usages.items())
    return value, {"usages": usages, "share": share}


def cost_weighted_usage_backward(memory: Memory) -> dict[str, Array]:
    """``dL/dp = share_l / size_l``, by layer path."""
    return {path: everywhere(usage, memory["share"][path] / usage.size)
            for path, usage in memory["usages"].items()}


def polarise(probability: Array) -> tuple[float, Memory]:
    """``mean p (1 - p)``: 1/4 where every gate hesitates, 0 where every gate is sure.

    It does not say how many gates open, only that each makes up its mind; the mean probability
    then comes close to the executed share.

    Args:
        probability: ``(batch, n_gates)``; a mask has nothing left to decide.

    """
    mean_of(probability)  # refuses booleans
    return mean_of(probability * (1 - probability)), {"probability": probability}


def polarise_backward(memory: Memory) -> Array:
    """``(1 - 2 p) / size``: pushes away from 1/2."""
    p: Array = memory["probability"]
    return (1 - 2 * p) / p.dtype.type(p.size)
