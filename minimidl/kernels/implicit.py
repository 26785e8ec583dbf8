"""The backward of the threshold family in Numba: two passes over a row that is in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled


@compiled(reassociate=True)
def implicit_rows(
    slope: Array, u: Array, temperature: Any, grad_p: Array, pull: Array
) -> tuple[float, float]:
    """Write dL/dscores into ``pull``; dL/dk and dL/dT summed over rows. See gates/threshold."""
    kind = slope.dtype.type
    all_k = all_t = 0.0
    for row in range(slope.shape[0]):
        total = weighted = 0.0
        for i in range(slope.shape[1]):
            total += np.float64(slope[row, i])
            weighted += np.float64(slope[row, i] * grad_p[row, i])
        mean = kind(weighted / max(total, 2.2250738585072014e-308))
        moved = 0.0
        for i in range(slope.shape[1]):
            change = slope[row, i] * (grad_p[row, i] - mean) / temperature
            pull[row, i] = change
            moved += np.float64(change * u[row, i])
        all_k += np.float64(mean)
        all_t -= moved
    return all_k, all_t
