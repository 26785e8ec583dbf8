"""Learning on a stream where only chosen entries of the parameters may move.

Everything that a mode could inherit from the one before it is put back first: parameters, layer
states (temperatures, thresholds), the optimiser's moments, the source of randomness. What is not
chosen stays as it was, bit for bit, and the result counts what moved and what the task reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory
from minimidl.layers import Layer, gated_layers
from minimidl.learning import Adam
from minimidl.learning.budget import BudgetRule, total_budget
from minimidl.learning.checkpoint import Arrays, copy_arrays, restore_arrays
from minimidl.learning.progress import tell_divergence
from minimidl.learning.steering import after_step
from minimidl.losses import cross_entropy, cross_entropy_backward
from minimidl.studies.ownership import Entries

Batch = tuple[Array, Array]
"""Inputs ``(batch, n_in)`` and labels ``(batch,)``."""


@dataclass(frozen=True)
class Saved:
    """A copy of everything in a model that training can change."""

    params: Arrays
    state: Arrays

    @classmethod
    def of(cls, model: Layer) -> Saved:
        """Copy parameters and layer states."""
        return cls(copy_arrays(model.params), copy_arrays(model.state))

    def restore(self, model: Layer) -> None:
        """Put them back, in place."""
        restore_arrays(model.params, self.params, "params")
        restore_arrays(model.state, self.state, "state")

Check = dict[str, Any]
"""What is told of a model at some step."""


@dataclass
class Adaptation:
    """What an adaptation did.

    Attributes:
        movable: how many entries may move.
        reached: how many of them had a gradient of the task in the first batches.
        moved: how many differ from the start in the end.
        checks: what ``judge`` said, in order, the start included.

    """

    movable: int
    reached: int = 0
    moved: int = 0
    checks: list[Check] = field(default_factory=list)


def adapt(
    model: Layer, entries: Entries, stream: Sequence[Batch], *, learning_rate: float,
    judge: Callable[[int], Sequence[Check]], judge_every: int = 10,
    budgets: Sequence[BudgetRule] = (), seed: int = 0,
) -> Adaptation:
    """Train a model in place, one step per batch of a stream, on the chosen entries alone.

    Adam without weight decay: an entry whose gradient is always 0 keeps its bits.

    Args:
        model: with all its parameters where they should begin.
        entries: which may move; see :mod:`minimidl.studies.ownership`.
        stream: labelled batches in order; each is seen once.
        learning_rate: of Adam.
        judge: called with the number of steps done, 0 first and the last one always; answers any
            number of rows.
        judge_every: steps between calls.
        budgets: what holds threshold gates, as in their training.
        seed: of layers that draw (dropout, gate noise).

    """
    begin, result = Saved.of(model), Adaptation(count(entries))
    if result.movable:
        result.reached = count(reached_by_task(model, entries, stream[:REACH_BATCHES], seed))
    optimizer, rng = Adam(model.params, learning_rate), np.random.default_rng(seed)
    gates = gated_layers(model)
    result.checks.extend(judge(0))
    for step, (x, labels) in enumerate(stream, start=1):
        if result.movable:
            with tell_divergence(learning_rate, 1):
                output, memory = model.forward(x, True, rng)
                _, grad_gate = total_budget(budgets, gates, memory, 1.0)
                optimizer.step(masked(task_gradient(model, output, memory, labels, grad_gate),
                                      entries))
            after_step(budgets)
        if step % judge_every == 0 or step == len(stream):
            result.checks.extend(judge(step))
    result.moved = count(moved_entries(model, begin))
    return result


REACH_BATCHES = 8
"""Batches over which is looked for a gradient of the task; a rare neuron needs more than one."""


def task_gradient(
    model: Layer, output: Array, memory: Memory, labels: Array, grad_gate: Any = None
) -> Grads:
    """Gradients of the cross-entropy, and of budgets where ``grad_gate`` is given."""
    _, loss_memory = cross_entropy(output, labels)
    return model.backward_params(cross_entropy_backward(loss_memory), memory, grad_gate)


def reached_by_task(
    model: Layer, entries: Entries, stream: Sequence[Batch], seed: int = 0
) -> Entries:
    """Entries that the task's own gradient, without any budget, reaches in some batch.

    Nothing is changed. A gate behind a hard mask without a stand-in for its derivative has none: a
    budget would move it all the same, but blindly.
    """
    rng = np.random.default_rng(seed)
    reached = {name: np.zeros_like(own) for name, own in entries.items()}
    for x, labels in stream:
        output, memory = model.forward(x, True, rng)
        for name, grad in masked(task_gradient(model, output, memory, labels), entries).items():
            reached[name] |= grad != 0
    return reached


def masked(grads: Grads, entries: Entries) -> Grads:
    """Gradients with exactly 0 where nothing may move."""
    return {name: np.where(entries[name], grad, grad.dtype.type(0)) if not entries[name].all()
            else grad for name, grad in grads.items()}


def moved_entries(model: Layer, begin: Saved) -> Entries:
    """Which entries have other bits than at the beginning."""
    return {name: values != begin.params[name] for name, values in model.params.items()}


def count(entries: Entries) -> int:
    """How many entries are meant."""
    return sum(int(np.count_nonzero(own)) for own in entries.values())
