"""Recovery curves: accuracy along a drifting stream, by what was allowed to move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.errors import require
from minimidl.pictures.style import look, new_axes

MODE_LOOKS: dict[str, dict[str, Any]] = {
    "neither": {"color": "#222222", "linestyle": ":", "marker": "x"},
    "gates": {"color": "#1b6ca8", "linestyle": (0, (5, 1)), "marker": "o"},
    "closed": {"color": "#d1611f", "linestyle": "-.", "marker": "^"},
    "both": {"color": "#3a7d44", "linestyle": "-", "marker": "s"},
    "all": {"color": "#777777", "linestyle": "--", "marker": "D"},
}
"""Colour, line and marker by mode: each differs in all three, so grey print is enough."""

MODE_WORDS = {"neither": "nothing", "gates": "gates only", "closed": "rarely open neurons only",
              "both": "both of these", "all": "everything"}

Summary = Mapping[str, Any]
"""A summary row of plasticity: ``model mode curve`` and means; see ``minimidl measure``."""


def recovery_curves(rows: Sequence[Summary], model: str, ax: Any = None) -> Any:
    """One curve per mode, phase by phase, with 95 % intervals over seeds at the end of each.

    Args:
        rows: summary rows of plasticity of one data set.
        model: whose curves.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes. Raises InputError where the rows have no such model.

    """
    mine = [row for row in rows if row["model"] == model]
    require(bool(mine), "model", repr(model), "a model that the rows tell of")
    ax = new_axes(ax)
    ax.axhline(100 * mine[0]["clean_before_mean"], color="#222222", linewidth=0.8)
    for place, row in enumerate(mine):
        for phase in phases_of(row):
            points = [point for point in row["curve"] if point["phase"] == phase]
            first = phase == phases_of(row)[0]
            ax.plot([point["step"] for point in points],
                    [100 * point["accuracy_mean"] for point in points], markersize=4,
                    markevery=(0, max(1, len(points) // 2)), **MODE_LOOKS[row["mode"]],
                    label=MODE_WORDS[row["mode"]] if first else None)
            last, apart = points[-1], 0.006 * place * row["curve"][-1]["step"]
            ax.errorbar(last["step"] - apart, 100 * last["accuracy_mean"],
                        yerr=100 * (last["accuracy_ci95"] or 0), elinewidth=0.8, capsize=2,
                        color=MODE_LOOKS[row["mode"]]["color"], linestyle="")
    name_phases(mine[0], ax)
    bottom = lowest(rows)
    ax.set(ylim=(bottom - 0.15 * (100 - bottom), 101),
           xlabel="steps on the stream", ylabel="accuracy as the phase shows\nthe test part (%)",
           title=model)
    ax.grid(alpha=0.3, axis="y")
    return ax


def lowest(rows: Sequence[Summary]) -> float:
    """The lowest end of any interval that is drawn, in %, at least 0: one scale for all models."""
    ends = [100 * (point["accuracy_mean"] - (point["accuracy_ci95"] or 0))
            for row in rows for point in row["curve"]]
    return max(0.0, min(ends))


def phases_of(row: Summary) -> list[str]:
    """Names of the phases of a curve, in order."""
    return list(dict.fromkeys(point["phase"] for point in row["curve"]))


def name_phases(row: Summary, ax: Any) -> None:
    """A thin line where a phase begins, and its name at the bottom."""
    for phase in phases_of(row):
        steps = [point["step"] for point in row["curve"] if point["phase"] == phase]
        if steps[0]:
            ax.axvline(steps[0], color="#999999", linewidth=0.6)
        ax.annotate(phase.replace(" and ", "\nand "), ((steps[0] + steps[-1]) / 2, 0.02),
                    xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=7)


def by_mode(rows: Sequence[Summary], value: str, label: str, ax: Any = None) -> Any:
    """One number of every mode that moves something, a marker per model, with its interval.

    Args:
        rows: summary rows of plasticity of one data set.
        value: ``NAME_mean`` and ``NAME_ci95`` are drawn, times 100.
        label: of the axis.
        ax: axes to draw into; None makes a figure.

    """
    ax = new_axes(ax)
    modes = [mode for mode in MODE_WORDS
             if mode != "neither" and any(row["mode"] == mode for row in rows)]
    models = list(dict.fromkeys(row["model"] for row in rows))
    for place, model in enumerate(models):
        mine = [row for row in rows if row["model"] == model and row["mode"] in modes
                and row[f"{value}_mean"] is not None]
        height = [modes.index(row["mode"]) + 0.16 * (place - (len(models) - 1) / 2)
                  for row in mine]
        style = look(model)
        ax.errorbar([100 * row[f"{value}_mean"] for row in mine], height,
                    xerr=[100 * (row[f"{value}_ci95"] or 0) for row in mine], linestyle="",
                    color=style["color"], marker=style["marker"], markersize=5, elinewidth=0.8,
                    capsize=2, label=model)
    ax.axvline(0, color="#222222", linewidth=0.8)
    ax.set_yticks(range(len(modes)), modes)
    ax.set(xlabel=label, ylabel="what may move")
    ax.invert_yaxis()
    ax.grid(alpha=0.3, axis="x")
    return ax


def drift_figure(rows: Sequence[Summary]) -> Any:
    """A panel of recovery curves per model, on one scale, then what was won and what it cost."""
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(row["model"] for row in rows))
    columns = min(len(models) + 2, 3)
    lines = -(-(len(models) + 2) // columns)
    figure = Figure(figsize=(4.4 * columns, 3.6 * lines + 0.5), layout="constrained")
    panels = list(figure.subplots(lines, columns, squeeze=False).flat)
    curves, (won, lost) = panels[:len(models)], panels[len(models):len(models) + 2]
    for model, ax in zip(models, curves, strict=True):
        recovery_curves(rows, model, ax)
    by_mode(rows, "recovery", "won back of what the drift cost (%)", won)
    by_mode(rows, "clean_lost", "lost on clean test samples (points)", lost)
    won.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0),
               ncols=min(4, len(models)), columnspacing=1.0, handletextpad=0.3)
    for ax in panels[len(models) + 2:]:
        ax.axis("off")
    known: dict[str, Any] = {}
    for ax in curves:
        known |= {name: handle for handle, name in zip(*ax.get_legend_handles_labels(),
                                                       strict=True)}
    figure.legend([known[word] for word in MODE_WORDS.values() if word in known],
                  [word for word in MODE_WORDS.values() if word in known],
                  loc="outside lower center", ncols=len(known), frameon=False,
                  title="what may move (thin line: clean test part, before)")
    return figure
