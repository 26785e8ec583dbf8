"""Which neurons fire for whom."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.gates import Decision
from minimidl.layers import Layer, WeightGate, gated_layers, memory_at
from minimidl.losses.cross_entropy import check_labels


def activity_by_class(model: Layer, x: Array, labels: Array, n_classes: int) -> dict[str, Array]:
    """Share of samples of each class that open each gate, ``(n_classes, n_gates)`` by layer path.

    Rows of classes without samples are NaN: unknown, not closed. Layers that decide once for the
    whole batch are left out.
    """
    _, memory = model.forward(x)
    return {path: shares_by_class(decision.active, labels, n_classes)
            for path, decision in decisions_by_sample(model, memory, len(x)).items()}


def decisions_by_sample(model: Layer, memory: Memory, n: int) -> dict[str, Decision]:
    """Decisions of the gated layers by path, of those that decide for each of the ``n`` samples.

    A gate of a connection decides once for everyone (its arrays have one row): it has nothing to
    say about samples, not even where there is one sample only.
    """
    decisions = {path: memory_at(memory, path)["decision"]
                 for path, layer in gated_layers(model).items()
                 if not isinstance(layer, WeightGate)}
    return {path: decision for path, decision in decisions.items() if len(decision.active) == n}


def shares_by_class(active: Array, labels: Array, n_classes: int) -> Array:
    """As :func:`activity_by_class`, from one layer's ``(n, n_gates)`` booleans.

    Raises:
        InputError: labels that are not ``(n,)`` whole numbers in ``[0, n_classes)``.

    """
    check_labels(labels, len(active), n_classes)
    shares = np.full((n_classes, active.shape[1]), np.nan)
    for label in np.unique(labels):
        shares[label] = active[labels == label].mean(axis=0)
    return shares
