"""Thumbnails of gate operators: what they answer, and how they pull on the scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.gates import SIMPLEX
from minimidl.measure.response import SCORES, jacobian, response

LINES = ((0.1, "-", "o"), (0.5, "--", "s"), (2.0, ":", "^"))
SHOWN_TEMPERATURE = 0.5


def response_lines(name: str, ax: Any) -> Any:
    """Answers to eight scores in order, at three temperatures."""
    for temperature, style, marker in LINES:
        ax.plot(response(name, temperature), linestyle=style, marker=marker, markersize=3,
                linewidth=1, color="#222", label=f"T = {temperature:g}",
                markerfacecolor="white" if marker != "o" else "#222")
    ax.set_xticks(range(len(SCORES)), [f"{z:g}" for z in SCORES], fontsize=6)
    ax.set_xlabel("score", fontsize=7)
    ax.set_title("answer", fontsize=8)
    ax.tick_params(axis="y", labelsize=6)
    ax.legend(fontsize=6, frameon=False)
    return ax


def jacobian_map(name: str, ax: Any) -> Any:
    """Size of ``dp_i / dz_j`` at one temperature, in grey; a minus where it is negative."""
    temperature = 2.0 if name in SIMPLEX else SHOWN_TEMPERATURE  # else one entry would take all
    values = jacobian(name, temperature)
    limit = float(np.abs(values).max()) or 1.0
    image = ax.imshow(np.abs(values), cmap="Greys", vmin=0, vmax=limit)
    for i, j in np.argwhere(values < -0.03 * limit):
        dark = abs(values[i, j]) > 0.5 * limit
        ax.text(j, i, "\N{MINUS SIGN}", ha="center", va="center", fontsize=7,
                color="white" if dark else "black")
    ax.set_title(f"Jacobian, T = {temperature:g}", fontsize=8)
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel("score j", fontsize=7)
    ax.set_ylabel("answer i", fontsize=7)
    ax.figure.colorbar(image, ax=ax, shrink=0.8).ax.tick_params(labelsize=6)
    return ax


def operator_thumbnail(name: str) -> Any:
    """Both panels for one operator over rows of scores; returns the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 2.1), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
    response_lines(name, left)
    jacobian_map(name, right)
    return figure


def gate_thumbnail(scores: Array, answer: Array, slope: Array) -> Any:
    """One gate on its own: its answer and the slope it hands back, against its score."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 2.1), layout="constrained")
    for ax, values, title in zip(figure.subplots(1, 2), (answer, slope),
                                 ("answer", "slope handed back"), strict=True):
        ax.plot(scores, values, color="#222", linestyle="none", marker=".", markersize=3)
        ax.set_title(title, fontsize=8)
        ax.set_xlabel("score", fontsize=7)
        ax.tick_params(labelsize=6)
    return figure
