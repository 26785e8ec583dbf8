"""Losses and budgets: function pairs, ``value, memory = f(...)`` and ``f_backward(memory)``."""

from minimidl.losses.binary import binary_cross_entropy, binary_cross_entropy_backward
from minimidl.losses.budget_targets import (
    hard_quadratic_usage,
    hard_quadratic_usage_backward,
    hinge_usage,
    hinge_usage_backward,
    keep_alive,
    keep_alive_backward,
    quadratic_usage,
    quadratic_usage_backward,
)
from minimidl.losses.budgets import (
    cost_weighted_usage,
    cost_weighted_usage_backward,
    mean_usage,
    mean_usage_backward,
    polarise,
    polarise_backward,
)
from minimidl.losses.cross_entropy import cross_entropy, cross_entropy_backward, log_softmax
from minimidl.losses.multipliers import (
    augmented_usage,
    augmented_usage_backward,
    lagrangian_usage,
    lagrangian_usage_backward,
)
from minimidl.losses.pair import Pair
from minimidl.losses.regression import (
    huber,
    huber_backward,
    mean_squared_error,
    mean_squared_error_backward,
)
from minimidl.losses.routing import (
    importance_cv,
    importance_cv_backward,
    load_balance,
    load_balance_backward,
    z_loss,
    z_loss_backward,
)

LOSSES: dict[str, Pair] = {
    "cross-entropy": Pair(cross_entropy, cross_entropy_backward),
    "binary-cross-entropy": Pair(binary_cross_entropy, binary_cross_entropy_backward),
    "mse": Pair(mean_squared_error, mean_squared_error_backward),
    "huber": Pair(huber, huber_backward),
}

__all__ = [
    "LOSSES", "Pair", "augmented_usage", "augmented_usage_backward", "binary_cross_entropy",
    "binary_cross_entropy_backward", "cost_weighted_usage", "cost_weighted_usage_backward",
    "cross_entropy", "cross_entropy_backward", "hard_quadratic_usage",
    "hard_quadratic_usage_backward", "hinge_usage", "hinge_usage_backward", "huber",
    "huber_backward", "importance_cv", "importance_cv_backward", "keep_alive",
    "keep_alive_backward", "lagrangian_usage", "lagrangian_usage_backward", "load_balance",
    "load_balance_backward", "log_softmax", "mean_squared_error", "mean_squared_error_backward",
    "mean_usage", "mean_usage_backward", "polarise", "polarise_backward", "quadratic_usage",
    "quadratic_usage_backward", "z_loss", "z_loss_backward",
]
