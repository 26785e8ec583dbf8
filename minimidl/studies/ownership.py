"""Who owns a weight: which parameters belong to gates, and which to neurons that are rarely open.

A gated layer has three kinds of parameters: those of its gate network (``gate.*``), those of its
light path (``light.*``), and the weights and biases of its neurons. A neuron owns its incoming
weights and its bias. It owns its outgoing weights, too, where they lead to units without a gate
(the classes, in a network with one hidden layer). Between two gated layers a weight belongs to the
neuron that receives it, so that no weight has two owners.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.layers import Gated, GatedStack, InputGate, Layer, Linear, gated_layers, memory_at
from minimidl.layers.gated_linear import GatedLinear
from minimidl.layers.sequential import leaves
from minimidl.learning import is_gate

Entries = dict[str, Array]
"""Which entries of each parameter are meant: boolean, the shape of the parameter."""


@dataclass(frozen=True)
class Neurons:
    """One layer of gated neurons (or gated inputs), and the parameters that they own.

    Attributes:
        open_rate: share of the samples that open each neuron, ``(n_units,)``.
        incoming: name of the weight ``(n_in, n_units)``; empty for gated inputs, which have none.
        bias: name of the bias ``(n_units,)``; empty for gated inputs.
        outgoing: name of the weight ``(n_units, ...)`` that reads the neurons and belongs to
            units without a gate; empty where a gated layer reads them.

    """

    open_rate: Array
    incoming: str
    bias: str
    outgoing: str


def gate_entries(model: Layer) -> Entries:
    """Every entry of every ``gate.*`` parameter, and no other.

    Raises InputError for a model without gates.
    """
    require(bool(gated_layers(model)), "model", "a model without gates",
            "a gated model", "for example midl or dynamicgate")
    return {name: np.full(values.shape, is_gate(name)) for name, values in model.params.items()}


def closed_entries(model: Layer, x: Array, below: float) -> Entries:
    """Entries owned by neurons that fewer than ``below`` of the samples ``x`` open.

    Args:
        model: with gated neurons.
        x: ``(samples, n_in)``, clean samples that were not trained on.
        below: in (0, 1].

    Raises:
        InputError: a model without gates, or one that gates connections and not neurons.

    """
    require(0 < below <= 1, "closed_below", below, "a share in (0, 1]")
    entries = {name: np.zeros(values.shape, bool) for name, values in model.params.items()}
    for neurons in neurons_of(model, x):
        rare = neurons.open_rate < below
        if neurons.incoming:
            entries[neurons.incoming][:, rare] = True
            entries[neurons.bias][rare] = True
        if neurons.outgoing:
            entries[neurons.outgoing][rare] = True
    return entries


def has_gated_neurons(model: Layer) -> bool:
    """Whether a model has gates, all of them on neurons or inputs and none on connections."""
    gates = gated_layers(model).values()
    return bool(gates) and all(isinstance(layer, tuple(OWNERS)) for layer in gates)


def neurons_of(model: Layer, x: Array) -> list[Neurons]:
    """The gated neurons of a model with their open rates over ``x``, layer by layer.

    Raises InputError for a model without gates, or one that gates connections and not neurons.
    """
    gates = gated_layers(model)
    require(bool(gates), "model", "no gates", "a gated model", "for example midl or dynamicgate")
    _, memory = model.forward(x)
    found: list[Neurons] = []
    for path, layer in gates.items():
        kind = next((kind for kind in OWNERS if isinstance(layer, kind)), None)
        require(kind is not None, f"layer {path}", type(layer).__name__,
                "gates on neurons or inputs", "a gate on a connection has no neuron to own it")
        assert kind is not None  # for the type checker
        rate = layer.to_units(memory_at(memory, path)["decision"].active).mean(axis=0)
        found += OWNERS[kind](path and f"{path}.", rate, layer, reader(model, path))
    return found


def reader(model: Layer, path: str) -> str:
    """Name of the weight of the plain linear layer that reads the layer at ``path``, or empty."""
    order = list(leaves(model))
    place = [name for name, _ in order].index(path)
    after = next(((name, layer) for name, layer in order[place + 1:] if layer.params), None)
    return f"{after[0]}.weight" if after and isinstance(after[1], Linear) else ""


def linear_owner(prefix: str, rate: Array, layer: Gated, outgoing: str) -> list[Neurons]:
    """MID-L, DynamicGate and their kin: one layer of neurons."""
    return [Neurons(rate, f"{prefix}weight", f"{prefix}bias", outgoing)]


def input_owner(prefix: str, rate: Array, layer: Gated, outgoing: str) -> list[Neurons]:
    """Gated inputs own what reads them."""
    return [Neurons(rate, "", "", outgoing)]


def stack_owner(prefix: str, rate: Array, layer: Gated, outgoing: str) -> list[Neurons]:
    """Several layers under one gate network; only the last one is read by units without a gate."""
    assert isinstance(layer, GatedStack)  # looked up by its class
    rates = np.split(rate, layer.cuts)
    return [Neurons(own, f"{prefix}{i}.weight", f"{prefix}{i}.bias",
                    outgoing if i == len(rates) - 1 else "") for i, own in enumerate(rates)]


OWNERS: dict[type[Gated], Callable[[str, Array, Gated, str], list[Neurons]]] = {
    GatedStack: stack_owner, InputGate: input_owner, GatedLinear: linear_owner,
}
"""How to find what the neurons of a gated layer own, by its class."""
