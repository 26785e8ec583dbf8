"""What the training loop looks at before it begins, and after every loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minimidl.errors import require
from minimidl.layers import Layer
from minimidl.learning.batches import TrainingData, check_data
from minimidl.learning.budget import BudgetRule
from minimidl.learning.optimizer import Optimizer


def check_fit(
    data: TrainingData, epochs: int, patience: int | None, budgets: Sequence[BudgetRule],
    gates: Mapping[str, Any],
) -> None:
    """Raise InputError for what would go wrong later."""
    check_data(data)
    require(epochs >= 1, "epochs", epochs, "at least 1")
    require(patience is None or patience >= 1, "patience", patience, "at least 1, or None")
    require(not budgets or len(gates) > 0, "budgets", f"{len(budgets)} for a model without gates",
            "a model with gated layers, or no budget")


def check_optimizer(optimizer: Optimizer, model: Layer) -> None:
    """Refuse an optimiser of another model: it would change that one, and this one never learn."""
    strange = [part.name for part in optimizer.parts if part.values.size
               and not (part.name in model.params
                        and np.may_share_memory(part.values, model.params[part.name]))]
    require(not strange, "optimizer", f"arrays that are not this model's: {', '.join(strange)}",
            "the arrays of this model", "build it from model.params")


def require_finite_loss(value: float) -> None:
    """Raise InputError for a loss that is NaN or infinite."""
    require(bool(np.isfinite(value)), "loss", value, "finite numbers")
