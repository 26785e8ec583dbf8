"""What a straight-through gate must keep besides its derivative.

1. Forward is exactly hard: the value that multiplies is the mask (or mask times probability), the
   mask holds zeros and ones only, what is reported open is what is open, and a Top-k opens k.
2. The true derivative of the decision is exactly 0: differences of the *real* forward see nothing.
   (A forward that is secretly soft fails here; that is the reversed straight-through line.)
3. A gradient of the task loss alone, no budget, reaches every parameter of the gate.

A router is not straight through, its weights have a true derivative; but a weight of 1 would have
one too, which is 0, so the third is asked of routers as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.proof.differences import numeric_gradient
from minimidl.proof.gate_stand_ins import kind_of
from minimidl.proof.linearised_gates import hard_gates
from minimidl.proof.subject import Statement
from minimidl.proof.surrogates import is_hard
from minimidl.proof.verdict import WEAK
from minimidl.proof.walk import leaves, memory_at

ROUNDING = 1e-12
"""Sums in another order may differ by this much in float64."""


def gate_statements(
    layer: Any, x: Array, training: bool, rng_seed: int
) -> tuple[Statement, ...]:
    """The three statements for every hard gate of a model, the third for every router."""
    paths = hard_gates(layer, x, training, rng_seed)
    _, memory = layer.forward(x, training, np.random.default_rng(rng_seed))
    by_path = dict(leaves(layer))
    found: list[Statement] = []
    for path in paths:
        leaf, own = by_path[path], memory_at(memory, path)
        arguments = (leaf, own["x"].copy(), training, rng_seed)
        found += [partial(forward_is_hard, *arguments), partial(true_derivative_is_0, *arguments)]
        if 0 < own["decision"].mask.sum() < own["decision"].mask.size:
            found.append(partial(task_reaches_gate, layer, x, training, rng_seed, path))
    return (*found, *router_statements(layer, x, training, rng_seed))


def router_statements(
    layer: Any, x: Array, training: bool, rng_seed: int
) -> tuple[Statement, ...]:
    """The third statement for every router that has more than one expert to choose from."""
    return tuple(
        partial(task_reaches_gate, layer, x, training, rng_seed, path)
        for path, leaf in leaves(layer)
        if kind_of(getattr(leaf, "chooser", None), ("Router",)) and leaf.n_gates > 1)


def run(leaf: Any, x: Array, training: bool, rng_seed: int) -> tuple[Array, Memory]:
    """One forward with a fresh generator."""
    output, memory = leaf.forward(x, training, np.random.default_rng(rng_seed))
    return output, memory


def forward_is_hard(leaf: Any, x: Array, training: bool, rng_seed: int) -> str:
    """Statement 1; answers what is wrong."""
    output, memory = run(leaf, x, training, rng_seed)
    decision = memory["decision"]
    binary = leaf.gate_value == "binary"
    drop = decision.memory.get("drop", 1.0)  # of open gates, drawn after the decision
    expected = (decision.mask if binary else decision.mask * decision.probability) * drop
    if not is_hard(decision.mask) or not np.array_equal(decision.gate, expected):
        return "forward is not hard: the gate is not the mask"
    if not np.array_equal(decision.active, decision.mask * drop > 0):
        return "the reported mask is not the executed mask"
    miscount = count_objection(getattr(leaf, "chooser", leaf), decision.mask)
    if miscount:
        return miscount
    weight = leaf.params.get("weight")
    if weight is not None and decision.active.shape == (1, weight.size):  # a gate per connection
        return closed_connection_objection(leaf, x, training, rng_seed, decision.active)
    closed = np.repeat(~decision.active, leaf.block, axis=1)[:, -output.shape[1]:]  # the last layer
    if getattr(leaf, "light", None) is None and np.any(output[closed] != 0):
        return "a closed gate lets something through"
    return ""


def closed_connection_objection(
    leaf: Any, x: Array, training: bool, rng_seed: int, active: Array
) -> str:
    """Whether the weights of closed connections have a say in the output."""
    weight = leaf.params["weight"]
    kept, closed = weight.copy(), ~active.reshape(weight.shape)
    before, _ = run(leaf, x, training, rng_seed)
    weight[closed] += 1.0
    after, _ = run(leaf, x, training, rng_seed)
    weight[...] = kept
    return "" if np.array_equal(before, after) else "a closed gate lets something through"


def count_objection(chooser: Any, mask: Array) -> str:
    """Whether as many gates are open as the chooser promises; answers what is wrong."""
    if hasattr(chooser, "choosers"):  # side by side, each with a budget of its own
        parts = zip(chooser.choosers, chooser.split(mask), strict=True)
        return next(filter(None, (count_objection(*part) for part in parts)), "")
    is_open = mask.sum(axis=1)
    if hasattr(chooser, "k") and np.any(is_open != chooser.k):
        return f"not {chooser.k} gates open in every row"
    if np.any(is_open < getattr(chooser, "min_keep", 0)):
        return f"fewer than {chooser.min_keep} gates open in a row"
    return ""


def true_derivative_is_0(leaf: Any, x: Array, training: bool, rng_seed: int) -> str:
    """Statement 2; answers what is wrong."""
    output, memory = run(leaf, x, training, rng_seed)
    rng = np.random.default_rng(rng_seed)
    of_mask = rng.normal(size=memory["decision"].mask.shape)
    of_output = rng.normal(size=output.shape)

    def decided(_: Array) -> float:
        output, memory = run(leaf, x, training, rng_seed)
        value = float(np.vdot(of_mask, memory["decision"].mask))
        if leaf.gate_value == "binary":  # then the output too depends on the gate by the mask alone
            value += float(np.vdot(of_output, output))
        return value

    for name, parameter in leaf.params.items():
        if name.startswith("gate.") and np.any(numeric_gradient(decided, parameter) != 0):
            return f"{name}: the decision has a derivative, so forward is not hard"
    return ""


def task_reaches_gate(
    layer: Any, x: Array, training: bool, rng_seed: int, path: str
) -> str:
    """Statement 3; answers what is wrong."""
    output, memory = run(layer, x, training, rng_seed)
    task = np.random.default_rng(rng_seed).normal(size=output.shape)
    _, grads = layer.backward(task, memory)
    prefix = f"{path}.gate." if path else "gate."
    for name in (name for name in layer.params if name.startswith(prefix)):
        if np.max(np.abs(grads.get(name, 0.0))) < WEAK:
            return f"{name}: the task loss does not reach the gate"
    return ""


def runs_alike(layer: Any, executor: Any, x: Array, training: bool, rng_seed: int) -> str:
    """What an executor answers is what its model answers; says what is wrong."""
    expected, _ = run(layer, x, training, rng_seed)
    got, _ = run(executor, x, training, rng_seed)
    worst = float(np.max(np.abs(got - expected), initial=0.0))
    return "" if worst <= ROUNDING else f"the executor's output differs by {worst:.1e}"


def topk_is_hard(choose: Callable[[], Array], scores: Array, k: int) -> str:
    """Statements 1 and 2 for a Top-k operator on its own; answers what is wrong."""
    p = choose()
    if not is_hard(p) or np.any(p.sum(axis=1) != k):
        return f"forward is not hard: not {k} ones in every row"
    weights = np.random.default_rng(0).normal(size=p.shape)
    slope = numeric_gradient(lambda _: float(np.vdot(weights, choose())), scores)
    return "the decision has a derivative, so forward is not hard" if np.any(slope != 0) else ""
