"""Budgets: losses on gate probabilities, so that usage stays where it should.

Each is a pair. The gradient is ``dL/d(probability)``; it enters a model through ``grad_gate``.
All are means, not sums: a budget must not depend on the width of a layer or on the batch size.
``usage`` may be the probabilities or the executed mask, floats 0 and 1; with the mask, the
gradient goes to the probabilities straight through, and what is controlled is what is executed.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require


def _mean(usage: Array) -> float:
    # The gradient takes the dtype of the usage: in booleans it would say True.
    require(usage.dtype.kind == "f", "usage", f"dtype {usage.dtype}", "floats",
            "for the executed mask take decision.mask, not decision.active")
    return float(usage.mean(dtype=np.float64))


def _everywhere(usage: Array, value: float) -> Array:
    return np.full_like(usage, value)


def mean_usage(usage: Array) -> tuple[float, Memory]:
    """``m``, the mean of ``usage`` ``(batch, n_gates)``."""
    return _mean(usage), {"usage": usage}


def mean_usage_backward(memory: Memory) -> Array:
    """``dm/dp = 1 / size``."""
    usage = memory["usage"]
    return _everywhere(usage, 1.0 / usage.size)


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
    value = sum(share[path] * _mean(usage) for path, usage in usages.items())
    return value, {"usages": usages, "share": share}


def cost_weighted_usage_backward(memory: Memory) -> dict[str, Array]:
    """``dL/dp = share_l / size_l``, by layer path."""
    return {path: _everywhere(usage, memory["share"][path] / usage.size)
            for path, usage in memory["usages"].items()}


def quadratic_usage(usage: Array, target: float) -> tuple[float, Memory]:
    """``(m - target)^2``: pulls usage to the target from both sides."""
    require(0 <= target <= 1, "target", target, "a share in [0, 1]")
    distance = _mean(usage) - target
    return distance * distance, {"usage": usage, "distance": distance}


def quadratic_usage_backward(memory: Memory) -> Array:
    """``2 (m - target) / size``."""
    usage = memory["usage"]
    return _everywhere(usage, 2 * memory["distance"] / usage.size)


def keep_alive(usage: Array, floor: float) -> tuple[float, Memory]:
    """``max(floor - m, 0)^2``: no pull above the floor, a growing one below (against collapse)."""
    require(0 <= floor <= 1, "floor", floor, "a share in [0, 1]")
    missing = max(floor - _mean(usage), 0.0)
    return missing * missing, {"usage": usage, "missing": missing}


def keep_alive_backward(memory: Memory) -> Array:
    """``-2 max(floor - m, 0) / size``."""
    usage = memory["usage"]
    return _everywhere(usage, -2 * memory["missing"] / usage.size)
