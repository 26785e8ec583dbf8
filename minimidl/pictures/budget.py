"""A budget at work: what was executed by epoch, against its target, and the price it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minimidl.errors import require
from minimidl.pictures.curves import Rows
from minimidl.pictures.style import new_axes

STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "^", "s", "D")
COLOURS = ("#1b6ca8", "#d1611f", "#3a7d44", "#7a4f9a")
"""Each run differs in all three, so grey print is enough."""


def run_style(position: int, n_epochs: int) -> dict[str, Any]:
    """Look of the run at this position; markers about ten to a curve."""
    return {"color": COLOURS[position % 4], "linestyle": STYLES[position % 4],
            "marker": MARKERS[position % 4], "markersize": 4, "markevery": max(1, n_epochs // 10)}


def check_steered(histories: Mapping[str, Rows]) -> None:
    """Raise InputError for rows that tell of no controller."""
    for name, rows in histories.items():
        require(len(rows) > 0 and all("multiplier" in row for row in rows), "histories",
                f"{name} without a multiplier", "rows of a training with a controller",
                "--set budget.kind=dual --set budget.target=0.5")


def executed_curve(histories: Mapping[str, Rows], ax: Any = None) -> Any:
    """Executed MACs by epoch, gate included, and every target as a thin line; returns the axes.

    Args:
        histories: rows of epochs by name, of trainings with a controller among the budgets
            (columns ``train_mac_ratio`` and ``mac_target``).
        ax: axes to draw into; None makes a figure.

    """
    check_steered(histories)
    ax = new_axes(ax)
    for target in sorted({row["mac_target"] for rows in histories.values() for row in rows}):
        ax.axhline(target, color="#222222", linewidth=0.8)
        ax.annotate(f"target {target:g}", (1.0, target), xycoords=("axes fraction", "data"),
                    xytext=(-4, 3), textcoords="offset points", ha="right", fontsize=8)
    top = max(row["train_mac_ratio"] for rows in histories.values() for row in rows)
    for position, (name, rows) in enumerate(histories.items()):
        ax.plot([row["epoch"] for row in rows], [row["train_mac_ratio"] for row in rows],
                label=name, **run_style(position, len(rows)))
    ax.set(xlabel="epoch", ylabel="MACs, gate included / dense", ylim=(0, 1.12 * top))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def multiplier_curve(histories: Mapping[str, Rows], ax: Any = None) -> Any:
    """The multiplier by epoch: above 0 a price for opening, below 0 a reward; returns the axes."""
    check_steered(histories)
    ax = new_axes(ax)
    ax.axhline(0, color="#222222", linewidth=0.8)
    for position, (name, rows) in enumerate(histories.items()):
        ax.plot([row["epoch"] for row in rows], [row["multiplier"] for row in rows], label=name,
                **run_style(position, len(rows)))
    ax.set(xlabel="epoch", ylabel="multiplier: price (+) or reward (-)")
    ax.grid(alpha=0.3)
    return ax


def budget_figure(histories: Mapping[str, Rows]) -> Any:
    """Two panels side by side: executed MACs with the target, and the multiplier; the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    executed_curve(histories, left)
    multiplier_curve(histories, right)
    return figure
