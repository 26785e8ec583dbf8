"""Losses and budgets: function pairs, ``value, memory = f(...)`` and ``f_backward(memory)``."""

from minimidl.losses.binary import binary_cross_entropy, binary_cross_entropy_backward
from minimidl.losses.budgets import (
    cost_weighted_usage,
    cost_weighted_usage_backward,
    keep_alive,
    keep_alive_backward,
    mean_usage,
    mean_usage_backward,
    quadratic_usage,
    quadratic_usage_backward,
)
from minimidl.losses.cross_entropy import cross_entropy, cross_entropy_backward, log_softmax
from minimidl.losses.pair import Pair
from minimidl.losses.regression import (
    huber,
    huber_backward,
    mean_squared_error,
    mean_squared_error_backward,
)

LOSSES: dict[str, Pair] = {
    "cross-entropy": Pair(cross_entropy, cross_entropy_backward),
    "binary-cross-entropy": Pair(binary_cross_entropy, binary_cross_entropy_backward),
    "mse": Pair(mean_squared_error, mean_squared_error_backward),
    "huber": Pair(huber, huber_backward),
}

__all__ = [
    "LOSSES", "Pair", "binary_cross_entropy", "binary_cross_entropy_backward",
    "cost_weighted_usage", "cost_weighted_usage_backward", "cross_entropy",
    "cross_entropy_backward", "huber", "huber_backward", "keep_alive", "keep_alive_backward",
    "log_softmax", "mean_squared_error", "mean_squared_error_backward", "mean_usage",
    "mean_usage_backward", "quadratic_usage", "quadratic_usage_backward",
]
