"""Benchmarks drawn: time against size on two logarithmic axes, where a power is a straight line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.style import new_axes

LOOKS = {
    "sigmoid": ("#1b6ca8", "o"), "lapsum": ("#d1611f", "^"),
    "capped-simplex": ("#3a7d44", "v"), "hard": ("#222222", "s"),
}
"""Colour and marker by operator: both differ, so grey print is enough."""


def time_against_n(rows: Sequence[Mapping[str, Any]], ax: Any = None) -> Any:
    """Microseconds per row of scores against n: solid for ours, dashed for the fastest peer.

    Args:
        rows: of ``bench --suite gates``: ``operator``, ``rows``, ``n``, ``seconds``,
            ``peer_seconds`` (may be None) and ``sorts``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax, (7.0, 4.8))
    for operator in dict.fromkeys(row["operator"] for row in rows):
        mine = [row for row in rows if row["operator"] == operator]
        color, marker = LOOKS.get(operator, ("#777777", "D"))
        draw(ax, mine, "seconds", color=color, marker=marker, label=operator)
        if all(row["peer_seconds"] for row in mine):
            draw(ax, mine, "peer_seconds", color=color, marker=marker, linestyle="--",
                 fillstyle="none", label=f"{operator}: fastest peer")
    ax.set(xscale="log", yscale="log", xlabel="scores per row, n",
           ylabel="time per row (microseconds), one thread")
    guide(ax, rows)
    ax.grid(alpha=0.3, which="both")
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def draw(ax: Any, rows: Sequence[Mapping[str, Any]], column: str, **style: Any) -> None:
    """One line: microseconds per row against n."""
    ax.plot([row["n"] for row in rows], [1e6 * row[column] / row["rows"] for row in rows], **style)


def guide(ax: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """One NumPy sort of the same rows as a dotted line."""
    first = [row for row in rows if row["operator"] == rows[0]["operator"]]
    ax.plot([row["n"] for row in first],
            [1e6 * row["seconds"] / row["sorts"] / row["rows"] for row in first],
            color="#777777", linestyle=":", label="one NumPy sort")
