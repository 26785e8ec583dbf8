"""Recipes: how a model is trained, the same for a gated network and for its dense twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from minimidl.data import Dataset
from minimidl.errors import require
from minimidl.experiment.models import ModelOptions
from minimidl.layers import DynamicGate, Layer, gated_layers
from minimidl.learning import (
    SGD,
    Adam,
    AdamW,
    Budget,
    Optimizer,
    by_accuracy,
    by_name,
    count_steps,
    gate_group,
    within_budget,
)
from minimidl.losses import Pair, cross_entropy, cross_entropy_backward

BUDGET_MARGIN = 0.94
"""The budget aims this far below ``keep``: the test part may open a little more than training."""


@dataclass(frozen=True)
class TrainOptions:
    """How to train. On the command line a field is ``--set budget.strength=3``.

    Attributes:
        epochs: passes over the training part.
        batch_size: samples per step.
        optimizer: ``"adamw"``, ``"adam"`` or ``"sgd"`` (with momentum 0.9).
        learning_rate: at the start.
        schedule: of the learning rate, by name; it ends at a hundredth of the start.
        weight_decay: decoupled; gates, biases and norms are spared.
        label_smoothing: share of the target spread over all classes.
        gate_learning_rate: factor on the learning rate of the gates' parameters.
        budget_kind: penalty on open gates of DynamicGate.
        budget_strength: factor on that penalty.
        budget_of: ``"mask"`` (what is executed) or ``"probability"``.
        clip: limit of the global gradient norm; 0 for none.
        patience: epochs without a better one before stopping early; 0 for never.

    """

    epochs: int = 60
    batch_size: int = 64
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    gate_learning_rate: float = 1.0
    budget_kind: str = "quadratic"
    budget_strength: float = 3.0
    budget_of: str = "mask"
    clip: float = 0.0
    patience: int = 0


DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {"gate_rank": 4, "dropout": 0.2},
    "mnist": {"width": (512,), "dropout": 0.2, "epochs": 12, "batch_size": 128,
              "learning_rate": 1.5e-3},
    "glyphs": {"width": (512,), "dropout": 0.2, "epochs": 12, "batch_size": 128,
               "learning_rate": 1.5e-3},
    # Four blocks, one open. The gate starts nearly even: a strong start would pick favourites.
    "regimes": {"width": (64,), "keep": 1, "gate_block": 16, "gate_net": "linear",
                "gate_spread": 0.1, "epochs": 40},
}
"""What differs from the common defaults, by data set; chosen on the validation parts."""

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adamw": AdamW, "adam": Adam, "sgd": partial(SGD, momentum=0.9, nesterov=True),
}


def make_optimizer(model: Layer, options: TrainOptions) -> Optimizer:
    """Build the optimiser, with a parameter group for the gates."""
    require(options.optimizer in OPTIMIZERS, "optimizer", repr(options.optimizer),
            f"one of {', '.join(OPTIMIZERS)}")
    groups = [gate_group(options.gate_learning_rate)] if options.gate_learning_rate != 1 else []
    decay = {"weight_decay": options.weight_decay} if options.optimizer == "adamw" else {}
    return OPTIMIZERS[options.optimizer](
        model.params, options.learning_rate, groups=groups, **decay)


def make_budgets(model: Layer, keep: float, options: TrainOptions) -> Sequence[Budget]:
    """Return the penalties a model needs: DynamicGate layers are held to ``keep``, others free."""
    dynamic = [g for g in gated_layers(model).values() if isinstance(g, DynamicGate)]
    if not dynamic:
        return []
    needs_target = options.budget_kind in ("quadratic", "keep-alive")
    target = BUDGET_MARGIN * share_open(keep, dynamic[0].n_gates) if needs_target else None
    return [Budget(options.budget_kind, options.budget_strength, target, of=options.budget_of)]


def share_open(keep: float, n_gates: int) -> float:
    """``keep`` as a share: a fraction as it is, a whole number over the number of gates."""
    return keep / n_gates if isinstance(keep, int) else keep


def fit_arguments(
    model: Layer, data: Dataset, model_options: ModelOptions, options: TrainOptions
) -> dict[str, Any]:
    """Everything :func:`minimidl.learning.fit` needs to follow this recipe."""
    budgets = make_budgets(model, model_options.keep, options)
    steps = options.epochs * count_steps(len(data.x_train), options.batch_size)
    rate = options.learning_rate
    limit = share_open(model_options.keep, next(iter(gated_layers(model).values())).n_gates
                       ) if budgets else 1.0
    smoothed = partial(cross_entropy, label_smoothing=options.label_smoothing)
    return {
        "optimizer": make_optimizer(model, options), "epochs": options.epochs,
        "batch_size": options.batch_size, "budgets": budgets,
        "loss": Pair(smoothed, cross_entropy_backward),
        "learning_rate": by_name(options.schedule, rate, 0.01 * rate, steps),
        "clip": options.clip or None, "patience": options.patience or None,
        # A budget still closes gates in early epochs: the best epoch is one that keeps to it.
        "score": within_budget(limit) if budgets else by_accuracy,
    }
