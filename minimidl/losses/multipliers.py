"""Budgets with a multiplier: the terms that dual ascent and the augmented Lagrangian add.

Pairs, as in ``budgets.py``. The multiplier ``mu`` is a number here; who moves it, and when, is told
in ``minimidl/learning/controllers.py``. ``usage`` may be anything with a mean: gate
probabilities, an executed mask, or the executed MACs of every sample as a share of the dense twin.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.losses.usage import everywhere, mean_of


def lagrangian_usage(usage: Array, target: float, multiplier: float) -> tuple[float, Memory]:
    """``mu (m - t)``: the price of opening more, where ``mu`` may be negative (a reward).

    Args:
        usage: floats of any shape.
        target: ``t``, in the unit of the usage.
        multiplier: ``mu``, finite.

    """
    require(bool(np.isfinite(multiplier)), "multiplier", multiplier, "a finite number")
    return multiplier * (mean_of(usage) - target), {"usage": usage, "pull": multiplier}


def lagrangian_usage_backward(memory: Memory) -> Array:
    """``mu / size``."""
    usage = memory["usage"]
    return everywhere(usage, memory["pull"] / usage.size)


def augmented_usage(
    usage: Array, target: float, multiplier: float, stiffness: float, *, at_most: bool = False
) -> tuple[float, Memory]:
    """``mu (m - t) + (rho / 2) (m - t)^2`` (Hestenes 1969; Powell 1969).

    The square damps what the multiplier alone would let swing. For ``m <= t`` instead of ``m = t``
    the pull never becomes a reward: where ``mu + rho (m - t)`` is below 0 the value is
    ``-mu^2 / (2 rho)`` and the gradient 0 (Rockafellar 1973).

    Args:
        usage: floats of any shape.
        target: ``t``, in the unit of the usage.
        multiplier: ``mu``, finite; at least 0 with ``at_most``.
        stiffness: ``rho``, at least 0.
        at_most: hold the usage below the target only.

    """
    require(stiffness >= 0, "stiffness", stiffness, "a number of at least 0")
    require(not at_most or multiplier >= 0, "multiplier", multiplier, "at least 0 with at_most")
    value, memory = lagrangian_usage(usage, target, multiplier)
    distance = mean_of(usage) - target
    memory["pull"] = multiplier + stiffness * distance
    if at_most and memory["pull"] < 0:
        return -0.5 * multiplier * multiplier / stiffness, memory | {"pull": 0.0}
    return value + 0.5 * stiffness * distance * distance, memory


def augmented_usage_backward(memory: Memory) -> Array:
    """``(mu + rho (m - t)) / size``, or 0 where the bound is not in danger."""
    usage = memory["usage"]
    return everywhere(usage, memory["pull"] / usage.size)
