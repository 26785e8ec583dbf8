"""Budgets with a target: from above, from below, from both sides, and on the executed mask.

Pairs, as in ``budgets.py``; ``m`` is the mean of the usage, ``t`` the target. A penalty on the mean
*probability* does not control what is *executed* where probabilities crowd around the threshold;
:func:`hard_quadratic_usage` does.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.losses.usage import everywhere, mean_of, require_share


def hinge_usage(usage: Array, target: float) -> tuple[float, Memory]:
    """``max(m - t, 0)``: a steady pull above the target, none at and below it."""
    require_share("target", target)
    above = mean_of(usage) - target
    return max(above, 0.0), {"usage": usage, "pull": float(above > 0)}


def hinge_usage_backward(memory: Memory) -> Array:
    """``1[m > t] / size``."""
    usage = memory["usage"]
    return everywhere(usage, memory["pull"] / usage.size)


def keep_alive(usage: Array, floor: float) -> tuple[float, Memory]:
    """``max(floor - m, 0)^2``: no pull above the floor, a growing one below (against collapse)."""
    require_share("floor", floor)
    missing = max(floor - mean_of(usage), 0.0)
    return missing * missing, {"usage": usage, "missing": missing}


def keep_alive_backward(memory: Memory) -> Array:
    """``-2 max(floor - m, 0) / size``."""
    usage = memory["usage"]
    return everywhere(usage, -2 * memory["missing"] / usage.size)


def quadratic_usage(usage: Array, target: float) -> tuple[float, Memory]:
    """``(m - t)^2``: pulls usage to the target from both sides."""
    require_share("target", target)
    distance = mean_of(usage) - target
    return distance * distance, {"usage": usage, "distance": distance}


def quadratic_usage_backward(memory: Memory) -> Array:
    """``2 (m - t) / size``."""
    usage = memory["usage"]
    return everywhere(usage, 2 * memory["distance"] / usage.size)


def hard_quadratic_usage(
    probability: Array, active: Array, target: float
) -> tuple[float, Memory]:
    """``(mean b - t)^2`` of the executed mask ``b``, with the gradient straight through.

    The value is that of what was executed; its true derivative in ``p`` is 0. The backward puts
    ``db/dp := 1`` (Bengio, Leonard and Courville 2013), that is, the derivative of the surrogate
    ``(mean (b + p - stop(p)) - t)^2``.

    Args:
        probability: ``p``, ``(batch, n_gates)`` floats; who receives the gradient.
        active: ``b``, the same shape, booleans or zeros and ones.
        target: ``t`` in [0, 1].

    """
    require_share("target", target)
    mean_of(probability)  # refuses booleans: the gradient takes their dtype
    require(active.shape == probability.shape, "active", f"shape {active.shape}",
            f"that of the probabilities, {probability.shape}")
    distance = float(active.mean(dtype=np.float64)) - target
    return distance * distance, {"probability": probability, "distance": distance}


def hard_quadratic_usage_backward(memory: Memory) -> Array:
    """``2 (mean b - t) / size``, as if the mask were the probability."""
    p = memory["probability"]
    return everywhere(p, 2 * memory["distance"] / p.size)
