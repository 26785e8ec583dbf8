"""Bias and spread of gradient estimators, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.style import new_axes

BARS = (("bias", "bias", "#1b6ca8", ""), ("spread", "spread of one sample", "#e9b48f", "///"))
SHORTEST = 0.01
"""Left end of the logarithmic axis; what is smaller is written as a number only."""
ZERO = 1e-9


def bias_variance(rows: Sequence[Mapping[str, Any]], ax: Any = None) -> Any:
    """Two bars per estimator, in units of the length of the true gradient, on a logarithmic axis.

    Args:
        rows: of ``minimidl.proof.enumeration.bias_variance``: ``estimator``, ``bias``, ``spread``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax, (7.5, 0.9 + 0.5 * len(rows)))
    for place, (column, label, colour, hatch) in enumerate(BARS):
        sizes = [max(row[column], SHORTEST) for row in rows]
        where = [i + 0.4 * place - 0.2 for i in range(len(rows))]
        bars = ax.barh(where, sizes, 0.36, label=label, color=colour, hatch=hatch, edgecolor="#333",
                       linewidth=0.5, left=0)
        ax.bar_label(bars, [text(row[column]) for row in rows], padding=3, fontsize=8)
    largest = max((max(row["bias"], row["spread"]) for row in rows), default=1.0)
    ax.set(xscale="log", xlim=(SHORTEST, 3 * max(largest, 1.0)),
           xlabel="relative to the length of the true gradient")
    ax.axvline(1.0, color="#777", linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(rows)), [row["estimator"] for row in rows])
    ax.invert_yaxis()
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return ax


def text(size: float) -> str:
    """Three digits, or a plain 0 where only rounding is left."""
    return "0" if size < ZERO else f"{size:.3g}"
