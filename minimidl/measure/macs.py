"""One accountant for every model: multiply-accumulates (MACs), per sample, gate included.

A dense layer costs ``n_in * n_out``; biases, activations and norms are ignored, as is usual. For a
gated layer with the open set ``S`` of a sample,

    layer = |inputs that are not known to be 0| * |S|
    gate  = the gate network, plus |S| products where the gate value is a probability
    light = the light path
    next  = |S| * n_out of the layer after it: closed columns need not be read, unless a light
            path fills them.

Gated layers in a row therefore cost, each, open inputs times open neurons, and their gates read the
open inputs only. That is what the executor's path ``"neuron"`` reads; the path ``"block"`` skips as
much between blocks of whole registers, and elsewhere multiplies closed columns as zeros, which may
take less time and is not counted as work that was needed.

Counting is per sample and then averaged: the mean of a product of two set sizes is not the product
of the mean sizes. The denominator is the dense twin: the same widths, no gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.gates.nets import AffineNet, LowRankNet, MlpNet
from minimidl.layers import (
    Dropout,
    Gated,
    GatedLinear,
    GatedStack,
    InputGate,
    Layer,
    Linear,
    leaves,
    memory_at,
)
from minimidl.layers.activations import Elementwise


@dataclass(frozen=True)
class LayerMacs:
    """MACs of one layer; arrays are ``(batch,)``, or ``(1,)`` where every sample costs the same.

    Attributes:
        path: where the layer stands in the model.
        dense: what its dense twin costs per sample.
        layer: the full path, open neurons only.
        gate: gate network and gate value.
        light: the light path.
        compares: comparisons that choose who is open (no MACs; reported beside them).

    """

    path: str
    dense: int
    layer: Array
    gate: Array
    light: Array
    compares: int


@dataclass(frozen=True)
class MacCount:
    """MACs of a whole model on a batch, by layer and per sample."""

    layers: list[LayerMacs]
    units: int
    open_units: Array

    @property
    def dense(self) -> int:
        """MACs per sample of the dense twin."""
        return sum(layer.dense for layer in self.layers)

    @property
    def without_gate(self) -> Array:
        """``(batch,)`` MACs of full and light paths."""
        return sum((layer.layer + layer.light for layer in self.layers), start=np.zeros(1))

    @property
    def with_gate(self) -> Array:
        """``(batch,)`` MACs of everything that is executed."""
        return sum((layer.gate for layer in self.layers), start=self.without_gate)

    @property
    def active_ratio(self) -> float:
        """Share of gated neurons that are open; 1 for a model without gates."""
        return float(np.mean(self.open_units)) / self.units if self.units else 1.0

    def summary(self) -> dict[str, float]:
        """The four numbers that belong together, as result files name them."""
        return {
            "active_ratio": self.active_ratio,
            "mac_ratio": float(self.without_gate.mean()) / self.dense,
            "mac_ratio_with_gate": float(self.with_gate.mean()) / self.dense,
            "macs": float(self.with_gate.mean()),
        }


def count_macs(model: Layer, memory: Memory) -> MacCount:
    """Count one forward pass in evaluation mode from the decisions in its memory.

    Args:
        model: any model of this package that has a linear or gated layer.
        memory: what ``model.forward(x)`` returned beside the output.

    """
    counts: list[LayerMacs] = []
    known: Array | None = None  # per sample: inputs that may differ from 0; None: all of them
    units, open_units = 0, np.zeros(1)
    for path, layer in leaves(model):
        if isinstance(layer, Gated):
            active = layer.to_units(memory_at(memory, path)["decision"].active)
            count, known = gated_macs(path, layer, active, known)
            counts.append(count)
            units, open_units = units + layer.n_units, open_units + active.sum(axis=1)
        elif isinstance(layer, Linear):
            width = np.full(1, layer.n_in) if known is None else known
            none = np.zeros(1)
            counts.append(LayerMacs(path, layer.n_in * layer.n_out, width * layer.n_out,
                                    none, none, 0))
            known = None
        elif not keeps_zeros(layer):
            known = None
    require(len(counts) > 0, "model", type(model).__name__, "a model with a linear or gated layer")
    return MacCount(counts, units, open_units)


def gated_macs(
    path: str, layer: Gated, active: Array, known: Array | None
) -> tuple[LayerMacs, Array | None]:
    """Count one gated layer.

    Args:
        path: where it stands.
        layer: of any gated kind.
        active: ``(batch, n_units)`` boolean, what was executed.
        known: see :func:`count_macs`, before the layer.

    Returns:
        The count, and ``known`` after the layer.

    """
    width = np.full(1, layer.n_in) if known is None else known
    open_units = active.sum(axis=1).astype(np.float64)
    products = open_units if layer.gate_value == "probability" else np.zeros(1)
    gate = net_macs(layer.gate, width) + products
    light, dense, full, after = np.zeros(1), 0, np.zeros(1), open_units
    if isinstance(layer, GatedLinear):
        dense, full = layer.n_in * layer.n_out, width * open_units
        if layer.light is not None:
            light, after = net_macs(layer.light, width), None
    elif isinstance(layer, GatedStack):
        dense, full, after = stack_macs(layer, active, width)
    elif isinstance(layer, InputGate):
        after = np.minimum(width, open_units)  # an open feature may still be known to be 0
    return LayerMacs(path, dense, full, gate, light, compares(layer)), after


def stack_macs(layer: GatedStack, active: Array, width: Array) -> tuple[int, Array, Array]:
    """MACs of the layers of a stack: dense, executed, and the open neurons of the last."""
    sizes = [part.sum(axis=1).astype(np.float64) for part in layer.split(active)]
    executed: Array = sum(
        (a * b for a, b in zip([width, *sizes], sizes, strict=False)), start=np.zeros(1))
    dense = sum(a * b for a, b in zip((layer.n_in, *layer.widths), layer.widths, strict=False))
    return dense, executed, sizes[-1]


def net_macs(net: object, width: Array) -> Array:
    """MACs of a gate network or light path that reads ``width`` inputs, per sample."""
    if isinstance(net, LowRankNet | MlpNet):
        return width * net.rank + net.rank * net.n_out
    # Neither a static gate nor the identity path multiplies anything.
    return width * (net.n_out if isinstance(net, AffineNet) else 0)


def compares(layer: Gated) -> int:
    """Comparisons per sample that choose who is open: one per gate, n log2 n for a Top-k of n."""
    choosers = getattr(layer.chooser, "choosers", [layer.chooser])
    cuts = [0, *getattr(layer.chooser, "cuts", ()), layer.n_gates]  # of several budgets
    return sum(
        int(n) * (max(1, int(n - 1).bit_length()) if hasattr(chooser, "k") else 1)
        for chooser, n in zip(choosers, np.diff(cuts), strict=True))


def keeps_zeros(layer: Layer) -> bool:
    """Whether an entry that is 0 before the layer is 0 after it."""
    if isinstance(layer, Elementwise):
        return bool(layer.function.value(np.zeros(1))[0] == 0)
    return isinstance(layer, Dropout)
