"""Which neurons fire for whom."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.layers import Layer, gated_layers, memory_at


def activity_by_class(model: Layer, x: Array, labels: Array, n_classes: int) -> dict[str, Array]:
    """Share of samples of each class that open each gate, ``(n_classes, n_gates)`` by layer path.

    Rows of classes without samples are NaN: unknown, not closed.
    """
    _, memory = model.forward(x)
    shares = {}
    for path, layer in gated_layers(model).items():
        active = memory_at(memory, path)["decision"].active
        share = np.full((n_classes, layer.n_gates), np.nan)
        for label in np.unique(labels):
            share[label] = active[labels == label].mean(axis=0)
        shares[path] = share
    return shares
