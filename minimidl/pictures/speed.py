"""Speed-up over the fastest dense network: against density, and against batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.style import new_axes

Rows = Sequence[Mapping[str, Any]]

LOOKS: dict[int, dict[str, Any]] = {
    1: {"color": "#222222", "marker": "s"}, 16: {"color": "#d1611f", "marker": "^"},
    64: {"color": "#1b6ca8", "marker": "o"}, 256: {"color": "#3a7d44", "marker": "v"},
    1024: {"color": "#8a4f9e", "marker": "D"},
}
"""Colour and marker by batch size: both differ, so grey print is enough."""

OTHER = {"color": "#777777", "marker": "x"}


def density_figure(rows: Rows, crossings: Rows = ()) -> Any:
    """One panel per shape and kind of mask (per neuron, blocks); see :func:`speed_against_density`.

    Args:
        rows: of ``bench --suite layers``.
        crossings: where lines cross 1, with the rows' keys and ``density``.

    Returns:
        The figure.

    """
    from matplotlib.figure import Figure

    rows = [row for row in rows if row.get("density") is not None]
    shapes = list(dict.fromkeys(shape_of(row) for row in rows))
    figure = Figure(figsize=(10.5, 4.3 * len(shapes)), layout="constrained")
    panels = figure.subplots(len(shapes), 2, squeeze=False, sharey="row", sharex=True)
    for shape, pair in zip(shapes, panels, strict=True):
        for ax, blocks in zip(pair, (False, True), strict=True):
            mine, crossed = ([row for row in some if shape_of(row) == shape
                              and (row["granularity"] != "neuron") == blocks]
                             for some in (rows, crossings))
            if not mine:
                ax.set_visible(False)
                continue
            speed_against_density(mine, crossed, ax)
            ax.set_title(f"{shape}, {'blocks of neurons' if blocks else 'per-neuron masks'}")
    return figure


def shape_of(row: Mapping[str, Any]) -> str:
    """``784-1024-10``."""
    return f"{row['n_in']}-{row['n_units']}-{row['n_out']}"


def speed_against_density(rows: Rows, crossings: Rows = (), ax: Any = None) -> Any:
    """One line per case and batch size: how often the fastest dense network fits in.

    Args:
        rows: with ``case batch granularity density ratio ideal spread_low spread_high``.
        crossings: points ``density`` to mark on the line of ratio 1.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax, (6.5, 4.5))
    ideal = sorted({row["density"]: row["ideal"] for row in rows}.items())
    if ideal:
        ax.plot(*zip(*ideal, strict=True), color="#999999", linewidth=5, alpha=0.45, zorder=1,
                label="ideal: MACs, gate included")
    ax.axhline(1, color="#222222", linewidth=1, linestyle=":", zorder=1)
    for case, batch in dict.fromkeys((row["case"], row["batch"]) for row in rows):
        line = sorted((row for row in rows if (row["case"], row["batch"]) == (case, batch)),
                      key=lambda row: row["density"])
        draw(ax, line, "density", label=f"{case}, batch {batch:,}", **look(case, batch))
    for i, point in enumerate(crossings):
        color = look(point["case"], point["batch"])["color"]
        ax.plot(point["density"], 1, zorder=4, marker="|", markersize=14, markeredgewidth=3,
                color=color, linestyle="none", label="_" if i else "crossover: as fast as dense")
    ax.set(yscale="log", xlabel="density: share of open gates",
           ylabel="speed-up over the fastest dense network")
    finish(ax)
    return ax


def speed_against_batch(rows: Rows, ax: Any = None) -> Any:
    """A trained model end to end, at every batch size, with the quartiles as a band.

    Args:
        rows: of ``bench --suite models``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax, (7.0, 4.2))
    rows = sorted(rows, key=lambda row: row["batch"])
    batches = [row["batch"] for row in rows]
    ax.plot(batches, [row["ideal"] for row in rows], color="#999999", linewidth=5, alpha=0.45,
            label="ideal: MACs, gate included")
    ax.axhline(1, color="#222222", linewidth=1, linestyle=":")
    ax.fill_between(batches, [row["spread_low"] for row in rows],
                    [row["spread_high"] for row in rows], color="#1b6ca8", alpha=0.2, linewidth=0)
    ax.plot(batches, [row["ratio"] for row in rows], color="#1b6ca8", marker="o",
            label=f"{shape_of(rows[0])}, {rows[0]['case']}")
    wanted = [row for row in rows if row.get("target")]
    ax.plot([row["batch"] for row in wanted], [row["target"] for row in wanted], color="#d1611f",
            marker="_", markersize=16, markeredgewidth=3, linestyle="none", label="target")
    ax.set_xscale("log", base=2)
    ax.set(xlabel="batch size", ylabel="speed-up over the fastest dense network")
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter("{x:g}")
    finish(ax)
    return ax


def draw(ax: Any, line: Rows, across: str, **style: Any) -> None:
    """One line of ratios with its spread as error bars."""
    ratio = [row["ratio"] for row in line]
    spread = [[max(0.0, row["ratio"] - row["spread_low"]) for row in line],
              [max(0.0, row["spread_high"] - row["ratio"]) for row in line]]
    ax.errorbar([row[across] for row in line], ratio, spread, capsize=2, elinewidth=1, **style)


def look(case: str, batch: int) -> dict[str, Any]:
    """By batch size; a trained gate is dashed and hollow."""
    style = dict(LOOKS.get(batch, OTHER))
    return style | ({"linestyle": "--", "markerfacecolor": "none"} if "trained" in case else {})


def finish(ax: Any) -> None:
    """Grid, plain numbers on the vertical axis, legend."""
    from matplotlib.ticker import NullFormatter

    ax.yaxis.set_major_formatter("{x:g}")
    if ax.get_yscale() == "log":
        ax.set_yticks([0.25, 0.5, 1, 2, 4, 8])
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize="x-small")
