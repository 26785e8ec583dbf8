"""What all budgets share: the mean of a usage, and a gradient that is the same everywhere.

``usage`` may be the probabilities or the executed mask, floats 0 and 1. All budgets are means, not
sums: a budget must not depend on the width of a layer or on the batch size.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require


def mean_of(usage: Array) -> float:
    """``m``, in float64; raises InputError for booleans, whose gradient would say True."""
    require(usage.dtype.kind == "f", "usage", f"dtype {usage.dtype}", "floats",
            "for the executed mask take decision.mask, not decision.active")
    return float(usage.mean(dtype=np.float64))


def everywhere(usage: Array, value: float) -> Array:
    """``value`` in the shape and the dtype of ``usage``."""
    return np.full_like(usage, value)


def require_share(name: str, value: float) -> None:
    """Raise InputError for a target outside [0, 1]."""
    require(0 <= value <= 1, name, value, "a share in [0, 1]")
