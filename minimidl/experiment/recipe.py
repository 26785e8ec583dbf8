"""Recipes: how a model is trained, the same for a gated network and for its dense twin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from minimidl.data import Dataset
from minimidl.errors import require
from minimidl.experiment.balance import make_balance
from minimidl.experiment.options import ModelOptions, TrainOptions
from minimidl.experiment.wirings import make_wiring, when_sparse
from minimidl.layers import Gated, Layer, WeightGate, gated_layers
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


CONTROLLERS: dict[str, Callable[..., BudgetRule]] = {
    "dual": DualAscent, "augmented": AugmentedLagrangian,
}
"""Budgets that find their own strength, by the name of ``budget_kind``."""

WEIGHT_GATE_PULL, WEIGHT_GATE_RATE = 10.0, 3.0
"""Factors on budget and learning rate of weight gates. Each hears the mean over all connections
fainter than a neuron's gate would, and Adam follows the louder of task and budget, by at most the
rate per step: without them 0.29 are open on MNIST and 0.33 on digits where 0.19 was asked for.
Chosen on the validation parts."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {"gate_rank": 4, "dropout": 0.2},
    "mnist": {"width": (512,), "dropout": 0.2, "epochs": 12, "batch_size": 128,
              "learning_rate": 1.5e-3, "gate_noise": 1.0},
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
    kinds = {type(gate) for gate in gated_layers(model).values()}
    scale = options.gate_learning_rate * (WEIGHT_GATE_RATE if WeightGate in kinds else 1.0)
    groups = [gate_group(scale)] if scale != 1 else []
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
    pull = WEIGHT_GATE_PULL if isinstance(dynamic[0], WeightGate) else 1.0
    return [Budget(options.budget_kind, pull * options.budget_strength,
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


def asked_share(model: Layer, options: ModelOptions) -> float:
    """What is asked of the gates: ``keep`` of the neurons, or a density of gated connections."""
    gates = threshold_gates(model)
    return options.wiring_density if gates and isinstance(gates[0], WeightGate) else options.keep


def fit_arguments(
    model: Layer, data: Dataset, model_options: ModelOptions, options: TrainOptions, name: str = ""
) -> dict[str, Any]:
    """Everything :func:`minimidl.learning.fit` needs to follow this recipe.

    Args:
        model: as :func:`~minimidl.experiment.build_model` made it.
        data: how many steps there are follows from its training part.
        model_options: what it was built with.
        options: how to train.
        name: of the model, which says how its connections come and go.

    """
    require(options.epochs >= 1, "epochs", options.epochs, "at least 1")
    steps = options.epochs * count_steps(len(data.x_train), options.batch_size)
    rate, keep = options.learning_rate, asked_share(model, model_options)
    smoothed = partial(cross_entropy, label_smoothing=options.label_smoothing)
    return {
        "optimizer": make_optimizer(model, options), "epochs": options.epochs,
        "batch_size": options.batch_size,
        "budgets": make_budgets(model, keep, options) + make_balance(model, options),
        "state_schedules": make_schedules(model_options, options),
        "loss": Pair(smoothed, cross_entropy_backward),
        "learning_rate": by_name(options.schedule, rate, 0.01 * rate, steps),
        "clip": options.clip or None, "patience": options.patience or None,
        "score": when_sparse(model, model_options, make_score(model, keep, options)),
        "wiring": make_wiring(name, model_options, options),
    }
