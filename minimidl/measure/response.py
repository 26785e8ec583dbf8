"""What an operator answers and how it pulls: values and Jacobians at a few scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.gates import RANKING, SIMPLEX, TOPK

SCORES = np.array([2.0, 1.4, 1.1, 0.9, 0.2, -0.3, -1.0, -1.6])
"""Eight scores in order, with a narrow gap at the cut for ``K = 3``."""

K = 3
Forward = Callable[[Array, float], tuple[Array, Memory]]
Backward = Callable[[Array, Memory], Any]


def vector_operator(name: str) -> tuple[Forward, Backward]:
    """Forward over ``(rows, n)`` scores at a temperature, and backward to the scores, by name."""
    draws = np.random.default_rng(0).bit_generator.state

    def replayed() -> np.random.Generator:  # the same noise for every call
        rng = np.random.default_rng(0)
        rng.bit_generator.state = draws
        return rng

    if name in TOPK:
        chosen = TOPK[name]
        return (lambda z, t: chosen.forward(z, K, t, replayed()),
                lambda g, memory: chosen.backward(g, memory)["scores"])
    operator: Any = SIMPLEX[name] if name in SIMPLEX else RANKING[name]
    return (lambda z, t: operator.forward(z, t),
            lambda g, memory: operator.backward(g, memory)["scores"])


def response(name: str, temperature: float) -> Array:
    """What the operator answers to :data:`SCORES`, ``(n,)``."""
    forward, _ = vector_operator(name)
    return forward(SCORES[None, :], temperature)[0][0]


def jacobian(name: str, temperature: float) -> Array:
    """``dp_i / dz_j`` at :data:`SCORES`, ``(n, n)``, row by row from the operator's backward.

    For a hard choice it is the Jacobian of its stand-in.
    """
    forward, backward = vector_operator(name)
    rows = []
    for unit in np.eye(len(SCORES)):
        _, memory = forward(SCORES[None, :], temperature)
        rows.append(np.asarray(backward(unit[None, :], memory))[0])
    return np.stack(rows)
