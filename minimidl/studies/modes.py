"""Functional plasticity: how much of what a drift took can be won back, and by moving what?

A trained network meets a stream of samples that have drifted away from its training data. It goes
on learning, one labelled batch at a time, in one of five modes:

    neither  nothing moves: the price of the drift
    gates    only the gate networks (``gate.*``): other neurons are chosen, none learns anything new
    closed   only the weights of neurons that are rarely open on clean data: the reserve
    both     gates and rarely open neurons; the weights that clean data use stay as they are
    all      everything: what could be won at most, and what it costs on clean data

Every mode begins at the same saved state (parameters, temperatures, thresholds), sees the same
samples with the same noise in the same order, and is judged on the same drifted test samples.
The first four are those of the authors' code of arXiv 2603.16367; there they ran one after the
other on one model, and its hard gates had no gradient. Here a mode that cannot learn is refused
(gates), or says so in its row (no neuron is rarely open, or none of them opens on the stream).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.layers import Layer, gated_layers
from minimidl.learning.budget import BudgetRule
from minimidl.studies.adaptation import (
    REACH_BATCHES,
    Adaptation,
    Batch,
    Check,
    Saved,
    adapt,
    count,
    reached_by_task,
)
from minimidl.studies.ownership import (
    Entries,
    closed_entries,
    gate_entries,
    has_gated_neurons,
)

MODES = ("neither", "gates", "closed", "both", "all")
"""In the order of a table."""


@dataclass(frozen=True)
class ModeOptions:
    """How to adapt, the same for every mode.

    Attributes:
        learning_rate: of Adam; chosen on the drifted validation parts of digits and MNIST, where
            every mode is within a point or so of its best.
        closed_below: a neuron is rarely open when fewer of the clean validation samples open it.
        judge_every: steps between two points of a recovery curve.

    """

    learning_rate: float = 1e-3
    closed_below: float = 0.1
    judge_every: int = 10


def modes_for(model: Layer, modes: Sequence[str] = MODES) -> list[str]:
    """Those of the modes that a model has, in the order given.

    Without gates these are ``neither`` and ``all``; gates on connections allow ``gates``, too, but
    there are no closed neurons. Raises InputError for unknown names.
    """
    for mode in modes:
        require(mode in MODES, "mode", repr(mode), f"one of {', '.join(MODES)}")
    own = {"neither", "all"} | ({"gates"} if gated_layers(model) else set())
    own |= {"closed", "both"} if has_gated_neurons(model) else set()
    return [mode for mode in modes if mode in own]


def entries_of(mode: str, model: Layer, x_clean: Array, closed_below: float) -> Entries:
    """Which entries of the parameters a mode may move; see :data:`MODES`."""
    if mode == "gates":
        return gate_entries(model)
    if mode == "closed":
        return closed_entries(model, x_clean, closed_below)
    if mode == "both":
        gates, closed = gate_entries(model), closed_entries(model, x_clean, closed_below)
        return {name: gates[name] | closed[name] for name in model.params}
    return {name: np.full(values.shape, mode == "all") for name, values in model.params.items()}


def require_live_gates(model: Layer, stream: Sequence[Batch]) -> None:
    """Raise InputError where the task's gradient reaches no gate: adapting gates would be a no-op.

    So it is behind a hard mask whose derivative has no stand-in. A budget alone would still move
    the gates, towards what the task needs or away from it, by luck.
    """
    reached = reached_by_task(model, gate_entries(model), stream[:REACH_BATCHES])
    require(count(reached) > 0, "mode", "'gates' with gates that the task's gradient never reaches",
            "gates with a gradient", "choose an estimator or a surrogate for the hard mask")


def adapt_in_modes(
    model: Layer, stream: Sequence[Batch], judge: Callable[[int], Sequence[Check]], *,
    x_clean: Array, modes: Sequence[str] = MODES, options: ModeOptions | None = None,
    budgets: Callable[[], Sequence[BudgetRule]] = tuple, seed: int = 0,
    on_mode: Callable[[str, Adaptation], None] | None = None,
) -> dict[str, Adaptation]:
    """Adapt a model in every mode, each from the state in which it is given, and leave it there.

    Args:
        model: trained.
        stream: labelled batches.
        judge: told the number of steps done, answers rows about the model as it is then.
        x_clean: clean validation inputs, which tell the rarely open neurons.
        modes: of :data:`MODES`; those that the model does not have are left out.
        options: how to adapt.
        budgets: makes what holds threshold gates, anew for every mode.
        seed: of layers that draw, the same for every mode.
        on_mode: called at the end of every mode, with the model as the mode left it.

    Raises:
        InputError: a mode that moves gates, and gates that the task cannot reach.

    """
    options, begin, results = options or ModeOptions(), Saved.of(model), {}
    chosen = modes_for(model, modes)
    if {"gates", "both"} & set(chosen):
        require_live_gates(model, stream)
    try:
        for mode in chosen:
            begin.restore(model)
            entries = entries_of(mode, model, x_clean, options.closed_below)
            results[mode] = adapt(model, entries, stream, learning_rate=options.learning_rate,
                                  judge=judge, judge_every=options.judge_every, budgets=budgets(),
                                  seed=seed)
            if on_mode is not None:
                on_mode(mode, results[mode])
    finally:
        begin.restore(model)
    return results
