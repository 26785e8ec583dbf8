"""One experiment, from a model's name to its row in the result file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minimidl.data import Dataset
from minimidl.errors import require
from minimidl.execution import Executor
from minimidl.execution.training import GRADIENTS
from minimidl.experiment.judging import judge
from minimidl.experiment.models import build_model, matched_twin
from minimidl.experiment.recipe import fit_arguments
from minimidl.experiment.settings import Settings, known
from minimidl.layers import Layer, Sequential, gated_layers
from minimidl.learning import History, fit, load_checkpoint
from minimidl.learning.loop import OnEpoch


@dataclass(frozen=True)
class Trained:
    """A trained model that has not seen the test part.

    Attributes:
        model: with the parameters of its best epoch.
        history: epoch by epoch.
        score: of the best epoch on the validation part, as the recipe judges; larger is better.
        settings: how it was built and trained.
        twin: the dense network it is measured against, where its widths are others; else None.

    """

    model: Sequential
    history: History
    score: tuple[float, ...]
    settings: Settings
    twin: Sequential | None = None


@dataclass(frozen=True)
class Result:
    """A trained model, how it got there, and its row."""

    model: Sequential
    history: History
    row: dict[str, Any]


def run_experiment(
    name: str, data: Dataset, settings: Settings, *, seed: int = 0, progress: bool = True,
    checkpoint: Path | None = None, resume: bool = False, timed: bool = True,
) -> Result:
    """Build, train, and judge once on the test part.

    Args:
        name: of the model, e.g. ``"midl"``.
        data: its training part trains, its validation part chooses the epoch.
        settings: how to build and train.
        seed: of weights, shuffling and dropout; the same seed gives the same bits.
        progress: whether to show a bar.
        checkpoint: file written after every epoch.
        resume: go on from that file.
        timed: whether to measure times and memory as well.

    Returns:
        The model and its row: see the contract in ``architecture.md``, ``train``.

    """
    trained = train(name, data, settings, seed=seed, progress=progress, checkpoint=checkpoint,
                    resume=resume)
    row = {"model": name, "dataset": data.name, "seed": seed,
           **judge(trained.model, data, timed=timed, twin=trained.twin),
           "epochs": len(trained.history),
           "params": sum(p.size for p in trained.model.params.values()),
           "checkpoint": None if checkpoint is None else str(checkpoint),
           "settings": settings.as_dict()}
    return Result(trained.model, trained.history, row)


def train(
    name: str, data: Dataset, settings: Settings, *, seed: int = 0, progress: bool = True,
    checkpoint: Path | None = None, resume: bool = False, on_epoch: Sequence[OnEpoch] = (),
) -> Trained:
    """Build and train on what :func:`without_test` leaves; arguments as :func:`run_experiment`."""
    data = without_test(data)
    model = build_model(name, data.n_features, data.n_classes, settings.model, seed=seed)
    config = {"model": name, "dataset": data.name, "settings": settings.as_dict(), "seed": seed}
    if resume and checkpoint is not None:
        check_same(config, load_checkpoint(checkpoint).config, checkpoint)
    runner = trained_by(model, settings)
    arguments = fit_arguments(model, data, settings.model, settings.train, name)
    history = fit(runner, data, seed=seed, progress=progress, checkpoint=checkpoint, resume=resume,
                  config=config, on_epoch=on_epoch, **arguments)
    score = arguments["score"]
    twin = matched_twin(name, data.n_features, data.n_classes, settings.model)
    return Trained(model, history, score(history.rows[history.best(score)]), settings, twin)


def without_test(data: Dataset) -> Dataset:
    """The same set with an empty test part: what is not there cannot choose anything."""
    return replace(data, x_test=np.empty((0, data.n_features), data.x_train.dtype),
                   y_test=np.empty(0, data.y_train.dtype))


def trained_by(model: Sequential, settings: Settings) -> Layer:
    """The model itself, or an executor that trains it on its open neurons only.

    Its evaluations stay dense: which path is the fastest is measured, and a measurement must not
    decide about the bits of a training that can be resumed.

    Raises:
        InputError: an unknown gradient, or a gated layer that ``"active-only"`` cannot train.

    """
    gradient = settings.train.train_gradient
    require(gradient in GRADIENTS, "train.gradient", repr(gradient),
            f"one of {', '.join(GRADIENTS)}")
    if gradient != "active-only":
        return model
    operator = settings.model.gate_topk
    require(operator == "hard", "gate.topk", f"{operator!r} with train.gradient=active-only",
            "'hard'", "what was executed is a hard mask")
    runner = Executor(model, "dense", gradient=gradient)
    left_out = [path for path in gated_layers(model) if path not in runner.trained_exactly]
    dense = f"layers {', '.join(left_out)}" if left_out else "all layers"
    require(bool(gated_layers(model)) and not left_out, "train.gradient",
            f"'active-only' for a model where {dense} run dense",
            "gates that stand directly before a plain linear layer",
            "one hidden layer, gate.budget=own, gate.min_keep=0")
    return runner


def check_same(now: dict[str, Any], then: dict[str, Any], checkpoint: Path) -> None:
    """Raise InputError where a checkpoint is of another experiment than the one to resume.

    An option that is younger than the file was not chosen then: it had the default of today.
    """
    now = json.loads(json.dumps(now))  # as the file keeps it: tuples are lists there
    settings = known() | then["settings"]
    odd = sorted(k for k in now["settings"] if now["settings"][k] != settings[k])
    odd = [k for k in ("model", "dataset", "seed") if now[k] != then[k]] + odd
    require(not odd, "--resume", f"{', '.join(odd)} unlike those in {checkpoint}",
            "the options the training began with", "or start a new checkpoint")
