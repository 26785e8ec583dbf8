"""The roofline: how many operations per second the bytes allow, and how near the kernels come.

Williams, Waterman and Patterson, "Roofline", 2009: the rate of a kernel that makes I operations per
byte is at most min(peak, I * bandwidth). Both ceilings are measured on the same core as the points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.speed import LOOKS, OTHER
from minimidl.pictures.style import new_axes

STYLES = ("-", (0, (6, 2)), "-.", ":")
"""Of the bandwidth lines, from the smallest array to the largest."""


def roofline(rows: Sequence[Mapping[str, Any]], ax: Any = None) -> Any:
    """Points for the cases, lines for the ceilings, both axes logarithmic.

    Args:
        rows: of ``bench --suite layers``: cases with ``flops_per_byte gflops_executed batch
            granularity``, and the ceilings with ``gflops`` or ``gigabytes_per_second array_bytes``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes. Without ceilings (no compiled kernels) the points stand alone.

    """
    ax = new_axes(ax, (8.0, 5.2))
    points = [row for row in rows if "gflops_executed" in row]
    across = [row["flops_per_byte"] for row in points]
    ends = (min(across) / 4, max(across) * 2)
    peak = next((row["gflops"] for row in rows if "gflops" in row), None)
    if peak is not None:
        ceilings(ax, rows, peak, ends)
    for batch, block in dict.fromkeys((row["batch"], row["granularity"]) for row in points):
        mine = [row for row in points if (row["batch"], row["granularity"]) == (batch, block)]
        style = LOOKS.get(batch, OTHER)
        fill = style["color"] if block == "neuron" else "none"
        ax.plot([row["flops_per_byte"] for row in mine], [row["gflops_executed"] for row in mine],
                linestyle="none", **style, markerfacecolor=fill,
                label=f"batch {batch:,}, {block}")
    ax.set(xscale="log", yscale="log", xlim=ends,
           xlabel="operations per byte that must be read at least (FLOP/byte)",
           ylabel="GFLOP/s executed, one thread")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def ceilings(
    ax: Any, rows: Sequence[Mapping[str, Any]], peak: float, ends: tuple[float, float]
) -> None:
    """The flat roof, and one slope per array size up to it."""
    ax.axhline(peak, color="#222222", linewidth=2)
    ax.annotate(f"multiply-add from registers: {peak:.0f} GFLOP/s", (ends[1], peak),
                xytext=(-4, 4), textcoords="offset points", ha="right", fontsize="small")
    reads = sorted((row for row in rows if "gigabytes_per_second" in row),
                   key=lambda row: row["array_bytes"])
    for style, row in zip(STYLES, reads, strict=False):
        rate = row["gigabytes_per_second"]
        corner = peak / rate
        ax.plot([ends[0], corner], [ends[0] * rate, peak], color="#777777", linestyle=style,
                label=f"read {size_in_words(row['array_bytes'])}: {rate:.0f} GB/s")


def size_in_words(size: int) -> str:
    """``262144 -> "256 KiB"``."""
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
