"""Budgets with a memory of their own: how the training loop steps, keeps and reports them.

A budget is steered when it has ``state`` (0-d arrays by name, changed in place), ``after_step()``
and ``report()``, as :class:`~minimidl.learning.DualAscent` has. All others are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from minimidl.arrays import Array
from minimidl.learning.budget import BudgetRule
from minimidl.learning.history import Row


@runtime_checkable
class Steered(Protocol):
    """What a budget with a memory answers beside its value and its gradient."""

    state: dict[str, Array]

    def after_step(self) -> None:
        """Move on, once per step, after the optimiser's."""

    def report(self) -> dict[str, float]:
        """Plain numbers for the row of an epoch."""


def steered(budgets: Sequence[object]) -> list[Steered]:
    """Those of the budgets that have a memory, in order."""
    return [budget for budget in budgets if isinstance(budget, Steered)]


def steered_states(budgets: Sequence[BudgetRule]) -> dict[str, Array]:
    """The live states, ``"0.multiplier"`` for the first of them: what a checkpoint keeps."""
    return {f"{position}.{name}": array for position, budget in enumerate(steered(budgets))
            for name, array in budget.state.items()}


def after_step(budgets: Sequence[BudgetRule]) -> None:
    """Let every steered budget move on."""
    for budget in steered(budgets):
        budget.after_step()


def report(budgets: Sequence[BudgetRule]) -> Row:
    """What they add to the row of an epoch; names of the second one end in ``.1``, and so on."""
    return {name + (f".{position}" if position else ""): value
            for position, budget in enumerate(steered(budgets))
            for name, value in budget.report().items()}
