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
    usage: Array, target: float, multiplier: float, stiffness: float
) -> tuple[float, Memory]:
    """``mu (m - t) + (rho / 2) (m - t)^2`` (Hestenes 1969; Powell 1969).

    The square damps what the multiplier alone would let swing.

    Args:
        usage: floats of any shape.
        target: ``t``, in the unit of the usage.
        multiplier: ``mu``, finite.
        stiffness: ``rho``, at least 0.

    """
    require(stiffness >= 0, "stiffness", stiffness, "a number of at least 0")
    value, memory = lagrangian_usage(usage, target, multiplier)
    distance = mean_of(usage) - target
    memory["pull"] = multiplier + stiffness * distance
    return value + 0.5 * stiffness * distance * distance, memory


def augmented_usage_backward(memory: Memory) -> Array:
    """``(mu + rho (m - t)) / size``."""
    usage = memory["usage"]
    return everywhere(usage, memory["pull"] / usage.size)
