"""What can be forgotten where connections are missing, or gated one by one.

Each takes a sound layer and answers a spoiled twin; see :mod:`minimidl.proof.mistakes`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory
from minimidl.proof.mistakes import (
    Mistake,
    budget_gradient_left_out,
    gate_path_left_out,
    missing_temperature,
    reversed_straight_through,
    spoiled,
)


def mask_left_out_of_the_forward(layer: Any) -> Any:
    """Dead weights count, because an optimiser's momentum moved them and nobody masked again."""
    return spoiled(layer, live_weight=lambda self: self.params["weight"].copy())


def mask_left_out_of_the_gradient(layer: Any) -> Any:
    """Dead weights get the gradient that they would have, were they alive."""
    return spoiled(layer, live_gradient=lambda self, full: full)


def dead_weights_pass_back(layer: Any) -> Any:
    """``dx`` is pulled through all weights, dead ones too."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> tuple[Array, Grads]:
        grad_x, grads = layer.backward(grad_output, memory, grad_gate)
        dead = layer.params["weight"] * ~layer.mask
        return grad_x + memory["upstream"].grad_u @ dead.T, grads

    return spoiled(layer, backward=backward)


def closed_weights_learn(layer: Any) -> Any:
    """Behind a closed gate the weight is trained, and passes ``dx``, as if it were open."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> tuple[Array, Grads]:
        decision = memory["decision"]
        gates_1 = replace(decision, gate=np.ones_like(decision.gate))
        return layer.backward(grad_output, memory | {"decision": gates_1}, grad_gate)

    return spoiled(layer, backward=backward)


def weight_left_out_of_the_gate(layer: Any) -> Any:
    """The gate hears ``x^T du`` where it should hear ``W * x^T du``: the sign of W is lost."""
    def decide_backward(self: Any, grad_gate: Array, *args: Any) -> tuple[Array, Grads]:
        weight = layer.params["weight"].reshape(1, -1)
        grad_x, grads = layer.decide_backward(grad_gate / weight, *args)
        return grad_x, grads

    return spoiled(layer, decide_backward=decide_backward)


def scaling_left_out(layer: Any) -> Any:
    """The backward of a random gate multiplies by ``b`` where the forward did by ``b / rate``."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> tuple[Array, Grads]:
        answer: tuple[Array, Grads] = layer.backward(
            grad_output, memory | {"gate": memory["gate"] * layer.rate}, grad_gate)
        return answer

    return spoiled(layer, backward=backward)


def drop_left_out_of_the_gate(layer: Any) -> Any:
    """A gate whose neuron was dropped hears the task all the same."""
    def decide_backward(
        self: Any, grad_gate: Array, pull: Any, decision: Any
    ) -> tuple[Array, Grads]:
        memory = {name: value for name, value in decision.memory.items() if name != "drop"}
        grad_x, grads = layer.decide_backward(grad_gate, pull, replace(decision, memory=memory))
        return grad_x, grads

    return spoiled(layer, decide_backward=decide_backward)


MASKED: dict[str, Mistake] = {
    "mask left out of the forward": mask_left_out_of_the_forward,
    "mask left out of the gradient": mask_left_out_of_the_gradient,
    "dead weights pass back": dead_weights_pass_back,
}
PER_WEIGHT: dict[str, Mistake] = {
    "closed weights learn": closed_weights_learn,
    "weight left out of the gate": weight_left_out_of_the_gate,
    "gate path left out": gate_path_left_out,
    "missing temperature": missing_temperature,
    "budget gradient left out": budget_gradient_left_out,
    "reversed straight-through": reversed_straight_through,
}
"""Of a weight gate in evaluation, at a temperature that is not 1."""
