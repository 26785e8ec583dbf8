"""Which neurons fire for which class: a map of classes against gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.pictures.style import new_axes


def by_favourite(share: Array) -> Array:
    """Order of the gates: grouped by the class that opens them most, the steadiest first."""
    filled = np.nan_to_num(share)
    return np.lexsort((-filled.max(axis=0), filled.argmax(axis=0)))


def activity_map(
    share: Array, class_names: Sequence[str], ax: Any = None, title: str = ""
) -> Any:
    """Dark where a class opens a gate always, white where never.

    Args:
        share: ``(n_classes, n_gates)`` in [0, 1]; see
            :func:`minimidl.measure.activity_by_class`.
        class_names: one per row.
        ax: axes to draw into; None makes a figure.
        title: above the map.

    Returns:
        The axes.

    """
    ax = new_axes(ax, (8.0, 3.0))
    image = ax.imshow(share[:, by_favourite(share)], aspect="auto", cmap="Greys", vmin=0, vmax=1,
                      interpolation="nearest")
    ax.set_yticks(range(len(class_names)), class_names)
    ax.set(xlabel="hidden neuron (sorted by favourite class)", ylabel="class", title=title)
    ax.figure.colorbar(image, ax=ax, label="share of samples\nthat open it", shrink=0.9)
    return ax
