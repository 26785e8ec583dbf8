"""Which neurons fire for which class: a map of classes against gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.pictures.style import new_axes

ALWAYS, NEVER = 0.9, 0.01
"""A gate that every class opens more often than the first, or none more often than the second."""


def by_favourite(share: Array) -> Array:
    """Order of the gates, for the eye: always open, then by favourite class, never open last.

    The favourite is the class that stands out most from the mean of the classes.
    """
    filled = np.nan_to_num(share)
    standing_out = filled - filled.mean(axis=0)
    group = 1 + standing_out.argmax(axis=0)
    group[filled.min(axis=0) > ALWAYS] = 0
    group[filled.max(axis=0) < NEVER] = 1 + len(share)
    return np.lexsort((-standing_out.max(axis=0), group))


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
    ax.set(xlabel="hidden neuron (always open, then by favourite class, never open)",
           ylabel="class", title=title)
    ax.figure.colorbar(image, ax=ax, label="share of samples\nthat open it", shrink=0.9)
    return ax
