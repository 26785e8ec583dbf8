"""What neurons know about the label: sliced information of open and of closed neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.style import new_axes

SOURCE_LOOKS: dict[str, dict[str, Any]] = {
    "hidden": {"color": "#222222", "marker": "s"},
    "open": {"color": "#1b6ca8", "marker": "o"},
    "closed": {"color": "#d1611f", "marker": "^"},
    "lent": {"color": "#3a7d44", "marker": "v"},
}
"""Each differs in colour and marker, so grey print is enough."""

SOURCE_WORDS = {
    "hidden": "what the next layer reads", "open": "neurons open for the sample",
    "closed": "neurons closed for the sample", "lent": "neurons open for another sample",
}


def label_knowledge(rows: Sequence[Mapping[str, Any]], ax: Any = None) -> Any:
    """Sliced information by model and source, with intervals over seeds and the values of chance.

    ``input`` is not drawn: it has another width, and values of another width do not compare.

    Args:
        rows: summary rows of ``minimidl measure information`` of one data set.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax, (7.0, 4.2))
    chance = []
    for place, (source, style) in enumerate(SOURCE_LOOKS.items()):
        told = [(i, row) for i, row in enumerate(rows) if row[f"smi_{source}_mean"] is not None]
        where = [i + 0.17 * (place - 1.5) for i, _ in told]
        ax.errorbar(where, [row[f"smi_{source}_mean"] for _, row in told],
                    yerr=[row[f"smi_{source}_ci95"] or 0 for _, row in told], linestyle="",
                    markersize=7, elinewidth=1.2, capsize=3, label=SOURCE_WORDS[source], **style)
        nulls = [row[f"smi_{source}_null_mean"] for _, row in told]
        chance += [(at, null) for at, null in zip(where, nulls, strict=True) if null is not None]
    if chance:
        ax.plot(*zip(*chance, strict=True), linestyle="", marker="x", color="#777777",
                markersize=5, label="chance: shuffled labels")
    ax.set_xticks(range(len(rows)), [row["model"] for row in rows])
    ax.set(xlabel="model", ylabel="sliced information\nwith the label (nats)")
    ax.grid(alpha=0.3, axis="y")
    names = ax.get_legend_handles_labels()
    order = sorted(range(len(names[1])), key=lambda i: names[1][i].startswith("chance"))
    ax.legend([names[0][i] for i in order], [names[1][i] for i in order], frameon=False, fontsize=8,
              loc="upper center", bbox_to_anchor=(0.5, 1.24), ncols=2)
    return ax


def knowledge_figure(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The axes of :func:`label_knowledge` on a figure of their own; returns the figure."""
    return label_knowledge(rows).figure
