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
        Intervals may leave the axes, whose height follows the means; who is far below the others
        stands at the lower edge (:func:`floor_of`).

    """
    ax = new_axes(ax, (6.5, 4.8))
    flag, words = PANELS[cost]
    rows = [row for row in rows if row.get(cost) is not None]
    floor = floor_of(rows)
    points = [(row[cost], max(100 * row["accuracy_mean"], floor)) for row in rows]
    for row, point in zip(rows, points, strict=True):
        style = look(row["model"])
        known = row["accuracy_ci95"] is not None and 100 * row["accuracy_mean"] >= floor
        ax.errorbar(*point, 100 * row["accuracy_ci95"] if known else None, color=style["color"],
                    marker=style["marker"], markersize=7, capsize=2, elinewidth=0.8, alpha=0.9,
                    markerfacecolor=style["color"] if row[flag] else "white", label=row["model"])
    front = sorted(point for row, point in zip(rows, points, strict=True) if row[flag])
    if front:
        ax.plot(*zip(*front, strict=True), color="#555555", linewidth=1.2, linestyle="--",
                drawstyle="steps-post", zorder=0, label="front")
    ax.axvline(1, color="#bbbbbb", linewidth=1, linestyle=":", zorder=0)
    ax.set(xlabel=words, ylabel="test accuracy (%)")
    limit(ax, points, times=cost != "mac_ratio_with_gate")
    ax.grid(alpha=0.3, which="both")
    return ax


def floor_of(rows: Rows) -> float:
    """Percent below which a model stands at the edge: one failure must not flatten all others.

    Six times as far below the best as the median is, and at least two points.
    """
    accuracies = sorted(100 * row["accuracy_mean"] for row in rows)
    if not accuracies:
        return 0.0
    best, middle = accuracies[-1], accuracies[len(accuracies) // 2]
    return best - max(6 * (best - middle), 2.0)


def limit(ax: Any, points: Sequence[tuple[float, float]], *, times: bool) -> None:
    """Room around the points; times on a logarithmic axis with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if not points:
        return
    costs, accuracies = zip(*points, strict=True)
    low, high = min(accuracies), max(accuracies)
    room = max(0.25 * (high - low), 0.1)
    ax.set_ylim(low - room, high + room)
    if times:
        ax.set_xscale("log")
        ax.set_xlim(min(*costs, 1) / 1.35, max(*costs, 1) * 1.35)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_xlim(0, 1.12 * max(*costs, 1))


def pareto_figure(rows: Rows, title: str = "") -> Any:
    """Cost in MACs, in time of one sample and of 256, side by side, points named; the figure.

    Args:
        rows: summary rows of one data set.
        title: what they are of, such as ``"mnist, 5 seeds"``.

    """
    from matplotlib.figure import Figure

    costs = [cost for cost in PANELS if any(row.get(cost) is not None for row in rows)]
    figure = Figure(figsize=(5.6 * len(costs), 5.4), layout="constrained")
    panels = figure.subplots(1, len(costs), squeeze=False, sharey=True)[0]
    for ax, cost in zip(panels, costs, strict=True):
        pareto(rows, cost, ax).label_outer()
    figure.suptitle(": ".join(filter(None, [title, "filled points are on the front (dashed); "
                                                   "bars are 95 % intervals"])), fontsize=11)
    figure.draw_without_rendering()  # settles limits and layout, so that labels know their room
    for ax, cost in zip(panels, costs, strict=True):
        known = [row for row in rows if row.get(cost) is not None]
        floor = floor_of(known)
        label_points(ax, [(row[cost], max(100 * row["accuracy_mean"], floor)) for row in known],
                     [name(row, floor) for row in known])
    return figure


def name(row: Mapping[str, Any], floor: float) -> str:
    """What stands beside a point; below the edge with its accuracy."""
    accuracy = 100 * row["accuracy_mean"]
    return row["model"] if accuracy >= floor else f"{row['model']}: {accuracy:.1f} % (below)"
