"""Which connections of a model are live: masked layers by path, and the wires of any layer."""

from __future__ import annotations

from minimidl.arrays import Array
from minimidl.layers.base import Layer
from minimidl.layers.masked import Masked
from minimidl.layers.sequential import leaves
from minimidl.layers.weight_gate import WeightGate


def masked_layers(model: Layer) -> dict[str, Masked]:
    """All masked layers of a model by path, in order."""
    return {path: layer for path, layer in leaves(model) if isinstance(layer, Masked)}


def wires_of(layer: Layer) -> Array | None:
    """Live connections of one layer in evaluation.

    Returns:
        ``(n_in, n_out)`` boolean, a copy; None for a layer whose connections are all there.

    """
    if isinstance(layer, WeightGate):
        return layer.wires
    return layer.mask.copy() if isinstance(layer, Masked) else None
