"""Straight-through gates: what their backward is the derivative of.

A hard mask has derivative 0 wherever it has one, so central differences of the real forward say
nothing about a straight-through backward. What it is exact for is the *linearised surrogate*: the
mask ``m0`` found at the test point is replaced by

    m(z) = m0 + (s(z) - s(z0))

with a smooth stand-in ``s`` and everything with index 0 frozen. At the test point the surrogate
equals the real forward; beside it, its derivative is the straight-through gradient. The stand-ins:

    threshold   s(z) = sigmoid(z / T)       (other estimators: see ``gate_stand_ins.py``)
    hard Top-k  s(z) = sigmoid((z - tau(z)) / T), tau(z) holding the budget
                sum_i s_i(z) = c = sum_i s_i(z0), tau(z0) midway between the k-th and the next score
                (other distribution functions than the sigmoid: see ``stand_ins.py``)

They are written here a second time, on purpose: a proof that borrows the formula it proves is none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.proof.stand_ins import held
from minimidl.proof.subject import Forward, Values

NEWTON_STEPS = 30


def sigmoid(u: Array) -> Array:
    """``1 / (1 + exp(-u))`` by way of tanh: no overflow, and not the code under proof."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * u))


def held_cut(scores: Array, budget: Array, temperature: float, start: Array) -> Array:
    """``tau`` ``(rows, 1)`` that solves ``sum_i sigmoid((z_i - tau) / T) = budget``, by Newton."""
    tau = start.copy()
    for _ in range(NEWTON_STEPS):
        p = sigmoid((scores - tau) / temperature)
        slope = (p * (1 - p)).sum(axis=1, keepdims=True) / temperature
        step = (p.sum(axis=1, keepdims=True) - budget) / slope
        tau += step
        if np.max(np.abs(step)) < 1e-15:
            break
    return tau


def middle(scores: Array, k: int) -> Array:
    """``(rows, 1)``: midway between the k-th largest score and the next."""
    descending = -np.sort(-scores, axis=1)
    return 0.5 * (descending[:, k - 1, None] + descending[:, k, None])


def held_sigmoid(scores: Array, k: int, temperature: float) -> Callable[..., Array]:
    """Stand-in of the hard Top-k, frozen at ``scores``: answers ``s(z, T, extra budget)``."""
    start = middle(scores, k)
    held = sigmoid((scores - start) / temperature).sum(axis=1, keepdims=True)

    def stand_in(z: Array, width: float = temperature, more: float = 0.0) -> Array:
        return sigmoid((z - held_cut(z, held + more, width, start)) / width)

    return stand_in


def held_budget(
    kind: str, scores: Array, k: int, temperature: float
) -> Callable[..., Array]:
    """Stand-in of the hard Top-k by the name of its surrogate, frozen at ``scores``."""
    if kind == "sigmoid":
        return held_sigmoid(scores, k, temperature)
    return held(kind, scores, middle(scores, k), temperature)


def topk_surrogate(
    scores: Array, k: Array, temperature: Array, kind: str = "sigmoid"
) -> Forward:
    """Surrogate forward of a hard Top-k operator over live ``scores``, ``k`` and temperature."""
    k0 = float(k)
    stand_in = held_budget(kind, scores.copy(), int(k0), float(temperature))

    def forward() -> tuple[Values, Memory]:
        return {"p": stand_in(scores, float(temperature), float(k) - k0)}, {}

    return forward


def is_hard(mask: Array) -> bool:
    """Whether a mask holds nothing but zeros and ones."""
    return bool(np.all((mask == 0) | (mask == 1)))
