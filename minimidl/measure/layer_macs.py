"""What one layer costs per sample, and which of its outputs may differ from 0.

The unit of account is the live connection between an open input and an open neuron: one
multiply-accumulate. *Open* is a boolean ``(batch, n)`` (``known``: numbers that are not known to be
0; None: all of them), *live* a boolean ``(n_in, n_units)`` (``wires``; None: all of them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.gates.nets import AffineNet, LowRankNet, MlpNet
from minimidl.layers import (
    Dropout,
    Gated,
    GatedLinear,
    GatedStack,
    InputGate,
    Layer,
    Linear,
    Masked,
    MaskedLinear,
    RandomGate,
    WeightGate,
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
        layer: the full path, open neurons and live connections only.
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


def walk(model: Layer, memory: Memory) -> Iterator[tuple[str, Layer, Memory, Array | None]]:
    """Layer by layer: path, layer, its memory, and what is known to be 0 before it."""
    known: Array | None = None
    for path, layer in leaves(model):
        own = memory_at(memory, path)
        yield path, layer, own, known
        known = known_after(layer, own, known)


def known_after(layer: Layer, own: Memory, known: Array | None) -> Array | None:
    """Outputs that may differ from 0, ``(batch, n_out)`` boolean; None: all of them."""
    if isinstance(layer, GatedLinear):
        return open_units(layer, own) if layer.light is None else None
    if isinstance(layer, GatedStack):
        return layer.split(open_units(layer, own))[-1]
    if isinstance(layer, InputGate):  # an open feature may still be known to be 0
        is_open = open_units(layer, own)
        return is_open if known is None else is_open & known
    return known if keeps_zeros(layer) else None


def keeps_zeros(layer: Layer) -> bool:
    """Whether an entry that is 0 before the layer is 0 after it."""
    if isinstance(layer, Elementwise):
        return bool(layer.function.value(np.zeros(1))[0] == 0)
    return isinstance(layer, Dropout)


def open_units(layer: Gated, own: Memory) -> Array:
    """What was executed, ``(batch, n_units)`` boolean; of a weight gate ``(1, connections)``."""
    return layer.to_units(own["decision"].active)


def wires(layer: Layer, own: Memory) -> Array | None:
    """Live connections ``(n_in, n_out)`` in this forward pass; None: all of them."""
    if isinstance(layer, WeightGate):
        return layer.as_matrix(own["decision"].active)
    return layer.mask if isinstance(layer, Masked) else None


def layer_macs(path: str, layer: Layer, own: Memory, known: Array | None) -> LayerMacs | None:
    """Count one layer; None for a layer that multiplies nothing.

    A static wiring is decided once, so a weight gate costs nothing beside its live connections: nor
    do its probabilities, which are multiplied into the weights once and for all samples.
    """
    none, light, dense = np.zeros(1), np.zeros(1), layer.n_in * layer.n_out
    if isinstance(layer, Linear | MaskedLinear | WeightGate):
        full = connections(known, wires(layer, own), np.ones((1, layer.n_out), bool), layer.n_in)
        return LayerMacs(path, dense, full, none, none, 0)
    if not isinstance(layer, Gated):
        return None
    active, width = open_units(layer, own), width_of(known, layer.n_in)
    full = none
    if isinstance(layer, GatedLinear):
        full = connections(known, wires(layer, own), active, layer.n_in)
        light = none if layer.light is None else net_macs(layer.light, width)
    elif isinstance(layer, GatedStack):
        dense, full = stack_macs(layer, active, width)
    else:
        dense = 0  # gated inputs: what is saved is saved by the next layer
    gate = net_macs(layer.gate, width)
    if layer.gate_value == "probability":
        gate = gate + active.sum(axis=1)
    return LayerMacs(path, dense, full, gate, light, compares(layer))


def width_of(known: Array | None, n_in: int) -> Array:
    """How many inputs are open: ``(batch,)``, or ``(1,)``."""
    return np.full(1, float(n_in)) if known is None else known.sum(axis=1).astype(np.float64)


def connections(known: Array | None, live: Array | None, active: Array, n_in: int) -> Array:
    """Live connections from open inputs to open neurons, ``(batch,)`` or ``(1,)``."""
    if live is None:
        return width_of(known, n_in) * active.sum(axis=1)
    # Counts below 2^24 are exact in float32, and its products are many times faster than booleans'.
    return np.asarray((into(known, live) * active).sum(axis=1, dtype=np.float64))


def into(known: Array | None, live: Array) -> Array:
    """Live connections from open inputs into each neuron: ``(batch, n_units)``, or one row."""
    if known is None:
        return live.sum(axis=0, dtype=np.float32)[None]
    return np.asarray(known.astype(np.float32) @ live.astype(np.float32))


def stack_macs(layer: GatedStack, active: Array, width: Array) -> tuple[int, Array]:
    """MACs of the layers of a stack: dense, and executed."""
    sizes = [part.sum(axis=1).astype(np.float64) for part in layer.split(active)]
    executed: Array = sum(
        (a * b for a, b in zip([width, *sizes], sizes, strict=False)), start=np.zeros(1))
    dense = sum(a * b for a, b in zip((layer.n_in, *layer.widths), layer.widths, strict=False))
    return dense, executed


def net_macs(net: object, width: Array) -> Array:
    """MACs of a gate network or light path that reads ``width`` inputs, per sample."""
    if isinstance(net, LowRankNet | MlpNet):
        return width * net.rank + net.rank * net.n_out
    # Neither a static gate nor the identity path multiplies anything.
    return width * (net.n_out if isinstance(net, AffineNet) else 0)


def compares(layer: Gated) -> int:
    """Comparisons per sample that choose who is open: one per gate, n log2 n for a Top-k of n.

    None for random gates: they are drawn, or (in evaluation, unless it samples) all open.
    """
    if isinstance(layer, RandomGate):
        return 0
    choosers = getattr(layer.chooser, "choosers", [layer.chooser])
    cuts = [0, *getattr(layer.chooser, "cuts", ()), layer.n_gates]  # of several budgets
    return sum(
        int(n) * (max(1, int(n - 1).bit_length()) if hasattr(chooser, "k") else 1)
        for chooser, n in zip(choosers, np.diff(cuts), strict=True))
