"""How accuracy falls: with noise and blur on the inputs, false labels and few training samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.errors import require
from minimidl.pictures.style import look, new_axes

KIND_WORDS = {
    "noise": "noise on the test inputs\n(standard deviations of the data)",
    "blur": "blur of the test inputs\n(times mixed with the neighbours)",
    "labels": "false labels in the training part\n(share)",
    "samples": "training samples\n(share of the training part)",
}
"""What the level of each kind of harm means."""


def harm_curves(rows: Sequence[Mapping[str, Any]], kind: str, ax: Any = None) -> Any:
    """Accuracy by level of one kind of harm, one curve per model, with intervals over seeds.

    Args:
        rows: summary rows of ``minimidl measure robustness`` of one data set.
        kind: ``"noise"``, ``"blur"``, ``"labels"`` or ``"samples"``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes. Raises InputError for a kind that the rows do not tell of.

    """
    mine = [row for row in rows if row["kind"] == kind]
    require(bool(mine), "kind", repr(kind), "a kind of harm that the rows tell of")
    ax = new_axes(ax)
    for model in dict.fromkeys(row["model"] for row in mine):
        own = sorted((row for row in mine if row["model"] == model), key=lambda row: row["level"])
        ax.errorbar([row["level"] for row in own], [100 * row["accuracy_mean"] for row in own],
                    yerr=[100 * (row["accuracy_ci95"] or 0) for row in own], label=model,
                    markersize=4, elinewidth=0.8, capsize=2, **look(model))
    if kind == "samples":
        ax.set_xscale("log")
        ax.invert_xaxis()  # harm grows to the right, as in the other panels
    levels = sorted({row["level"] for row in mine})
    ax.set_xticks(levels, [f"{level:g}" for level in levels])
    ax.minorticks_off()
    ax.set(xlabel=KIND_WORDS.get(kind, kind), ylabel="test accuracy (%)")
    ax.grid(alpha=0.3)
    return ax


def robustness_figure(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A panel per kind of harm that the rows tell of; returns the figure."""
    from matplotlib.figure import Figure

    kinds = [kind for kind in KIND_WORDS if any(row["kind"] == kind for row in rows)]
    columns = min(2, len(kinds))
    lines = -(-len(kinds) // columns)
    figure = Figure(figsize=(4.8 * columns, 3.4 * lines + 0.3), layout="constrained")
    panels = list(figure.subplots(lines, columns, squeeze=False).flat)
    for kind, ax in zip(kinds, panels, strict=False):
        harm_curves(rows, kind, ax)
    for ax in panels[len(kinds):]:
        ax.axis("off")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    return figure
