"""Clipping by the global norm: one long step becomes a short one in the same direction."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array, Grads
from minimidl.errors import require


def squared_norm(grad: Array) -> float:
    """Sum of squares of one array, by one BLAS call and with no copy for either memory order."""
    flat = grad.ravel(order="K")
    return float(np.dot(flat, flat))


def global_norm(grads: Grads) -> float:
    """Euclidean norm of all gradients together, as if they were one long vector."""
    return math.sqrt(sum(squared_norm(grad) for grad in grads.values()))


def clip_global_norm(
    grads: Grads, limit: float, only: Callable[[str], bool] | None = None
) -> float:
    """Scale gradients in place until their global norm is at most ``limit`` (Pascanu et al. 2013).

    Args:
        grads: changed in place where the norm is above the limit.
        limit: positive.
        only: predicate over names, such as :func:`~minimidl.learning.groups.is_gate`: the others
            are neither counted nor scaled.

    Returns:
        The norm before clipping. Where it is not finite, nothing is changed: the caller decides.

    Raises:
        InputError: a limit that is not positive.

    """
    require(limit > 0, "clip", limit, "a positive number")
    chosen = {name: g for name, g in grads.items() if only is None or only(name)}
    norm = global_norm(chosen)
    if math.isfinite(norm) and norm > limit:
        for grad in chosen.values():
            grad *= limit / norm
    return norm
