"""Accuracy against cost: the picture that decides whether a gate is worth having."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.style import look, new_axes


def accuracy_against_cost(
    rows: Sequence[Mapping[str, Any]], ax: Any = None, cost: str = "mac_ratio_with_gate"
) -> Any:
    """One point per row; up and to the left is better.

    Args:
        rows: of a result file, with ``model``, ``accuracy`` and the column ``cost``.
        ax: axes to draw into; None makes a figure.
        cost: column of the horizontal axis.

    Returns:
        The axes.

    """
    ax = new_axes(ax)
    for row in rows:
        style = look(row["model"])
        ax.plot(row[cost], 100 * row["accuracy"], color=style["color"], marker=style["marker"],
                linestyle="none", markersize=9, label=row["model"])
    ax.set(xlabel="MACs per sample relative to dense, gate included"
           if cost == "mac_ratio_with_gate" else cost, ylabel="test accuracy (%)")
    ax.set_xlim(0, 1.08)
    ax.margins(y=0.3)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax
