"""Training curves: loss and accuracy by epoch, and how many neurons were open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minimidl.learning.history import History
from minimidl.pictures.style import line, new_axes

TITLES = {"loss": "training loss", "val_loss": "validation loss",
          "val_accuracy": "validation accuracy", "active_ratio": "share of open neurons"}


def curves(histories: Mapping[str, History], column: str = "val_accuracy", ax: Any = None) -> Any:
    """One curve per model of one column of their histories.

    Args:
        histories: by model name, from :func:`minimidl.learning.fit`.
        column: ``loss``, ``val_loss``, ``val_accuracy`` or ``active_ratio``.
        ax: axes to draw into; None makes a figure.

    Returns:
        The axes.

    """
    ax = new_axes(ax)
    for model, history in histories.items():
        ax.plot(history.column("epoch"), history.column(column), label=model, **line(model))
    ax.set(xlabel="epoch", ylabel=TITLES.get(column, column))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def curves_figure(histories: Mapping[str, History]) -> Any:
    """Loss, accuracy and open neurons side by side; returns the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    for ax, column in zip(figure.subplots(1, 3), ("loss", "val_accuracy", "active_ratio"),
                          strict=True):
        curves(histories, column, ax)
        if column == "loss":
            ax.set_yscale("log")
    return figure
