"""Recipes: how a model is trained, the same for a gated network and for its dense twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from minimidl.data import Dataset
from minimidl.errors import require
from minimidl.experiment.models import ModelOptions
from minimidl.layers import Gated, Layer, gated_layers
from minimidl.learning import (
    SGD,
    Adam,
    AdamW,
    AugmentedLagrangian,
    Budget,
    DualAscent,
    Optimizer,
    by_accuracy,
    by_name,
    count_steps,
    gate_group,
    near_target,
    within_budget,
)
from minimidl.learning.budget import KINDS, WITH_TARGET, BudgetRule
from minimidl.learning.history import Score
from minimidl.learning.schedules import Schedule
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
        optimizer_sparse: step only the neurons that have a gradient.
        train_gradient: ``"straight-through"`` (a closed gate learns from what its neuron would have
            answered: dense work), or ``"active-only"`` (the exact derivative of what was executed,
            made by kernels that skip; the task then moves open gates only, and binary gates not at
            all: see :mod:`minimidl.execution.training`).
        learning_rate: at the start.
        schedule: of the learning rate, by name; it ends at a hundredth of the start.
        weight_decay: decoupled; gates, biases and norms are spared.
        label_smoothing: share of the target spread over all classes.
        gate_learning_rate: factor on the learning rate of the gates' parameters.
        gate_cut_start: the logit cut of DynamicGate at the start; ...
        gate_cut_end: ... and at the end. Where the two differ they replace ``gate_threshold``.
        gate_cut_schedule: how the cut goes from one to the other, by name.
        budget_kind: penalty on open gates of DynamicGate (``"quadratic"``, ``"hinge"``, ...; it
            holds ``keep``), or a controller (``"dual"``, ``"augmented"``; it holds
            ``budget_target``).
        budget_strength: factor on the penalty; controllers find their own.
        budget_of: ``"mask"`` (what is executed) or ``"probability"``, for penalties.
        budget_warm_up: share of the training over which a penalty grows to its strength.
        budget_target: MACs, gate included, as a share of the dense twin's, for controllers.
        budget_constraint: ``"equal"`` or ``"at-most"``, for controllers.
        budget_rate: of a controller's multiplier, per step.
        clip: limit of the global gradient norm; 0 for none.
        patience: epochs without a better one before stopping early; 0 for never.

    """

    epochs: int = 60
    batch_size: int = 64
    optimizer: str = "adamw"
    optimizer_sparse: bool = False
    train_gradient: str = "straight-through"
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    gate_learning_rate: float = 1.0
    gate_cut_start: float = 0.0
    gate_cut_end: float = 0.0
    gate_cut_schedule: str = "linear"
    budget_kind: str = "quadratic"
    budget_strength: float = 3.0
    budget_of: str = "mask"
    budget_warm_up: float = 0.0
    budget_target: float = 0.0
    budget_constraint: str = "equal"
    budget_rate: float = 0.05
    clip: float = 0.0
    patience: int = 0


CONTROLLERS: dict[str, Callable[..., BudgetRule]] = {
    "dual": DualAscent, "augmented": AugmentedLagrangian,
}
"""Budgets that find their own strength, by the name of ``budget_kind``."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {"gate_rank": 4, "dropout": 0.2},
    "mnist": {"width": (512,), "dropout": 0.2, "epochs": 12, "batch_size": 128,
              "learning_rate": 1.5e-3},
    "glyphs": {"width": (512,), "dropout": 0.2, "epochs": 12, "batch_size": 128,
               "learning_rate": 1.5e-3},
    # Four blocks, one open. The gate starts nearly even: a strong start would pick favourites. It
    # learns fast and tries out its choices: without the noise two regimes often share a block.
    "regimes": {"width": (64,), "keep": 1, "gate_block": 16, "gate_net": "linear",
                "gate_spread": 0.1, "gate_noise": 1.5, "gate_learning_rate": 3.0, "epochs": 60},
}
"""What differs from the common defaults, by data set; chosen on the validation parts.

But for ``regimes``: noise and rate were chosen by how well blocks follow regimes on the data of
seeds 0 to 2, and looked at once on seeds 10 to 13.
"""

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
        model.params, options.learning_rate, groups=groups, sparse=options.optimizer_sparse,
        **decay)


def threshold_gates(model: Layer) -> list[Gated]:
    """Gated layers that open whatever passes a threshold, so that something must hold them."""
    return [gate for gate in gated_layers(model).values() if "threshold" in gate.state]


def make_budgets(model: Layer, keep: float, options: TrainOptions) -> list[BudgetRule]:
    """What holds threshold gates to their budget; nothing for models without them."""
    dynamic = threshold_gates(model)
    if not dynamic:
        return []
    require(options.budget_kind in (*KINDS, *CONTROLLERS), "budget.kind",
            repr(options.budget_kind), f"one of {', '.join([*KINDS, *CONTROLLERS])}")
    if options.budget_kind in CONTROLLERS:
        require(options.budget_target > 0, "budget.target", options.budget_target,
                "a share of the dense twin's MACs above 0", "for example --set budget.target=0.5")
        return [CONTROLLERS[options.budget_kind](
            model, options.budget_target, rate=options.budget_rate,
            constraint=options.budget_constraint)]
    require(options.budget_target == 0, "budget.target", options.budget_target,
            f"0 with the {options.budget_kind} budget, which holds keep",
            f"--set budget.kind={' or '.join(CONTROLLERS)} holds a MAC target")
    target = BUDGET_MARGIN * share_open(keep, dynamic[0].n_gates)
    return [Budget(options.budget_kind, options.budget_strength,
                   target if options.budget_kind in WITH_TARGET else None, of=options.budget_of,
                   warm_up=options.budget_warm_up)]


def make_score(model: Layer, keep: float, options: TrainOptions) -> Score:
    """What the best epoch is: one that keeps to its budget, since early ones still close gates."""
    gates = threshold_gates(model)
    if not gates:
        return by_accuracy
    if options.budget_kind in CONTROLLERS:
        return near_target(options.budget_target, within=0.005)
    return within_budget(share_open(keep, gates[0].n_gates))


def make_schedules(model_options: ModelOptions, options: TrainOptions) -> dict[str, Schedule]:
    """Schedule of the logit cut, if one is asked for.

    The cut, not temperature and threshold: those two are confounded, and a schedule of both may
    close gates first and open them again.
    """
    start, end = options.gate_cut_start, options.gate_cut_end
    if start == end:
        require(start == 0, "gate.cut_start and gate.cut_end", f"{start} twice",
                "two different numbers", "a cut that stays is gate.threshold")
        return {}
    require(model_options.gate_threshold == 0.5, "gate.threshold",
            model_options.gate_threshold, "0.5 where gate.cut_start and gate.cut_end are given",
            "the cut decides the threshold")
    return {"cut": by_name(options.gate_cut_schedule, start, end)}


def share_open(keep: float, n_gates: int) -> float:
    """``keep`` as a share: a fraction as it is, a whole number over the number of gates."""
    return keep / n_gates if isinstance(keep, int) else keep


def fit_arguments(
    model: Layer, data: Dataset, model_options: ModelOptions, options: TrainOptions
) -> dict[str, Any]:
    """Everything :func:`minimidl.learning.fit` needs to follow this recipe."""
    require(options.epochs >= 1, "epochs", options.epochs, "at least 1")
    steps = options.epochs * count_steps(len(data.x_train), options.batch_size)
    rate = options.learning_rate
    smoothed = partial(cross_entropy, label_smoothing=options.label_smoothing)
    return {
        "optimizer": make_optimizer(model, options), "epochs": options.epochs,
        "batch_size": options.batch_size,
        "budgets": make_budgets(model, model_options.keep, options),
        "state_schedules": make_schedules(model_options, options),
        "loss": Pair(smoothed, cross_entropy_backward),
        "learning_rate": by_name(options.schedule, rate, 0.01 * rate, steps),
        "clip": options.clip or None, "patience": options.patience or None,
        "score": make_score(model, model_options.keep, options),
    }
