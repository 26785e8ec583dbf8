"""Capacity: an expert takes so many samples of a batch and no more.

    C = ceil(factor * N * k / E)

With ``factor`` 1 the experts' places are just enough for a perfectly even choice. Who is sent away
is deterministic: the last samples of the batch, or those with the lowest router probability
(Riquelme et al. 2021, 2106.05974, "batch prioritized routing"); ties go to the earlier sample.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require

PRIORITIES = ("order", "probability")


def capacity_of(factor: float, n_samples: int, k: float, n_experts: int) -> int:
    """``C = ceil(factor N k / E)`` places per expert (Fedus et al. 2021, eq. 3, with k choices).

    Raises InputError where ``factor`` is not a positive number.
    """
    require(0 < factor < math.inf, "capacity", factor, "a positive number")
    return math.ceil(factor * n_samples * k / n_experts - 1e-9)  # 1.1 * 10 is above 11


def within_capacity(
    chosen: Array, capacity: int, probability: Array | None = None
) -> Array:
    """Keep at most ``capacity`` samples of every column.

    Args:
        chosen: boolean ``(batch, n_experts)``.
        capacity: places per expert, at least 0.
        probability: ``(batch, n_experts)``: higher ones first; None: earlier samples first.

    Returns:
        A boolean mask inside ``chosen``.

    """
    if probability is None:
        return chosen & (np.cumsum(chosen, axis=0) <= capacity)
    last = np.where(chosen, -probability, np.inf)  # those not chosen queue up behind all others
    order = np.argsort(last, axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(order))[:, None], axis=0)
    kept: Array = chosen & (rank < capacity)
    return kept
