"""Named mistakes of choosers, of the simplex operators they use, and of gate networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory
from minimidl.proof.mistakes import spoiled


def budget_left_out(chooser: Any) -> Any:
    """What pulls on the probability is accepted and ignored."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        return chooser.backward(grad_gate, None, decision)

    return spoiled(chooser, backward=backward)


def task_left_out(chooser: Any) -> Any:
    """What pulls on the gate is accepted and ignored: only the budget moves it."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        return chooser.backward(np.zeros_like(grad_gate), grad_probability, decision)

    return spoiled(chooser, backward=backward)


def forced_gates_deaf(chooser: Any) -> Any:
    """What ``min_keep`` forced open gets no gradient, so it can never earn its place."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        earned = decision.scores > chooser.cut
        return chooser.backward(grad_gate * earned, grad_probability, decision)

    return spoiled(chooser, backward=backward)


def parts_swapped(chooser: Any) -> Any:
    """The gradients of equal parts come back in the wrong order."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        grads = chooser.backward(grad_gate, grad_probability, decision)
        return np.concatenate(chooser.split(grads)[::-1], axis=1)

    return spoiled(chooser, backward=backward)


def unit_of_bits_left_out(chooser: Any) -> Any:
    """DSelect-k reads ``0.01 z / T`` as bits, and its backward forgets that factor."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        memory = decision.memory | {"step": decision.memory["step"] / 0.01}
        return chooser.backward(grad_gate, grad_probability, replace(decision, memory=memory))

    return spoiled(chooser, backward=backward)


def factor_k_left_out(operator: Any) -> Any:
    """``k p(z)`` is pulled back as if it were ``p(z)``."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads: Grads = operator.backward(grad_p, memory | {"k": 1})
        return grads

    return spoiled(operator, backward=backward)


def bend_left_out(net: Any) -> Any:
    """The hidden units of an mlp gate are taken for linear on the way back."""
    def backward(self: Any, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        grad_u = grad_output @ self.params["up"].T
        grads = {"down": memory["x"].T @ grad_u, "hidden": grad_u.sum(axis=0)}
        return grad_u @ self.params["down"].T, {**net.backward(grad_output, memory)[1], **grads}

    return spoiled(net, backward=backward)


def mean_for_sum(net: Any) -> Any:
    """A static gate that averages over the batch where it must add up."""
    def backward(self: Any, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        grad_x, _ = net.backward(grad_output, memory)
        return grad_x, {"bias": grad_output.mean(axis=0)}

    return spoiled(net, backward=backward)
