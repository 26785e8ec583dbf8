"""Proofs of the layers, with their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import (
    EVERY_GATE,
    HARD_GATE,
    TOPK_GATE,
    Mistake,
    budget_gradient_left_out,
    mask_left_out,
    row_mean_left_out,
)
from minimidl.proof.prove import prove_layer
from minimidl.proof.verdict import Report
from minimidl.proof.walk import leaves, memory_at

DOUBLE: dict[str, Any] = {"dtype": np.float64}
LIGHTS = ("zero", "identity", "low-rank", "linear")
VALUES = ("binary", "probability")
GATES = ("linear", "low-rank")
ACTIVATIONS = ("relu", "gelu", "gelu-tanh", "tanh", "sigmoid", "linear")
TEMPERATURES = (0.3, 0.5, 2.0)


def layer_proof(
    name: str, build: Callable[[Rng], Any], shape: tuple[int, int], *,
    covers: tuple[object, ...], training: bool = False, projection: bool = False,
    mistakes: Mapping[str, Mistake] | None = None, tolerance: float | None = None,
) -> Proof:
    """An entry for a layer: ``build`` it in float64, draw ``x`` of ``shape``, prove it there."""
    def prove(rng: Rng, mistake: Mistake | None) -> Report:
        layer = build(rng)
        for parameter in layer.params.values():  # biases start at 0, where mistakes hide
            parameter += 0.1 * rng.normal(size=parameter.shape)
        x = telling_point(layer, shape, training, rng)
        return prove_layer(
            mistake(layer) if mistake else layer, x, training=training, projection=projection,
            tolerance=tolerance, rng_seed=int(rng.integers(2**31)),
            seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, covers, prove, mistakes or {})


def telling_point(layer: Any, shape: tuple[int, int], training: bool, rng: Rng) -> Array:
    """Draw ``x`` until at least a quarter of every layer's gates is open, and a quarter closed.

    Where all gates are closed the weights have no gradient; where all are open a forgotten mask
    is no mistake. Such points are true and prove nothing.
    """
    learned = {path: leaf for path, leaf in leaves(layer)
               if hasattr(leaf, "decide") and any(n.startswith("gate.") for n in leaf.params)}
    for _ in range(100):
        x = rng.normal(size=shape)
        _, memory = layer.forward(x, training, np.random.default_rng(0))
        masks = {path: memory_at(memory, path)["decision"].mask for path in learned}
        lopsided = [path for path, mask in masks.items() if not 0.25 <= mask.mean() <= 0.75]
        if not lopsided:
            return x
        for bias in (learned[path].params["gate.bias"] for path in lopsided
                     if len(learned[path].gate.params) == 1):
            bias += rng.normal(size=bias.shape)  # no x moves a static gate
    raise AssertionError("no test point with open and closed gates in 100 draws")


def plain(layers: Any) -> list[Proof]:
    """Layers without a gate."""
    def activation(name: str, build: Callable[[], Any]) -> Proof:
        return layer_proof(name, lambda rng: build(), (3, 4), covers=(type(build()),))

    linear: dict[str, Any] = {"covers": (layers.Linear,)}
    norm: dict[str, Any] = {
        "covers": (layers.LayerNorm,), "mistakes": {"row mean left out": row_mean_left_out}}
    dropout: dict[str, Any] = {"covers": (layers.Dropout,)}
    return [
        layer_proof("Linear", lambda rng: layers.Linear(4, 3, seed=rng, **DOUBLE), (5, 4),
                    **linear),
        layer_proof("Linear, 256 to 128", lambda rng: layers.Linear(256, 128, seed=rng, **DOUBLE),
                    (32, 256), projection=True, **linear),
        activation("ReLU", layers.ReLU), activation("GELU, exact", layers.GELU),
        activation("GELU, tanh", lambda: layers.GELU("tanh")), activation("Tanh", layers.Tanh),
        activation("Sigmoid", layers.Sigmoid),
        *(activation(f"activation {name}", partial(layers.activations.Elementwise, name))
          for name in layers.ACTIVATIONS),
        layer_proof("LayerNorm", lambda rng: layers.LayerNorm(5, **DOUBLE), (4, 5), **norm),
        layer_proof("LayerNorm, 256", lambda rng: layers.LayerNorm(256, **DOUBLE), (32, 256),
                    projection=True, **norm),
        layer_proof("Dropout, training", lambda rng: layers.Dropout(0.4), (4, 5), training=True,
                    mistakes={"mask left out": mask_left_out}, **dropout),
        layer_proof("Dropout, evaluation", lambda rng: layers.Dropout(0.4), (4, 5), **dropout),
    ]


def gated(
    kind: type, name: str, options: dict[str, Any], mistakes: Mapping[str, Mistake], *,
    training: bool = False, units: int = 4, n_in: int = 4, batch: int = 3, projection: bool = False,
    tolerance: float | None = None,
) -> Proof:
    """An entry for a gated layer, and for the class that it has its backward from."""
    covers = (kind, *(base for base in kind.__mro__ if base.__name__ == "GatedLinear"))

    def build(rng: Rng) -> Any:
        return kind(n_in, units, seed=rng, **DOUBLE, **options)

    return layer_proof(name, build, (batch, n_in), covers=covers, training=training,
                       mistakes=mistakes, projection=projection, tolerance=tolerance)


def settings(number: int) -> dict[str, Any]:
    """The less important options, turning at different speeds, so that most pairs meet."""
    return {
        "activation": ACTIVATIONS[number % 6], "temperature": TEMPERATURES[number % 3],
        "gate": GATES[(number // 2) % 2], "block": (1, 2, 1)[number // 3 % 3],
        "gate_rank": 2, "light_rank": 2,
    }


def title(kind: str, options: dict[str, Any], extra: str) -> str:
    """A name that tells the options apart."""
    block = f"blocks of {options['block']}" if options["block"] > 1 else ""
    words = [extra, options["gate_value"], f"light {options['light']}", f"gate {options['gate']}",
             block, options["activation"], f"T={options['temperature']:g}"]
    return f"{kind}: " + ", ".join(word for word in words if word)


def midl(layers: Any) -> list[Proof]:
    """MID-L: hard; soft in training; soft made hard in evaluation. All light paths and values."""
    found = []
    modes: tuple[tuple[str, bool, dict[str, Mistake]], ...] = (
        ("hard", False, EVERY_GATE | HARD_GATE | TOPK_GATE),
        ("sigmoid", True, EVERY_GATE | TOPK_GATE), ("sigmoid", False, {}))
    for number, ((topk, training, mistakes), light, value) in enumerate(
            product(modes, LIGHTS, VALUES)):
        options = settings(number) | {
            "topk": topk, "light": light, "gate_value": value, "keep": 0.5}
        mode = topk + (" in training" if training else "")
        found.append(gated(layers.MIDL, title("MIDL", options, mode), options, mistakes,
                           training=training))
    return found


def dynamic_gate(layers: Any) -> list[Proof]:
    """DynamicGate: all light paths, values and two thresholds."""
    found = []
    for number, (light, value, threshold) in enumerate(product(LIGHTS, VALUES, (0.5, 0.6))):
        options = settings(number) | {"light": light, "gate_value": value, "threshold": threshold}
        name = title("DynamicGate", options, f"threshold {threshold:g}")
        found.append(gated(layers.DynamicGate, name, options, EVERY_GATE | HARD_GATE))
    return found


def large(layers: Any) -> list[Proof]:
    """Larger shapes, by one random direction."""
    shape: dict[str, Any] = {"units": 64, "n_in": 32, "batch": 8, "projection": True}
    blocks = {"block": 8, "light": "low-rank", "activation": "tanh"}
    return [
        gated(layers.MIDL, "MIDL, 32 to 64", {"activation": "gelu"}, HARD_GATE, **shape),
        gated(layers.MIDL, "MIDL soft, 32 to 64 in blocks", {"topk": "sigmoid", **blocks}, {},
              training=True, **shape),
        gated(layers.DynamicGate, "DynamicGate, 32 to 64", {"activation": "gelu"}, HARD_GATE,
              **shape),
        gated(layers.DynamicGate, "DynamicGate, 32 to 64 in blocks", blocks, HARD_GATE, **shape),
    ]


def small_network(layers: Any, rng: Rng) -> Any:
    """Gates on two levels of a nested sequential."""
    first = layers.MIDL(4, 4, gate_rank=2, keep=2, activation="gelu", seed=rng, **DOUBLE)
    second = layers.DynamicGate(4, 4, gate="linear", temperature=0.5, block=2, activation="tanh",
                                seed=rng, **DOUBLE)
    return layers.Sequential(
        first, layers.Sequential(layers.LayerNorm(4, **DOUBLE), second, layers.Dropout(0.3)),
        layers.Linear(4, 3, seed=rng, **DOUBLE))


def networks(layers: Any) -> list[Proof]:
    """Sequentials, nested, with and without gates."""
    def dense(rng: Rng) -> Any:
        return layers.Sequential(
            layers.Linear(4, 5, seed=rng, **DOUBLE), layers.ReLU(),
            layers.Sequential(layers.Linear(5, 3, seed=rng, **DOUBLE), layers.Tanh()))

    covers = (layers.Sequential,)
    return [
        layer_proof("Sequential, dense", dense, (3, 4), covers=covers),
        layer_proof("Sequential, gated and nested", partial(small_network, layers), (3, 4),
                    covers=covers, training=True,
                    mistakes={"budget gradient left out": budget_gradient_left_out}),
    ]


def proofs(layers: Any) -> list[Proof]:
    """Every layer of ``minimidl.layers``, which is handed in."""
    return (plain(layers) + midl(layers) + dynamic_gate(layers) + large(layers)
            + networks(layers))
