"""A guard against collapse: no sample runs on fewer than so many gates."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.gates.threshold.hard import topk_mask


def at_least(mask: Array, scores: Array, k_min: int) -> Array:
    """Open the best of the closed gates of every row that has fewer than ``k_min`` open ones.

    An open gate stays open, also one that noise opened against its score. Where open gates have the
    highest scores, as behind a threshold, these are the row's ``k_min`` best. Ties go to the lowest
    index. Comparing with the k-th largest value instead would open every gate of a row of equal
    scores, which is how static gates start.

    Args:
        mask: ``(rows, n)`` boolean.
        scores: ``(rows, n)``, finite.
        k_min: a whole number in [0, n].

    Returns:
        A boolean mask with at least ``k_min`` open gates in every row; rows that had enough are as
        they were, the others have exactly ``k_min``.

    Raises:
        InputError: a mask that is not boolean, ``k_min`` outside [0, n].

    """
    require(mask.dtype == bool, "mask", f"dtype {mask.dtype}", "a boolean mask")
    require(0 <= k_min <= scores.shape[1], "min_keep", k_min,
            f"a number of gates from 0 to {scores.shape[1]}")
    starved = mask.sum(axis=1) < k_min
    if not starved.any():
        return mask
    open_first = np.where(mask[starved], np.inf, scores[starved])
    fed = mask.copy()
    fed[starved] = topk_mask(open_first, k_min)
    return fed
