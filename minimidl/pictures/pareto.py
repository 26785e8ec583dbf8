"""Accuracy against what it costs, with the front of those whom nobody beats on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.labels import label_points
from minimidl.pictures.style import look, new_axes

Rows = Sequence[Mapping[str, Any]]
"""Summary rows of one data set, as ``compare`` writes them."""

PANELS = {
    "mac_ratio_with_gate": ("pareto_macs", "MACs per sample relative to dense, gate included"),
    "time_ratio": ("pareto_time", "time of one sample relative to the best dense library"),
    "time_ratio_b256": ("pareto_time_b256",
                        "time of 256 samples relative to the best dense library"),
}
"""By column of the cost: the flag of its front, and the words under the axis."""


def pareto(rows: Rows, cost: str = "mac_ratio_with_gate", ax: Any = None) -> Any:
    """One point with its 95 % interval per model; up and to the left is better.

    Args:
        rows: with ``model accuracy_mean accuracy_ci95``, the column ``cost`` and its flag; rows
            without the cost are left out.
        cost: a key of :data:`PANELS`.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes. The front is a line in steps: below and to the right of it everything is beaten.

    """
    ax = new_axes(ax, (6.5, 4.8))
    flag, words = PANELS[cost]
    rows = [row for row in rows if row.get(cost) is not None]
    for row in rows:
        style = look(row["model"])
        spread = None if row["accuracy_ci95"] is None else 100 * row["accuracy_ci95"]
        ax.errorbar(row[cost], 100 * row["accuracy_mean"], spread, color=style["color"],
                    marker=style["marker"], markersize=7, capsize=2, elinewidth=0.8,
                    markerfacecolor=style["color"] if row[flag] else "white", label=row["model"])
    front = sorted((row[cost], 100 * row["accuracy_mean"]) for row in rows if row[flag])
    if front:
        ax.plot(*zip(*front, strict=True), color="#555555", linewidth=1.2, linestyle="--",
                drawstyle="steps-post", zorder=0, label="front")
    ax.axvline(1, color="#bbbbbb", linewidth=1, linestyle=":", zorder=0)
    ax.set(xlabel=words, ylabel="test accuracy (%)")
    ax.margins(x=0.12, y=0.12)
    ax.grid(alpha=0.3)
    return ax


def pareto_figure(rows: Rows, title: str = "") -> Any:
    """Cost in MACs, in time of one sample and of 256, side by side, points named; the figure."""
    from matplotlib.figure import Figure

    costs = [cost for cost in PANELS if any(row.get(cost) is not None for row in rows)]
    figure = Figure(figsize=(5.6 * len(costs), 5.2), layout="constrained")
    panels = figure.subplots(1, len(costs), squeeze=False, sharey=True)[0]
    for ax, cost in zip(panels, costs, strict=True):
        pareto(rows, cost, ax).label_outer()
    figure.suptitle(f"{title}: accuracy against cost; filled: on the front; bars: 95 % intervals"
                    .removeprefix(": "))
    figure.draw_without_rendering()  # settles limits and layout, so that labels know their room
    for ax, cost in zip(panels, costs, strict=True):
        known = [row for row in rows if row.get(cost) is not None]
        label_points(ax, [(row[cost], 100 * row["accuracy_mean"]) for row in known],
                     [row["model"] for row in known])
    return figure
