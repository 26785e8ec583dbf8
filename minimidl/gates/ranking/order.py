"""Sorting there and back, shared by everything that ranks."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array


def descending_order(x: Array) -> Array:
    """Indices that sort each row from largest to smallest; ties keep the lowest index first."""
    return np.argsort(-x, axis=1, kind="stable")


def put_back(x: Array, order: Array) -> Array:
    """Undo ``take_along_axis(., order)``: entry ``j`` of ``x`` goes to place ``order[j]``."""
    back = np.empty_like(x)
    np.put_along_axis(back, order, x, axis=1)
    return back
