"""Straight-through gates: what their backward is the derivative of.

A hard mask has derivative 0 wherever it has one, so central differences of the real forward say
nothing about a straight-through backward. What it is exact for is the *linearised surrogate*: the
mask ``m0`` found at the test point is replaced by

    m(z) = m0 + (s(z) - s(z0))

with a smooth stand-in ``s`` and everything with index 0 frozen. At the test point the surrogate
equals the real forward; beside it, its derivative is the straight-through gradient. The stand-ins:

    threshold   s(z) = sigmoid(z / T)
    hard Top-k  s(z) = sigmoid((z - tau(z)) / T), tau(z) holding the budget
                sum_i s_i(z) = c = sum_i s_i(z0), tau(z0) midway between the k-th and the next score
                (other distribution functions than the sigmoid: see ``stand_ins.py``)

They are written here a second time, on purpose: a proof that borrows the formula it proves is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.proof.stand_ins import held
from minimidl.proof.subject import Forward, Values
from minimidl.proof.walk import leaves, memory_at

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


def hard_gates(layer: Any, x: Array, training: bool, rng_seed: int) -> list[str]:
    """Paths of the gated layers that decide hard at ``x``."""
    gated = [path for path, leaf in leaves(layer) if hasattr(leaf, "decide")]
    if not gated:
        return []
    _, memory = layer.forward(x, training, np.random.default_rng(rng_seed))
    masks = {path: memory_at(memory, path)["decision"].mask for path in gated}
    return [path for path, mask in masks.items() if is_hard(mask)]


class LinearisedGate:
    """One gated layer with its hard mask replaced by ``m0 + s(z) - s(z0)``."""

    def __init__(self, layer: Any, decision: Any) -> None:
        self.layer, self.mask = layer, decision.mask.copy()
        self.stand_in = self.choose_stand_in(decision)
        self.start = self.stand_in(decision.scores)

    def choose_stand_in(self, decision: Any) -> Callable[..., Array]:
        """Top-k holds its budget; where all or none are open there is nothing to choose."""
        temperature = float(self.layer.state["temperature"])
        if not hasattr(self.layer, "k"):
            return lambda z: sigmoid(z / temperature)
        if self.layer.k >= self.mask.shape[1]:
            return np.ones_like
        kind = getattr(self.layer, "surrogate", "sigmoid")
        return held_budget(kind, decision.scores.copy(), self.layer.k, temperature)

    def gate(self, decision: Any) -> Array:
        """The value that multiplies, as a smooth function of the scores."""
        mask = self.mask + (self.stand_in(decision.scores) - self.start)
        binary = self.layer.gate_value == "binary"
        return mask if binary else np.asarray(mask * decision.probability)

    def forward(self, x: Array, training: bool, rng: np.random.Generator) -> tuple[Array, Memory]:
        """``decide``, replace the gate, ``apply``."""
        decision = self.layer.decide(x, training, rng)
        output, memory = self.layer.apply(x, replace(decision, gate=self.gate(decision)))
        return output, memory


def linearised(
    layer: Any, x: Array, training: bool, rng_seed: int
) -> Callable[[], tuple[Array, Memory]]:
    """Surrogate forward of a model: every hard gate linearised at ``x``, all else as it is."""
    _, memory = layer.forward(x, training, np.random.default_rng(rng_seed))
    hard = hard_gates(layer, x, training, rng_seed)
    steps = [
        (path, LinearisedGate(leaf, memory_at(memory, path)["decision"]) if path in hard else leaf)
        for path, leaf in leaves(layer)
    ]

    def forward() -> tuple[Array, Memory]:
        rng, value, kept = np.random.default_rng(rng_seed), x, Memory()
        for path, step in steps:
            value, part = step.forward(value, training, rng)
            place(kept, path, part)
        return value, kept

    return forward


def place(memory: Memory, path: str, part: Memory) -> None:
    """Put the memory of one layer where :func:`memory_at` will look for it."""
    if not path:
        memory.update(part)
        return
    *outer, last = path.split(".")
    for step in outer:
        memory = memory.setdefault(step, {})
    memory[last] = part
