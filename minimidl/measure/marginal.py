"""What opening one gate more would cost, in multiply-accumulates (MACs), sample by sample.

The count of :mod:`minimidl.measure.macs` is linear in each gate while all others stay as they are:
the connections from open inputs into its neurons, the products of its value, and what the next
layers pay for reading one more open number. So every gate has an exact price. Prices are found from
the last layer to the first, as every layer must know what its outputs cost those that read them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.layers import (
    Gated,
    GatedLinear,
    GatedStack,
    InputGate,
    Layer,
    Linear,
    MaskedLinear,
    WeightGate,
    gated_layers,
)
from minimidl.measure.layer_macs import (
    into,
    keeps_zeros,
    net_macs,
    open_units,
    walk,
    width_of,
    wires,
)
from minimidl.measure.macs import count_macs


def gate_prices(model: Layer, memory: Memory) -> dict[str, Array]:
    """MACs that one more open gate adds, given what all other gates did.

    Args:
        model: any model with gated layers.
        memory: of its forward pass.

    Returns:
        In the shape of the layer's probabilities, ``(batch, n_gates)``, by layer path; for a model
        that is one gated layer the path is ``""``. A weight gate holds for all samples: its price
        is the mean over them, ``(1, n_gates)``.

    """
    prices: dict[str, Array] = {}
    reading = np.zeros((1, 1))  # MACs per sample of one more open output of the layer
    for path, layer, own, known in reversed(list(walk(model, memory))):
        if isinstance(layer, Gated):
            shape = own["decision"].active.shape
            per_unit = unit_prices(layer, own, known, reading)
            per_unit = np.broadcast_to(per_unit, (shape[0], layer.n_units))
            prices[path] = layer.to_gates(per_unit).astype(np.float64)
        reading = price_of_input(layer, own, reading)
    require(len(prices) > 0, "model", type(model).__name__, "a model with a gated layer")
    return dict(reversed(prices.items()))


def unit_prices(layer: Gated, own: Memory, known: Array | None, reading: Array) -> Array:
    """What one more open unit costs, broadcastable to ``(batch, n_units)``."""
    product = float(layer.gate_value == "probability")
    width = width_of(known, layer.n_in)[:, None]
    if isinstance(layer, GatedStack):
        return stack_prices(layer, own, width, reading) + product
    if isinstance(layer, WeightGate):  # its values are in the weights: no products
        share = np.ones(layer.n_in) if known is None else known.mean(axis=0)
        return np.repeat(share, layer.n_out)[None]  # (1, n_in * n_out)
    if isinstance(layer, GatedLinear):
        live = wires(layer, own)
        arriving = width if live is None else into(known, live)
        return arriving + product + (reading if layer.light is None else 0.0)
    return product + (reading if known is None else known * reading)


def stack_prices(layer: GatedStack, own: Memory, width: Array, reading: Array) -> Array:
    """Of every neuron of a stack: the open ones before it, and after it."""
    parts = layer.split(open_units(layer, own))
    sizes = [part.sum(axis=1, keepdims=True).astype(np.float64) for part in parts]
    prices = [np.broadcast_to(before + after, part.shape) for before, after, part in zip(
        [width, *sizes[:-1]], [*sizes[1:], reading], parts, strict=True)]
    return np.concatenate(prices, axis=1)


def price_of_input(layer: Layer, own: Memory, reading: Array) -> Array:
    """What one more open input costs this layer and those after it, to ``(batch, n_in)``."""
    live = wires(layer, own)
    if isinstance(layer, Linear | MaskedLinear | WeightGate):
        return np.full((1, 1), layer.n_out) if live is None else live.sum(axis=1)[None]
    if not isinstance(layer, Gated):
        return reading if keeps_zeros(layer) else np.zeros((1, 1))
    active, gate = open_units(layer, own), per_input(layer.gate)
    if isinstance(layer, GatedLinear):
        leaving = (active.sum(axis=1, keepdims=True) if live is None
                   else into(active, live.T))
        return leaving + gate + (0.0 if layer.light is None else per_input(layer.light))
    if isinstance(layer, GatedStack):
        return layer.split(active)[0].sum(axis=1, keepdims=True) + gate
    return active * reading + gate if isinstance(layer, InputGate) else np.full((1, 1), gate)


def per_input(net: object) -> float:
    """MACs that one more open input costs a gate network or light path."""
    return float((net_macs(net, np.ones(1)) - net_macs(net, np.zeros(1)))[0])


def mac_range(model: Layer, memory: Memory) -> tuple[float, float]:
    """MACs per sample, gate included, with every gate shut and with every gate open."""
    shut, wide = memory, memory
    for path in gated_layers(model):
        shut, wide = with_gates(shut, path, False), with_gates(wide, path, True)
    return (float(count_macs(model, shut).with_gate.mean()),
            float(count_macs(model, wide).with_gate.mean()))


def with_gates(memory: Memory, path: str, is_open: bool) -> Memory:
    """A copy of ``memory`` in which all of one layer's gates are open, or shut.

    Nothing is changed in the original. Only the record of who is active is replaced: enough to
    count, not to run backward.
    """
    if path:
        head, _, rest = path.partition(".")
        return memory | {head: with_gates(memory[head], rest, is_open)}
    active = np.full_like(memory["decision"].active, is_open)
    return memory | {"decision": replace(memory["decision"], active=active)}
