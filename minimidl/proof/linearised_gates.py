"""Models whose gates decide hard, with every such gate replaced by its linearised stand-in.

See ``surrogates.py`` for what that means, ``gate_stand_ins.py`` for the stand-ins.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.proof.gate_stand_ins import StandIn, decides_hard, gate_stand_in
from minimidl.proof.surrogates import held_budget, is_hard, sigmoid
from minimidl.proof.walk import leaves


def walk_through(
    model: Any, x: Array, training: bool, rng_seed: int
) -> Iterator[tuple[str, Any, Memory, Rng]]:
    """Run a model leaf by leaf: path, leaf, its memory, and the generator as it was before it.

    A model without gates is not run at all.
    """
    if not any(hasattr(leaf, "decide") for _, leaf in leaves(model)):
        return
    rng, value = np.random.default_rng(rng_seed), x
    for path, leaf in leaves(model):
        before = copy.deepcopy(rng)
        value, memory = leaf.forward(value, training, rng)
        yield path, leaf, memory, before


def hard_gates(layer: Any, x: Array, training: bool, rng_seed: int) -> list[str]:
    """Paths of the gated layers that decide hard at ``x``."""
    return [path for path, leaf, memory, _ in walk_through(layer, x, training, rng_seed)
            if hasattr(leaf, "decide")
            and decides_hard(getattr(leaf, "chooser", None), memory["decision"])]


def stand_in_at(leaf: Any, decision: Any, before: Rng, training: bool) -> StandIn | None:
    """The stand-in of one gated layer; None where it is differentiable as it is."""
    if not hasattr(leaf, "chooser"):
        return stand_in_of_a_stranger(leaf, decision) if is_hard(decision.mask) else None
    if training and leaf.noise:  # the layer draws its score noise before the chooser draws
        before.standard_normal(decision.scores.shape, dtype=np.float32)
    return gate_stand_in(leaf.chooser, decision, before if training else None)


def stand_in_of_a_stranger(leaf: Any, decision: Any) -> StandIn:
    """A reader's own layer: a Top-k if it has ``k``, else a threshold gate."""
    temperature = float(leaf.state["temperature"])
    if not hasattr(leaf, "k"):
        return lambda z: sigmoid(z / temperature)
    if leaf.k >= decision.mask.shape[1]:
        return np.ones_like
    return held_budget(getattr(leaf, "surrogate", "sigmoid"), decision.scores.copy(), leaf.k,
                       temperature)


class LinearisedGate:
    """One gated layer with its mask replaced by ``m0 + s(z) - s(z0)``."""

    def __init__(self, layer: Any, decision: Any, stand_in: StandIn) -> None:
        self.layer, self.mask, self.stand_in = layer, decision.mask.copy(), stand_in
        self.start = stand_in(decision.scores.copy())

    def gate(self, decision: Any) -> Array:
        """The value that multiplies, as a smooth function of the scores."""
        mask = self.mask + (self.stand_in(decision.scores) - self.start)
        mask = mask * decision.memory.get("drop", 1.0)  # drawn after the decision: a constant
        binary = self.layer.gate_value == "binary"
        return mask if binary else np.asarray(mask * decision.probability)

    def forward(self, x: Array, training: bool, rng: Rng) -> tuple[Array, Memory]:
        """``decide``, replace the gate, ``apply``; jumps are told by ``decision.active``."""
        decision = self.layer.decide(x, training, rng)
        output, memory = self.layer.apply(
            x, replace(decision, gate=self.gate(decision), memory={}))
        return output, memory


def linearised(
    layer: Any, x: Array, training: bool, rng_seed: int
) -> Callable[[], tuple[Array, Memory]] | None:
    """Surrogate forward of a model: every hard gate linearised at ``x``, all else as it is.

    None where nothing had to be replaced.
    """
    steps, replaced = [], False
    for path, leaf, memory, before in walk_through(layer, x, training, rng_seed):
        step = leaf
        if hasattr(leaf, "decide"):
            decision = memory["decision"]
            stand_in = stand_in_at(leaf, decision, before, training)
            if stand_in is not None:
                step, replaced = LinearisedGate(leaf, decision, stand_in), True
        steps.append((path, step))

    def forward() -> tuple[Array, Memory]:
        rng, value, kept = np.random.default_rng(rng_seed), x, Memory()
        for path, step in steps:
            value, part = step.forward(value, training, rng)
            place(kept, path, part)
        return value, kept

    return forward if replaced else None


def place(memory: Memory, path: str, part: Memory) -> None:
    """Put the memory of one layer where :func:`memory_at` will look for it."""
    if not path:
        memory.update(part)
        return
    *outer, last = path.split(".")
    for step in outer:
        memory = memory.setdefault(step, {})
    memory[last] = part
