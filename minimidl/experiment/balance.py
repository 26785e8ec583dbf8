"""What keeps the experts of a mixture all in work."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.experiment.options import TrainOptions
from minimidl.gates.routers import ExpertChoiceRouter, SoftRouter
from minimidl.layers import Experts, Layer, gated_layers
from minimidl.learning import ExpertChoiceCuts, Importance, LoadBalance, LossFreeBalance, RouterZ
from minimidl.learning.budget import BudgetRule


def make_balance(model: Layer, options: TrainOptions) -> list[BudgetRule]:
    """Routing losses and balancing of a model's routers; nothing for a model without experts.

    Where experts choose (expert-choice) the load is even by itself, and a cut per expert follows
    the training instead, by which single samples are judged afterwards.
    """
    routers = [gate.chooser for gate in gated_layers(model).values() if isinstance(gate, Experts)]
    if not routers:
        return []
    for name in ("balance", "z", "importance", "bias_rate"):
        value = getattr(options, f"experts_{name}")
        require(value >= 0, f"experts.{name}", value, "a number of at least 0")
    losses: list[BudgetRule] = [RouterZ(options.experts_z)] if options.experts_z else []
    if isinstance(routers[0], ExpertChoiceRouter):
        return [*losses, ExpertChoiceCuts()]
    if options.experts_importance:
        losses.append(Importance(options.experts_importance))
    if isinstance(routers[0], SoftRouter):  # it runs everybody for everybody
        return losses
    if options.experts_balance:
        losses.append(LoadBalance(options.experts_balance))
    if options.experts_bias_rate:
        losses.append(LossFreeBalance(options.experts_bias_rate))
    return losses
