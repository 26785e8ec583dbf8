"""Named mistakes: errors that were really made in public code, put into a copy of a layer.

Unlike the generic mutators these may spoil the forward too. Every function takes a sound layer or
operator and answers a spoiled twin that shares its arrays; the proof of the twin must fail.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.surrogates import middle, sigmoid

Mistake = Callable[[Any], Any]


def spoiled(thing: Any, **methods: Callable[..., Any]) -> Any:
    """Return a shallow copy whose class has some methods replaced."""
    twin = copy.copy(thing)
    twin.__class__ = type(f"Spoiled{type(thing).__name__}", (type(thing),), methods)
    return twin


def reversed_straight_through(layer: Any) -> Any:
    """The line ``h + stop(p - h)``: the value is the soft ``p``, and no gradient reaches the gate.

    Four files of the public DynamicGate code carry it (design notes, dynamicgate-audit E1.1).
    """
    def decide(self: Any, *args: Any, **kwargs: Any) -> Any:
        decision = layer.decide(*args, **kwargs)
        p = decision.probability
        return replace(decision, gate=p if self.gate_value == "binary" else p * p)

    return spoiled(gate_path_left_out(layer), decide=decide)


def gate_path_left_out(layer: Any) -> Any:
    """The task gradient stops at the gate: neither its parameters nor ``x`` hear of it."""
    def decide_backward(
        self: Any, grad_gate: Array, grad_probability: Array | None, decision: Any
    ) -> tuple[Array, Grads]:
        grad_x, grads = layer.decide_backward(np.zeros_like(grad_gate), grad_probability, decision)
        return grad_x, grads

    return spoiled(layer, decide_backward=decide_backward)


def forgotten_mask(layer: Any) -> Any:
    """The backward of the full path forgets the gate: closed neurons are trained too."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> Any:
        return layer.backward(grad_output, with_open_gates(memory), grad_gate)

    return spoiled(layer, backward=backward)


def with_open_gates(memory: Memory) -> Memory:
    """A memory in which every gate was 1; one of a stack holds one such memory per layer."""
    if "layers" in memory:
        return memory | {"layers": [with_open_gates(layer) for layer in memory["layers"]]}
    return memory | {"gate": np.ones_like(memory["gate"])}


def missing_temperature(layer: Any) -> Any:
    """The factor ``1 / T`` is lost between the gate and its scores."""
    if hasattr(layer, "k"):
        return with_operator(layer, operator_without_temperature)

    def decide_backward(self: Any, *args: Any) -> tuple[Array, Grads]:
        factor = float(layer.state["temperature"])
        grad_x, grads = layer.decide_backward(*args)
        return factor * grad_x, {name: factor * g for name, g in grads.items()}

    return spoiled(layer, decide_backward=decide_backward)


def budget_gradient_left_out(layer: Any) -> Any:
    """``grad_gate`` is accepted and ignored: no budget ever moves a gate."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> Any:
        return layer.backward(grad_output, memory, None)

    return spoiled(layer, backward=backward)


def budget_not_held(layer: Any) -> Any:
    """The Top-k derivative without its second term: the cut is taken for a constant."""
    return with_operator(layer, operator_with_constant_cut)


def with_operator(layer: Any, spoil: Mistake) -> Any:
    """A twin of a Top-k layer whose operator is spoiled."""
    def decide(self: Any, *args: Any, **kwargs: Any) -> Any:
        return with_spoiled_operator(layer.decide(*args, **kwargs), spoil)

    return spoiled(layer, decide=decide)


def with_spoiled_operator(decision: Any, spoil: Mistake) -> Any:
    """A decision whose backward will use a spoiled operator, in every part it has."""
    memory = decision.memory
    if "parts" in memory:
        parts = [with_spoiled_operator(part, spoil) for part in memory["parts"]]
        return replace(decision, memory=memory | {"parts": parts})
    return replace(decision, memory=memory | {"operator": spoil(memory["operator"])})


def operator_without_temperature(operator: Any) -> Any:
    """A Top-k operator that forgets ``1 / T`` in the gradient of the scores."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads = operator.backward(grad_p, memory)
        return {**grads, "scores": grads["scores"] * memory["temperature"]}

    return spoiled(operator, backward=backward)


def operator_with_constant_cut(operator: Any) -> Any:
    """A Top-k operator with ``d g / T`` where ``d (g - mean) / T`` is due."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads = operator.backward(grad_p, memory)
        return {**grads, "scores": slope_of(memory) * grad_p / memory["temperature"]}

    return spoiled(operator, backward=backward)


def slope_of(memory: Memory) -> Array:
    """``F'(u)``: kept by a soft operator; for a hard one the logistic slope at the middle cut."""
    if "slope" in memory:
        return np.asarray(memory["slope"])
    scores = memory["scores"]
    k = int(np.asarray(memory["mask"])[0].sum())
    p = sigmoid((scores - middle(scores, k)) / memory["temperature"])
    return np.asarray(p * (1 - p))


def reversed_operator(operator: Any) -> Any:
    """The reversed straight-through line as a Top-k operator: soft forward, no gradient."""
    def forward(
        self: Any, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        _, memory = operator.forward(scores, k, temperature, rng)
        return sigmoid((scores - middle(scores, int(k))) / temperature), memory

    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        return {name: 0.0 * g for name, g in operator.backward(grad_p, memory).items()}

    return spoiled(operator, forward=forward, backward=backward)


def row_mean_left_out(layer: Any) -> Any:
    """Layer norm that treats the mean of the row as a constant in its backward."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> Any:
        grad_x, grads = layer.backward(grad_output, memory)
        lost = (grad_output * layer.params["scale"]).mean(axis=1, keepdims=True)
        return grad_x + lost * memory["inverse_std"], grads

    return spoiled(layer, backward=backward)


def mask_left_out(layer: Any) -> Any:
    """Dropout that lets the gradient of dropped entries through."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> Any:
        return layer.backward(grad_output, {"factor": np.full_like(grad_output, np.max(
            memory["factor"]))})

    return spoiled(layer, backward=backward)


LAYER_GATE: dict[str, Mistake] = {
    "gate path left out": gate_path_left_out, "forgotten mask": forgotten_mask,
    "budget gradient left out": budget_gradient_left_out,
}
"""What can be forgotten whatever the operator is; :data:`EVERY_GATE` asks for a temperature."""

EVERY_GATE: dict[str, Mistake] = LAYER_GATE | {"missing temperature": missing_temperature}
HARD_GATE: dict[str, Mistake] = {"reversed straight-through": reversed_straight_through}
TOPK_GATE: dict[str, Mistake] = {"budget not held": budget_not_held}
EVERY_OPERATOR: dict[str, Mistake] = {
    "missing temperature": operator_without_temperature,
    "constant cut": operator_with_constant_cut,
}
HARD_OPERATOR: dict[str, Mistake] = {"reversed straight-through": reversed_operator}
