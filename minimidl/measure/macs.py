"""One accountant for every model: multiply-accumulates (MACs), per sample, gate included.

A dense layer costs ``n_in * n_out``; biases, activations and norms are ignored, as is usual. For a
gated layer with the open set ``S`` of a sample,

    layer = live connections from inputs that are not known to be 0 to neurons of S
            (without missing connections: open inputs times |S|)
    gate  = the gate network, plus |S| products where the gate value is a probability
    light = the light path
    next  = |S| * n_out of the layer after it: closed columns need not be read, unless a light
            path fills them.

Gated layers in a row therefore cost, each, open inputs times open neurons, and their gates read the
open inputs only. That is what the executor's path ``"neuron"`` reads; the path ``"block"`` skips as
much between blocks of whole registers, and elsewhere multiplies closed columns as zeros, which may
take less time and is not counted as work that was needed.

A masked layer costs its live connections. A weight gate is decided once for all samples: it costs
what it left open, and deciding costs nothing. Which of the counted connections a kernel really
skips, is for the clock to say.

Counting is per sample and then averaged: the mean of a product of two set sizes is not the product
of the mean sizes. The denominator is the dense twin: the same widths, no gate, no mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.layers import Gated, Layer
from minimidl.measure.layer_macs import LayerMacs, layer_macs, open_units, walk


@dataclass(frozen=True)
class MacCount:
    """MACs of a whole model on a batch, by layer and per sample.

    Attributes:
        layers: the count of every layer that multiplies, in order.
        units: how many things are gated: neurons, features; of weight gates connections.
        open_units: ``(batch,)`` or ``(1,)``, how many of them were open.

    """

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
        """Share of gated things that are open; 1 for a model without gates."""
        return float(np.mean(self.open_units)) / self.units if self.units else 1.0

    def summary(self, dense: int | None = None) -> dict[str, float]:
        """The four numbers that belong together, as result files name them.

        Args:
            dense: MACs of the dense twin, where that is not of the same widths.

        """
        dense = dense or self.dense
        return {
            "active_ratio": self.active_ratio,
            "mac_ratio": float(self.without_gate.mean()) / dense,
            "mac_ratio_with_gate": float(self.with_gate.mean()) / dense,
            "macs": float(self.with_gate.mean()),
        }


def count_macs(model: Layer, memory: Memory) -> MacCount:
    """Count one forward pass in evaluation mode from the decisions in its memory.

    Args:
        model: any model of this package that has a linear or gated layer.
        memory: what ``model.forward(x)`` returned beside the output.

    Raises:
        InputError: a model that multiplies nothing.

    """
    counts: list[LayerMacs] = []
    units, opened = 0, np.zeros(1)
    for path, layer, own, known in walk(model, memory):
        count = layer_macs(path, layer, own, known)
        counts += [] if count is None else [count]
        if isinstance(layer, Gated):
            units, opened = units + layer.n_units, opened + open_units(layer, own).sum(axis=1)
    require(len(counts) > 0, "model", type(model).__name__, "a model with a linear or gated layer")
    return MacCount(counts, units, opened)
