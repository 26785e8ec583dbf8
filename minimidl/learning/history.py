"""What happened, epoch by epoch: rows of numbers, and how to find the best one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from minimidl.errors import InputError, require

Row = dict[str, Any]
"""One epoch: ``epoch loss budget val_loss val_accuracy active_ratio usage seconds`` and more."""

Score = Callable[[Row], tuple[float, ...]]
"""How good an epoch is; larger is better, compared from left to right."""


def by_accuracy(row: Row) -> tuple[float, ...]:
    """Validation accuracy, ties to the lower loss; only the loss where there is no accuracy."""
    return (row["val_accuracy"] or 0.0, -row["val_loss"])


def by_loss(row: Row) -> tuple[float, ...]:
    """Lowest validation loss."""
    return (-row["val_loss"],)


def within_budget(limit: float) -> Score:
    """Accuracy among the epochs whose active ratio is at most ``limit``; before, the lowest ratio.

    While a budget still closes gates the early epochs are often the most accurate, and the dearest:
    restoring one of them would silently undo the saving. Static gates may stop just above the limit
    and stay there: of epochs with the same ratio the best counts, not the first.
    """
    require(0 < limit <= 1, "limit", limit, "a share in (0, 1]")

    def score(row: Row) -> tuple[float, ...]:
        if row["active_ratio"] <= limit:
            return (1.0, *by_accuracy(row))
        return (0.0, -row["active_ratio"], *by_accuracy(row))

    return score


def near_target(target: float, within: float = 0.01) -> Score:
    """Accuracy among the epochs whose training MACs end near a target; before, the nearest one.

    Args:
        target: MACs, gate included, as a share of the dense twin's.
        within: how near, as a share of the target. The rows tell of it when a controller such as
            :class:`~minimidl.learning.DualAscent` is one of the budgets.

    """
    require(target > 0, "target", target, "a positive share")
    require(within > 0, "within", within, "a positive share of the target")

    def score(row: Row) -> tuple[float, ...]:
        distance = abs(row["train_mac_ratio"] / target - 1.0)
        return (1.0, *by_accuracy(row)) if distance <= within else (0.0, -distance)

    return score


def at_density(limit: float, then: Score = by_accuracy, within: float = 0.01) -> Score:
    """Best among the epochs whose layers are as sparse as they shall be; before, the sparsest.

    While pruning still closes connections the early epochs are often the most accurate, and the
    densest: restoring one of them would silently undo the pruning. Of epochs that are equally
    sparse and never arrive (with very few connections a whole number of them is not near enough),
    the best counts, not the first.

    Args:
        limit: density of the masked layers, as the rows of a wiring tell it.
        then: what best means among those epochs.
        within: how far above is near enough, as a share of ``limit``: whole numbers of connections
            rarely hit it.

    """
    require(0 < limit <= 1, "limit", limit, "a density in (0, 1]")
    require(within >= 0, "within", within, "a share of the limit, at least 0")

    def score(row: Row) -> tuple[float, ...]:
        if row["density"] <= limit * (1.0 + within):
            return (1.0, *then(row))
        return (0.0, -row["density"], *then(row))

    return score


class History:
    """Rows of per-epoch metrics, in order; plain numbers, so that JSON brings back the same bits.

    Args:
        rows: to start with.

    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows: list[Row] = list(rows or [])

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, row: Row) -> None:
        """Add the row of the next epoch."""
        self.rows.append(row)

    def column(self, name: str) -> list[Any]:
        """One metric over all epochs; raises InputError with the known names."""
        known = self.rows[0] if self.rows else {}
        require(name in known or not self.rows, "column", repr(name), f"one of {', '.join(known)}")
        return [row[name] for row in self.rows]

    def best(self, score: Score = by_accuracy) -> int:
        """Position of the best row; the earliest of equals. Raises InputError when empty."""
        require(len(self) > 0, "history", "no epochs", "at least one")
        scores = [score(row) for row in self.rows]
        return scores.index(max(scores))

    def is_best(self, score: Score = by_accuracy) -> bool:
        """Whether the last epoch is better than every one before it."""
        return self.best(score) == len(self) - 1

    def should_stop(self, patience: int | None, score: Score = by_accuracy) -> bool:
        """Early stop: whether ``patience`` epochs have passed without a better one.

        It follows from the rows alone, so a resumed training stops where an unbroken one would.
        """
        if patience is None or not self.rows:
            return False
        return len(self) - 1 - self.best(score) >= patience

    def to_json(self) -> str:
        """Return the rows as a JSON list."""
        return json.dumps(self.rows, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> History:
        """Read what :meth:`to_json` wrote; raises InputError for anything else."""
        try:
            rows = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"history: got invalid JSON ({error}), expected a list of rows"
                             ) from None
        good = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        require(good, "history", type(rows).__name__, "a list of rows")
        return cls(rows)
