"""Proofs of missing, gated and drawn connections: masked layers, weight gates, random gates.

In all of them the weights are drawn without regard to the mask, so a dead weight is not 0 here: a
mask that is forgotten anywhere shows.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

from minimidl.arrays import Rng
from minimidl.proof.entries.layer_entries import (
    ACTIVATIONS,
    DOUBLE,
    LIGHTS,
    TEMPERATURES,
    VALUES,
    layer_proof,
    settings,
    title,
)
from minimidl.proof.entries.stack_entries import build_gated
from minimidl.proof.entries.wiring_mistakes import (
    MASKED,
    PER_WEIGHT,
    drop_left_out_of_the_gate,
    scaling_left_out,
)
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import (
    EVERY_GATE,
    HARD_GATE,
    LAYER_GATE,
    TOPK_GATE,
    budget_gradient_left_out,
    forgotten_mask,
)


def heirs_of(layers: Any, kind: Any) -> tuple[object, ...]:
    """A class, and those of its bases that have a backward to prove."""
    bases = (layers.GatedLinear, layers.masked_gates.MaskedGated)
    return (kind, *(base for base in bases if issubclass(kind, base)))


def masked_linear(layers: Any) -> list[Proof]:
    """Sparse, full, scaled, and large."""
    def entry(words: str, shape: tuple[int, int], n_out: int, large: bool, **options: Any) -> Proof:
        build = partial(build_gated, layers.MaskedLinear, (shape[1], n_out), options)
        return layer_proof(f"MaskedLinear: {words}", build, shape, covers=(layers.MaskedLinear,),
                           projection=large,
                           mistakes=MASKED if options["density"] < 1 else {})

    return [
        entry("density 0.4", (5, 4), 3, False, density=0.4),
        entry("density 1", (5, 4), 3, False, density=1.0),
        entry("scaled, one connection", (3, 3), 2, False, density=1 / 6, scale_init=True),
        entry("256 to 128, density 0.1", (32, 256), 128, True, density=0.1, init="xavier"),
    ]


def masked_gates(layers: Any) -> list[Proof]:
    """Both gates on a masked full path, with all light paths and values."""
    found = []
    kinds: tuple[tuple[Any, dict[str, Any], Any], ...] = (
        (layers.MaskedMIDL, {"keep": 0.5}, EVERY_GATE | HARD_GATE | TOPK_GATE | MASKED),
        (layers.MaskedDynamicGate, {}, EVERY_GATE | HARD_GATE | MASKED),
    )
    for number, ((kind, more, mistakes), light, value) in enumerate(
            product(kinds, LIGHTS, VALUES)):
        options = settings(number) | {"light": light, "gate_value": value, "density": 0.5, **more}
        found.append(layer_proof(
            title(kind.__name__, options, ""), partial(build_gated, kind, (4, 4), options),
            (3, 4), covers=heirs_of(layers, kind), mistakes=mistakes))
    soft = {"topk": "sigmoid", "density": 0.3, "activation": "gelu", "light": "low-rank"}
    found.append(layer_proof(
        "MaskedMIDL soft, 32 to 64", partial(build_gated, layers.MaskedMIDL, (32, 64), soft),
        (8, 32), covers=heirs_of(layers, layers.MaskedMIDL), mistakes=MASKED, training=True,
        projection=True))
    return found


def weight_gates(layers: Any, gates: Any) -> list[Proof]:
    """Every estimator, both values, thresholds on both sides; those that draw in training."""
    found = []
    cases = list(product(gates.ESTIMATORS, VALUES, (0.5, 0.6)))
    for number, (name, value, theta) in enumerate(cases):
        drawn = gates.ESTIMATORS[name].stochastic
        options: dict[str, Any] = {
            "estimator": name, "gate_value": value, "threshold": theta,
            "activation": ACTIVATIONS[number % 6], "temperature": TEMPERATURES[number % 3],
            "min_keep": 8 * (number % 2), "gate_spread": 0.5 + number % 3,
        }
        words = (f"WeightGate: {name}{' in training' if drawn else ''}, {value}, "
                 f"threshold {theta:g}, T={options['temperature']:g}, {options['activation']}, "
                 f"at least {options['min_keep']}")
        heard = {name: mistake for name, mistake in PER_WEIGHT.items()
                 if name != "missing temperature" or options["temperature"] != 1}
        found.append(weight_gate(layers, words, (5, 3), options, heard, drawn))
    found.append(weight_gate(layers, "WeightGate, 32 to 24", (32, 24), {"activation": "gelu"},
                             {"budget gradient left out": budget_gradient_left_out}, False))
    return found


def weight_gate(
    layers: Any, name: str, widths: tuple[int, int], options: dict[str, Any], mistakes: Any,
    training: bool,
) -> Proof:
    """An entry for one weight gate; by one random direction where it is wide."""
    return layer_proof(
        name, partial(build_gated, layers.WeightGate, widths, options), (4, widths[0]),
        covers=(layers.WeightGate,), mistakes=mistakes, training=training,
        projection=widths[0] > 8)


def random_gates(layers: Any, gates: Any) -> list[Proof]:
    """Drawn in training, all open in evaluation, and drawn there too."""
    found = []
    covers = (layers.RandomGate, layers.GatedLinear, gates.FixedRateChooser)
    modes = (("in training", True, "mean"), ("mean network", False, "mean"),
             ("Monte Carlo", False, "sample"))
    for number, ((words, training, evaluation), light) in enumerate(product(modes, LIGHTS)):
        if words == "mean network" and light in ("low-rank", "linear"):
            continue  # the mean network is all full path: a light path's parameters rest
        options = {"rate": 0.5, "evaluation": evaluation, "light": light, "light_rank": 2,
                   "activation": ACTIVATIONS[number % 6], "block": 1 + number // 4 % 2}
        drawn = words != "mean network"
        found.append(layer_proof(
            f"RandomGate: {words}, light {light}, {options['activation']}",
            partial(build_gated, layers.RandomGate, (4, 4), options), (4, 4), covers=covers,
            training=training, mistakes={"forgotten mask": forgotten_mask,
                                         "scaling left out": scaling_left_out} if drawn else {}))
    return found


def open_dropout(layers: Any) -> list[Proof]:
    """Dropout on the open neurons of both gates, with every light path."""
    found = []
    for number, (kind, light) in enumerate(product(
            (layers.OpenDropoutMIDL, layers.OpenDropoutDynamicGate), LIGHTS)):
        more = {"keep": 0.5} if kind is layers.OpenDropoutMIDL else {}
        options = settings(number) | {"light": light, "gate_value": VALUES[number // 2 % 2],
                                      "open_dropout": 0.4, **more}
        found.append(layer_proof(
            title(kind.__name__, options, "in training"),
            partial(build_gated, kind, (4, 4), options), (6, 4),
            covers=heirs_of(layers, kind), training=True,
            mistakes=LAYER_GATE | HARD_GATE | {"drop left out": drop_left_out_of_the_gate}))
    return found


def sparse_network(layers: Any, rng: Rng) -> Any:
    """One of each, on two levels."""
    return layers.Sequential(
        layers.WeightGate(4, 5, activation="tanh", estimator="concrete", seed=rng, **DOUBLE),
        layers.Sequential(
            layers.MaskedDynamicGate(5, 4, density=0.6, gate_rank=2, activation="gelu", seed=rng,
                                     **DOUBLE),
            layers.RandomGate(4, 4, rate=0.6, activation="tanh", seed=rng, **DOUBLE)),
        layers.OpenDropoutMIDL(4, 4, keep=0.5, gate_rank=2, light="low-rank", light_rank=2,
                               activation="gelu", seed=rng, **DOUBLE),
        layers.MaskedLinear(4, 3, density=0.5, seed=rng, **DOUBLE))


def proofs(layers: Any, gates: Any) -> list[Proof]:
    """All of ``minimidl.layers`` (handed in) that is about wires, and a network of them."""
    covers = (layers.Sequential, layers.WeightGate, layers.MaskedLinear, layers.RandomGate)
    return [
        *masked_linear(layers), *masked_gates(layers), *weight_gates(layers, gates),
        *random_gates(layers, gates), *open_dropout(layers),
        layer_proof("Sequential, missing and drawn connections", partial(sparse_network, layers),
                    (4, 4), covers=covers, training=True,
                    mistakes={"budget gradient left out": budget_gradient_left_out}),
    ]
