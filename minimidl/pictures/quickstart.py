"""The picture of the quickstart: how they learned, what they cost, who fires for which digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minimidl.arrays import Array
from minimidl.pictures.activity import activity_map
from minimidl.pictures.cost import accuracy_against_cost
from minimidl.pictures.curves import Rows, curves


def quickstart_figure(
    histories: Mapping[str, Rows], shares: Mapping[str, Array],
    rows: Rows, class_names: Sequence[str],
) -> Any:
    """Curves and costs above, one activity map per gated model below; returns the figure.

    Args:
        histories: rows of epochs by model name.
        shares: ``(n_classes, n_gates)`` by model name, gated models only.
        rows: of the result file.
        class_names: one per class.

    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6 + 2.9 * len(shares)), layout="constrained")
    grid = figure.add_gridspec(1 + len(shares), 2, height_ratios=[1.2, *[1] * len(shares)])
    curves(histories, "val_accuracy", figure.add_subplot(grid[0, 0])).set_title("How they learned")
    accuracy_against_cost(rows, figure.add_subplot(grid[0, 1])).set_title("What they cost")
    for position, (model, share) in enumerate(shares.items(), start=1):
        activity_map(share, class_names, figure.add_subplot(grid[position, :]),
                     f"{model}: which neurons fire for which digit")
    return figure
