"""Training curves: loss and accuracy by epoch, and how many neurons were open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.pictures.style import line, new_axes

TITLES = {"loss": "training loss", "val_loss": "validation loss",
          "val_accuracy": "validation accuracy", "active_ratio": "share of open neurons"}


Rows = Sequence[Mapping[str, Any]]
"""One row per epoch, as :attr:`minimidl.learning.History.rows` holds them."""


def curves(histories: Mapping[str, Rows], column: str = "val_accuracy", ax: Any = None) -> Any:
    """One curve per model of one column of their histories.

    Args:
        histories: rows of epochs by model name.
        column: ``loss``, ``val_loss``, ``val_accuracy`` or ``active_ratio``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax)
    for model, rows in histories.items():
        ax.plot([row["epoch"] for row in rows], [row[column] for row in rows], label=model,
                **line(model))
    ax.set(xlabel="epoch", ylabel=TITLES.get(column, column))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def curves_figure(histories: Mapping[str, Rows]) -> Any:
    """Loss, accuracy and open neurons side by side; returns the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    for ax, column in zip(figure.subplots(1, 3), ("loss", "val_accuracy", "active_ratio"),
                          strict=True):
        curves(histories, column, ax)
        if column == "loss":
            ax.set_yscale("log")
    return figure
