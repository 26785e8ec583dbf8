"""Proofs of the executor: skipping closed neurons changes neither output nor gradient.

Two gradients. ``"straight-through"`` is the model's own, proved against its linearised surrogate.
``"active-only"`` claims to be the exact derivative of what was executed, so nothing stands in for
anything: differences of the executed forward, the mask held fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.proof.entries.layer_entries import DOUBLE, telling_point
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake, spoiled
from minimidl.proof.prove import prove_layer
from minimidl.proof.verdict import Report
from minimidl.proof.walk import memory_at


def budgets_left_out(executor: Any) -> Any:
    """An executor that does not hand ``grad_gate`` on to its model."""
    def backward(self: Any, grad_output: Any, memory: Any, grad_gate: Any = None) -> Any:
        return executor.backward(grad_output, memory)

    return spoiled(executor, backward=backward)


def with_open(executor: Any, change: Any) -> Any:
    """An active-only executor whose backward sees what ``change(segment, own)`` makes of it.

    ``own`` is the memory of a segment; the answer replaces parts of what it kept of open places.
    """
    def backward(self: Any, grad_output: Array, memory: Memory, grad_gate: Any = None) -> Any:
        spoiled_memory = memory
        for path, (segment, _) in executor.active_only.segments.items():
            own = memory_at(memory, path)
            new = own | {"open": own["open"] | change(segment, own)}
            spoiled_memory = replaced(spoiled_memory, path.split("."), new)
        return executor.backward(grad_output, spoiled_memory, grad_gate)

    return spoiled(executor, backward=backward)


def replaced(memory: Memory, path: list[str], value: Memory) -> Memory:
    """A copy of a memory with another one at ``path``."""
    if not path:
        return value
    return memory | {path[0]: replaced(memory[path[0]], path[1:], value)}


def gate_value_left_out(executor: Any) -> Any:
    """Open neurons are trained as if their gate were 1."""
    return with_open(executor, lambda segment, own: {"gate": np.ones_like(own["open"]["gate"])})


def light_left_out_of_gate(executor: Any) -> Any:
    """The gate hears what an open neuron answers, not what it answers more than the light path."""
    return with_open(executor, lambda segment, own: {"difference": own["open"]["full"]})


def light_left_out_of_next(executor: Any) -> Any:
    """The next layer learns from open neurons only, and forgets the light value of all others."""
    return with_open(executor, lambda segment, own: {"light": np.zeros_like(own["open"]["light"])})


def hidden_without_gate(executor: Any) -> Any:
    """The next layer learns from what open neurons answered before their gate."""
    return with_open(executor, lambda segment, own: {"hidden": own["open"]["difference"]})


def mask_forgotten(masked: Any, executor: Any) -> Any:
    """The gate's gradient without its mask: closed gates hear of neurons that did not run."""
    def everywhere(segment: Any, own: Memory) -> Memory:
        gated, decision = segment.gated, own["decision"]
        u = own["x"] @ gated.params["weight"] + gated.params["bias"]
        full, gate = gated.function.value(u), gated.to_units(decision.gate)
        light = own["open"]["light"]
        difference = full - light if gated.light is not None else full
        places = masked.MaskedPlaces(np.ones_like(decision.active), gated.block)
        return {"places": places, "u": u, "full": full, "difference": difference, "gate": gate,
                "hidden": gate * difference, "light": light}

    return with_open(executor, everywhere)


def temperature_left_out(executor: Any) -> Any:
    """The factor ``1 / T`` is lost between a gate and its scores."""
    def backward(self: Any, grad_output: Any, memory: Any, grad_gate: Any = None) -> Any:
        grad_x, grads = executor.backward(grad_output, memory, grad_gate)
        lost = {f"{path}.gate.": float(segment.gated.state["temperature"])
                for path, (segment, _) in executor.active_only.segments.items()}
        return grad_x, {name: g * next((t for head, t in lost.items() if name.startswith(head)), 1)
                        for name, g in grads.items()}

    return spoiled(executor, backward=backward)


def straight_through_instead(executor: Any) -> Any:
    """The model's own gradient, which makes up a derivative of the mask."""
    def backward(self: Any, grad_output: Any, memory: Any, grad_gate: Any = None) -> Any:
        _, own = executor.model.forward(memory["0"]["x"], True)
        return executor.model.backward(grad_output, own, grad_gate)

    return spoiled(executor, backward=backward)


def model_for(
    layers: Any, rng: Rng, n_in: int = 4, block: int = 2, value: str = "binary"
) -> Any:
    """Two gated segments, one of neurons and one of blocks, on two levels."""
    first = layers.MIDL(n_in, 6, keep=3, gate_rank=2, activation="gelu", seed=rng, **DOUBLE)
    second = layers.DynamicGate(n_in, 2 * block, gate="linear", block=block, activation="tanh",
                                temperature=0.5, light="low-rank", light_rank=2, gate_value=value,
                                seed=rng, **DOUBLE)
    return layers.Sequential(
        first, layers.Linear(6, n_in, seed=rng, **DOUBLE),
        layers.Sequential(second, layers.Linear(2 * block, 3, seed=rng, **DOUBLE)))


def chain_for(layers: Any, rng: Rng) -> Any:
    """Three gated layers in a row, of neurons and of blocks; what one opens, the next one reads.

    Wide enough for register tiles: a register holds 8 numbers at most.
    """
    return layers.Sequential(
        layers.MIDL(9, 16, keep=1, block=8, gate_rank=2, activation="gelu", seed=rng, **DOUBLE),
        layers.DynamicGate(16, 8, gate="linear", block=4, activation="tanh", temperature=0.5,
                           gate_value="probability", seed=rng, **DOUBLE),
        layers.MIDL(8, 5, keep=2, gate_rank=2, activation="gelu", seed=rng, **DOUBLE),
        layers.Linear(5, 3, seed=rng, **DOUBLE))


def sparse_for(layers: Any, rng: Rng) -> Any:
    """Missing connections with and without gates: whatever runs on compressed rows."""
    return layers.Sequential(
        layers.MaskedLinear(4, 6, density=0.6, seed=rng, **DOUBLE), layers.Tanh(),
        layers.MaskedDynamicGate(6, 6, density=0.5, block=2, gate="linear", activation="gelu",
                                 temperature=0.5, gate_value="probability", light="low-rank",
                                 light_rank=2, seed=rng, **DOUBLE),
        layers.Linear(6, 3, seed=rng, **DOUBLE))


def experts_for(layers: Any, rng: Rng) -> Any:
    """Experts with renormalised weights, and a light path where none runs."""
    return layers.Sequential(
        layers.Experts(9, 16, n_experts=4, router="topk", k=2, activation="gelu",
                       light="low-rank", light_rank=2, seed=rng, **DOUBLE),
        layers.Linear(16, 3, seed=rng, **DOUBLE))


def executor_proof(execution: Any, layers: Any, path: str, make: Any = model_for,
                   what: str = "Executor") -> Proof:
    """An entry for one path of one model through the kernels."""
    def prove(rng: Rng, mistake: Mistake | None) -> Report:
        model = make(layers, rng)
        for parameter in model.params.values():
            parameter += 0.1 * rng.normal(size=parameter.shape)
        x = telling_point(model, (3, model.n_in), False, rng)
        executor = execution.Executor(model, path)
        return prove_layer(model, x, run_by=mistake(executor) if mistake else executor,
                           seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(f"{what}, path {path}", (execution.Executor,), prove,
                 {"budget gradient left out": budgets_left_out})


def training_proof(
    execution: Any, layers: Any, *, n_in: int, block: int, value: str, name: str
) -> Proof:
    """An entry for the gradient ``"active-only"``: compiled where inputs are a register wide."""
    masked = execution.masked
    everywhere: dict[str, Mistake] = {
        "budget gradient left out": budgets_left_out, "gate value left out": gate_value_left_out,
        "light path left out of the gate's gradient": light_left_out_of_gate,
        "light path left out of the next layer's": light_left_out_of_next,
        "gate left out of the next layer's": hidden_without_gate,
        "mask forgotten in the gate's gradient": lambda runner: mask_forgotten(masked, runner),
        "missing temperature": temperature_left_out,
        "straight-through instead": straight_through_instead}

    def prove(rng: Rng, mistake: Mistake | None) -> Report:
        model = model_for(layers, rng, n_in, block, value)
        for parameter in model.params.values():
            parameter += 0.1 * rng.normal(size=parameter.shape)
        x = telling_point(model, (3, n_in), False, rng)
        executor = execution.Executor(model, gradient="active-only")
        return prove_layer(model, x, training=True, as_executed=True,
                           run_by=mistake(executor) if mistake else executor,
                           seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(f"Executor, gradient active-only: {name}",
                 (execution.Executor, execution.active_only.ActiveOnly), prove, everywhere)


def proofs(execution: Any, layers: Any) -> list[Proof]:
    """Every path and gradient of ``minimidl.execution``, which is handed in."""
    return [*(executor_proof(execution, layers, path) for path in ("neuron", "block")),
            *(executor_proof(execution, layers, path, chain_for, "Executor, gated layers in a row")
              for path in ("neuron", "block")),
            *(executor_proof(execution, layers, path, make, what)
              for make, what in ((sparse_for, "Executor, missing connections"),
                                 (experts_for, "Executor, experts"))
              for path in ("neuron", "block")),
            training_proof(execution, layers, n_in=4, block=2, value="probability",
                           name="narrow inputs, blocks of 2"),
            training_proof(execution, layers, n_in=9, block=4, value="probability",
                           name="neurons, blocks of 4"),
            training_proof(execution, layers, n_in=9, block=3, value="binary",
                           name="binary, blocks of 3")]
