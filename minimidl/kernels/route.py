"""Choosing experts in one pass over the scores: the k best of a few, and their weights.

What ``minimidl.gates.routers`` does in evaluation by a dozen NumPy calls, each of which costs more
than the work where samples are few.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.jit import compiled

LOWEST = -1000.0
"""As in ``gates/probability/base.py``: so far below the best, a probability is 0."""


@compiled()
def route(
    scores: Array, k: int, temperature: float, renormalise: bool, active: Array, gate: Array
) -> int:
    """The ``k`` best experts of every sample, ties to the lowest index, and what multiplies them.

    Args:
        scores: ``(batch, n_experts)``.
        k: experts per sample.
        temperature: of the softmax.
        renormalise: weights sum to 1 over the chosen; else they are the raw probabilities.
        active: ``(batch, n_experts)`` boolean, filled.
        gate: ``(batch, n_experts)``, filled.

    Returns:
        0, or 1 when a score is NaN or infinite; then what is filled in means nothing.

    """
    kind, zero = scores.dtype.type, scores.dtype.type(0)
    for s in range(scores.shape[0]):
        best, total, chosen = 0, 0.0, 0.0
        for e in range(scores.shape[1]):
            if not np.isfinite(scores[s, e]):
                return 1
            active[s, e] = False
            best = e if scores[s, e] > scores[s, best] else best
        top = scores[s, best]
        for e in range(scores.shape[1]):
            u = max((scores[s, e] - top) / kind(temperature), kind(LOWEST))
            gate[s, e] = kind(math.exp(u))
            total += gate[s, e]
        for e in range(scores.shape[1]):
            gate[s, e] /= kind(total)
        for _ in range(k):
            best = -1
            for e in range(scores.shape[1]):
                if not active[s, e] and (best < 0 or scores[s, e] > scores[s, best]):
                    best = e
            active[s, best] = True
            chosen += gate[s, best]
        share = kind(chosen) if renormalise and chosen > 0 else kind(1)
        for e in range(scores.shape[1]):
            gate[s, e] = gate[s, e] / share if active[s, e] else zero
    return 0
