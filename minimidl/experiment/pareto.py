"""Pareto fronts: who is worth having, because nobody is at once better and cheaper.

A point is *dominated* when another one is at least as good on both counts and better on one. The
front is what is left. Means over seeds decide here; whether a lead is more than the luck of the
seeds is told beside it (:func:`why_not`) and left to the reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.experiment.statistics import paired_difference

Row = Mapping[str, Any]
BySeed = Mapping[str, Mapping[int, float]]
"""Accuracies by model and seed."""


def dominates(one: Row, other: Row, cost: str, quality: str = "accuracy_mean") -> bool:
    """Whether ``one`` is nowhere worse than ``other``, and somewhere better."""
    better = one[quality] > other[quality] or one[cost] < other[cost]
    return bool(better and one[quality] >= other[quality] and one[cost] <= other[cost])


def on_front(rows: Sequence[Row], cost: str, quality: str = "accuracy_mean") -> list[bool]:
    """Which rows nobody dominates.

    Args:
        rows: of one data set.
        cost: the column where less is better. A row without this number is not on the front and
            dominates nobody.
        quality: the column where more is better.

    Returns:
        One truth value per row, in their order.

    """
    known = [row for row in rows if row.get(cost) is not None]
    return [row.get(cost) is not None
            and not any(dominates(other, row, cost, quality) for other in known) for row in rows]


def why_not(row: Row, rows: Sequence[Row], accuracies: BySeed) -> str | None:
    """Why a model is not on the front of accuracy against MACs; None where it is.

    Args:
        row: a summary row.
        rows: all summary rows of its data set.
        accuracies: of the runs behind them.

    Returns:
        One sentence about the most accurate of those that dominate it: by how many points
        (hundredths of accuracy), with the 95 % interval of the difference paired by seed, and with
        how many MACs fewer.

    """
    cost = "mac_ratio_with_gate"
    better = [other for other in rows if dominates(other, row, cost)]
    if not better:
        return None
    best = max(better, key=lambda other: (other["accuracy_mean"], -other[cost]))
    lead, spread = paired_difference(accuracies[best["model"]], accuracies[row["model"]])
    points = f"{100 * (lead or 0):.2f}" + ("" if spread is None else f" ± {100 * spread:.2f}")
    within = spread is not None and lead is not None and lead <= spread
    luck = ", which may be the luck of the seeds," if within else ""
    fewer = row[cost] - best[cost]
    macs = "as many MACs" if fewer == 0 else (
        f"{100 * fewer / row[cost]:.0f} % fewer MACs "
        f"({best[cost]:.3f} of dense instead of {row[cost]:.3f})")
    others = f"; {len(better) - 1} more beat it, too" if len(better) > 1 else ""
    return f"{best['model']} is {points} points better{luck} with {macs}{others}"
