"""Proofs of the executor: skipping closed neurons changes neither output nor gradient."""

from __future__ import annotations

from typing import Any

from minimidl.arrays import Rng
from minimidl.proof.entries.layer_entries import DOUBLE, telling_point
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake, spoiled
from minimidl.proof.prove import prove_layer
from minimidl.proof.verdict import Report


def budgets_left_out(executor: Any) -> Any:
    """An executor that does not hand ``grad_gate`` on to its model."""
    def backward(self: Any, grad_output: Any, memory: Any, grad_gate: Any = None) -> Any:
        return executor.backward(grad_output, memory)

    return spoiled(executor, backward=backward)


def model_for(layers: Any, rng: Rng) -> Any:
    """Two gated segments, one of neurons and one of blocks, on two levels."""
    first = layers.MIDL(4, 6, keep=3, gate_rank=2, activation="gelu", seed=rng, **DOUBLE)
    second = layers.DynamicGate(4, 4, gate="linear", block=2, activation="tanh", temperature=0.5,
                                light="low-rank", light_rank=2, seed=rng, **DOUBLE)
    return layers.Sequential(
        first, layers.Linear(6, 4, seed=rng, **DOUBLE),
        layers.Sequential(second, layers.Linear(4, 3, seed=rng, **DOUBLE)))


def executor_proof(execution: Any, layers: Any, path: str) -> Proof:
    """An entry for one path through the kernels."""
    def prove(rng: Rng, mistake: Mistake | None) -> Report:
        model = model_for(layers, rng)
        for parameter in model.params.values():
            parameter += 0.1 * rng.normal(size=parameter.shape)
        x = telling_point(model, (3, 4), False, rng)
        executor = execution.Executor(model, path)
        return prove_layer(model, x, run_by=mistake(executor) if mistake else executor,
                           seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(f"Executor, path {path}", (execution.Executor,), prove,
                 {"budget gradient left out": budgets_left_out})


def proofs(execution: Any, layers: Any) -> list[Proof]:
    """Every path of ``minimidl.execution``, which is handed in."""
    return [executor_proof(execution, layers, path) for path in ("neuron", "block")]
