"""The training loop: one function, one screen; every step of it is a call you can make yourself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from minimidl.arrays import Grads, Memory
from minimidl.layers import Layer
from minimidl.learning.batches import TrainingData, count_steps, shuffled_batches
from minimidl.learning.budget import BudgetRule, total_budget
from minimidl.learning.checks import check_fit, check_optimizer, require_finite_loss
from minimidl.learning.clipping import clip_global_norm
from minimidl.learning.evaluate import evaluate, find_loss, gates_of
from minimidl.learning.groups import is_gate
from minimidl.learning.history import History, Row, Score, by_accuracy
from minimidl.learning.optimizer import Optimizer
from minimidl.learning.parts import Touched
from minimidl.learning.progress import (
    Progress,
    blas_threads,
    postfix,
    progress_bar,
    tell_divergence,
)
from minimidl.learning.run import Run
from minimidl.learning.schedules import Schedule, constant
from minimidl.learning.states import drive_states
from minimidl.learning.steering import after_step, report, steered_states
from minimidl.learning.wiring import Wiring
from minimidl.losses import Pair

OnEpoch = Callable[[Row, Layer], None]
"""Called after every epoch, when its checkpoint is written, with its row and the model."""


def fit(
    model: Layer, data: TrainingData, *, optimizer: Optimizer, epochs: int,
    loss: str | Pair = "cross-entropy", batch_size: int = 128,
    learning_rate: float | Schedule | None = None, budgets: Sequence[BudgetRule] = (),
    state_schedules: Mapping[str, Schedule] | None = None, clip: float | None = None,
    clip_gates: float | None = None, seed: int = 0, patience: int | None = None,
    restore_best: bool = True, score: Score = by_accuracy, progress: Progress = True,
    on_epoch: Sequence[OnEpoch] = (), checkpoint: str | Path | None = None, resume: bool = False,
    config: Mapping[str, Any] | None = None, threads: int | None = 1,
    wiring: Wiring | None = None,
) -> History:
    """Train a model in place. The same seed gives the same bits, resumed or not.

    Args:
        model: anything with the protocol.
        data: has ``x_train y_train x_val y_val``; see :func:`~minimidl.learning.hold_out`.
        optimizer: on ``model.params``.
        epochs: in all, those of a resumed checkpoint included.
        loss: a name of :data:`minimidl.losses.LOSSES`, or a pair.
        batch_size: rows per step; the last batch of an epoch may be smaller.
        learning_rate: a number, a schedule of the step counted from 0, or None: the optimiser's.
        budgets: penalties on open gates, such as :class:`~minimidl.learning.Budget`, and
            controllers that steer to a target, such as :class:`~minimidl.learning.DualAscent`.
        state_schedules: schedules of the progress from 0 to 1 for layer states, by the last part
            of their name (``"temperature"``, ``"threshold"``), or ``"cut"``, the logit cut.
        clip: limit of the global gradient norm.
        clip_gates: the same for the gates' parameters alone, done first.
        seed: of shuffling and of random layers.
        patience: stop after so many epochs without a better one; None: never.
        restore_best: end with the best epoch's parameters and layer states, not the last one's.
        score: what "best" means; see :func:`~minimidl.learning.within_budget`.
        progress: True shows a bar on a terminal, ``"always"`` anywhere, False nowhere.
        on_epoch: called with the row and the model after every epoch.
        checkpoint: file written after every epoch, atomically.
        resume: go on from that file.
        config: your facts for the file, such as model name and options.
        threads: of BLAS; None leaves it alone.
        wiring: changes the masks of masked layers on the way, such as
            :class:`~minimidl.learning.RigL` or :class:`~minimidl.learning.Pruning`.

    Returns:
        One row per epoch: ``epoch`` (from 1), ``loss`` and ``budget`` (means over the steps),
        ``val_loss``, ``val_accuracy`` (a fraction, or None), ``active_ratio`` and ``usage``
        (executed share and mean probability of the gated neurons, validation part),
        ``learning_rate`` (of the last step), ``seconds``; and what controllers and wiring report.

    Raises:
        InputError: bad input, divergence, or a wiring that would never act. The last checkpoint on
            disk stays valid, then and when Ctrl-C interrupts.

    """
    pair, rate = find_loss(loss), as_schedule(learning_rate, optimizer)
    gates, set_states = gates_of(model), drive_states(model.state, state_schedules or {})
    steps = count_steps(len(data.x_train), batch_size)
    check_fit(data, epochs, patience, budgets, gates)
    check_optimizer(optimizer, model)
    wiring = wiring or Wiring()
    wiring.begin(model, optimizer, epochs * steps)
    settings = {"loss": loss if isinstance(loss, str) else "custom", "batch_size": batch_size,
                "seed": seed, "optimizer": optimizer.title,
                "n_train": len(data.x_train), "wiring": wiring.title}
    run = Run(model, optimizer, np.random.default_rng(seed), score,
              None if checkpoint is None else Path(checkpoint), settings, config or {},
              steered_states(budgets) | wiring.named_state())
    if resume:
        run.resume()
    step, last = run.epoch * steps, max(1, epochs * steps - 1)
    with blas_threads(threads), progress_bar(progress, epochs * steps, step) as bar:
        while run.epoch < epochs and not run.history.should_stop(patience, score):
            begin, means = perf_counter(), np.zeros(2)
            with tell_divergence(rate(step), run.epoch + 1):
                for rows in shuffled_batches(len(data.x_train), batch_size, run.rng):
                    set_states(step / last)
                    output, memory = model.forward(data.x_train[rows], True, run.rng)
                    value, loss_memory = pair.forward(output, data.y_train[rows])
                    require_finite_loss(value)
                    penalty, grad_gate = total_budget(budgets, gates, memory, step / last)
                    grad_output = pair.backward(loss_memory)
                    grads = model.backward_params(grad_output, memory, grad_gate)
                    clip_both(grads, clip, clip_gates)
                    if not wiring.before_step(step, memory, run.rng):
                        optimizer.step(grads, rate(step), **rows_to_step(optimizer, model, memory))
                    wiring.after_step(step, run.rng)
                    after_step(budgets)
                    means += np.array([value, penalty]) * (len(rows) / len(data.x_train))
                    step += 1
                    bar.update()
                judged = evaluate(model, data.x_val, data.y_val, pair)
                require_finite_loss(judged["loss"])
            row = make_row(run.epoch + 1, means, judged, rate(step - 1), perf_counter() - begin)
            row |= report(budgets) | wiring.report()
            run.end_epoch(row)
            bar.set_postfix_str(postfix(row))
            for callback in on_epoch:
                callback(row, model)
    wiring.finish()
    if restore_best:
        run.restore_best()
    return run.history


def as_schedule(
    learning_rate: float | Schedule | None, optimizer: Optimizer
) -> Schedule:
    """Turn a number, or nothing, into a schedule."""
    if callable(learning_rate):
        return learning_rate
    return constant(optimizer.learning_rate if learning_rate is None else learning_rate)


def clip_both(grads: Grads, clip: float | None, clip_gates: float | None) -> None:
    """Clip the gates' gradients, then all together."""
    if clip_gates is not None:
        clip_global_norm(grads, clip_gates, only=is_gate)
    if clip is not None:
        clip_global_norm(grads, clip)


def rows_to_step(optimizer: Optimizer, model: Layer, memory: Memory) -> dict[str, Touched]:
    """``touched=`` for a sparse optimiser, where the model can tell (an executor), else nothing.

    Such a model has ``touched(memory) -> dict``, by parameter name the rising numbers of its rows
    (see :mod:`minimidl.learning.parts`) that have a gradient. Its other rows are 0, as the norms of
    clipping are made over all of them.
    """
    tell = getattr(model, "touched", None)
    return {"touched": tell(memory)} if optimizer.sparse and tell is not None else {}


def make_row(
    epoch: int, means: Any, judged: Mapping[str, Any], rate: float, seconds: float
) -> Row:
    """One line of the history, as plain numbers."""
    return {
        "epoch": epoch, "loss": float(means[0]), "budget": float(means[1]),
        "val_loss": judged["loss"], "val_accuracy": judged["accuracy"],
        "active_ratio": judged["active_ratio"], "usage": judged["usage"],
        "learning_rate": float(rate), "seconds": seconds,
    }
