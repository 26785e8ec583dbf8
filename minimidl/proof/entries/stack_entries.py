"""Proofs of gated features, and of several layers under one gate network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.entries.layer_entries import DOUBLE, VALUES, layer_proof
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import (
    EVERY_GATE,
    HARD_GATE,
    LAYER_GATE,
    TOPK_GATE,
    Mistake,
    budget_gradient_left_out,
    spoiled,
)


def product_left_out(layer: Any) -> Any:
    """An input gate that forgets that ``x`` is also what is multiplied."""
    def backward(
        self: Any, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> tuple[Array, Grads]:
        grad_x, grads = layer.backward(grad_output, memory, grad_gate)
        return grad_x - grad_output * memory["gate"], grads

    return spoiled(layer, backward=backward)


def first_layer_left_out(layer: Any) -> Any:
    """A stack whose gates hear the last layer only."""
    def decide_backward(self: Any, grad_gate: Array, *args: Any) -> Any:
        heard = grad_gate.copy()
        heard[:, :layer.widths[0] // layer.block] = 0
        return layer.decide_backward(heard, *args)

    return spoiled(layer, decide_backward=decide_backward)


Case = tuple[str, bool, dict[str, Any], Mapping[str, Mistake]]
"""Words, whether in training, options, and the mistakes that only this case can make."""

HARD: dict[str, Mistake] = EVERY_GATE | HARD_GATE
MODES: tuple[Case, ...] = (
    ("hard", False, {"temperature": 0.5}, HARD | TOPK_GATE),
    ("sigmoid in training", True, {"topk": "sigmoid", "temperature": 0.5}, EVERY_GATE | TOPK_GATE),
    ("gumbel in training", True, {"topk": "gumbel", "gate": "mlp"}, LAYER_GATE),
    ("sparsemax", True, {"topk": "sparsemax"}, LAYER_GATE),
    ("threshold", False, {"choose": "threshold", "threshold": 0.55, "temperature": 2.0}, HARD),
    ("concrete in training", True, {"choose": "threshold", "estimator": "concrete"}, LAYER_GATE),
    ("noise, reinmax", True, {"choose": "threshold", "estimator": "reinmax", "gate_noise": 0.5},
     LAYER_GATE),
    ("threshold-surrogate, static", False, {
        "choose": "threshold", "estimator": "threshold-surrogate", "threshold": 0.6,
        "gate": "static", "gate_spread": 2.0}, LAYER_GATE),
)


def input_gates(layers: Any) -> list[Proof]:
    """Features gated by Top-k and by threshold, alone and in blocks."""
    found = []
    for number, (words, training, more, mistakes) in enumerate(MODES):
        options = {"keep": 0.5, "gate_rank": 2, "block": 1 + number // 2 % 2,
                   "gate_value": VALUES[number % 2], **more}
        build = partial(build_gated, layers.InputGate, (6,), options)
        name = f"InputGate: {words}, {options['gate_value']}, blocks of {options['block']}"
        found.append(layer_proof(name, build, (3, 6), covers=(layers.InputGate,),
                                 training=training,
                                 mistakes={**mistakes, "product left out": product_left_out}))
    return found


def build_gated(kind: Callable[..., Any], shape: tuple[Any, ...], options: Any, rng: Rng) -> Any:
    """A layer of a kind, with its starting weights drawn from ``rng``."""
    return kind(*shape, seed=rng, **DOUBLE, **options)


def stacks(layers: Any) -> list[Proof]:
    """Several layers under one gate network: one shared cut, and a budget each."""
    found = []
    cases = [(budget, mode) for mode in MODES for budget in ("model", "layer")]
    for number, (budget, (words, training, more, mistakes)) in enumerate(cases):
        options = {"keep": 0.5, "gate_rank": 3, "block": 1 + number // 3 % 2, "budget": budget,
                   "gate_value": VALUES[number // 2 % 2],
                   "activation": ("gelu", "tanh")[number % 2], **more}
        name = (f"GatedStack: budget per {budget}, {words}, {options['gate_value']}, "
                f"blocks of {options['block']}")
        found.append(layer_proof(
            name, partial(build_gated, layers.GatedStack, (3, (4, 4)), options), (3, 3),
            covers=(layers.GatedStack,), training=training,
            mistakes={**mistakes, "first layer left out": first_layer_left_out}))
    return found


def large(layers: Any) -> list[Proof]:
    """Larger shapes, by one random direction."""
    shape: dict[str, Any] = {"shape": (8, 32), "projection": True}
    found = [layer_proof("InputGate, 32", partial(build_gated, layers.InputGate, (32,), {}),
                         covers=(layers.InputGate,),
                         mistakes={"product left out": product_left_out}, **shape)]
    for budget in ("model", "layer"):
        options = {"budget": budget, "block": 4, "activation": "gelu"}
        found.append(layer_proof(
            f"GatedStack, 32 to 48 to 16, budget per {budget}",
            partial(build_gated, layers.GatedStack, (32, (48, 16)), options),
            covers=(layers.GatedStack,), mistakes={"first layer left out": first_layer_left_out},
            **shape))
    return found


def drawing_network(layers: Any, rng: Rng) -> Any:
    """Every kind of gated layer, each drawing in training, on two levels."""
    return layers.Sequential(
        layers.InputGate(4, keep=0.5, gate_rank=2, gate_noise=0.3, seed=rng, **DOUBLE),
        layers.Sequential(
            layers.GatedStack(4, (4, 4), choose="threshold", estimator="concrete", budget="layer",
                              gate_rank=2, activation="gelu", seed=rng, **DOUBLE),
            layers.Dropout(0.2)),
        layers.MIDL(4, 4, topk="gumbel", keep=0.5, gate="mlp", gate_rank=2, activation="tanh",
                    light="low-rank", light_rank=2, seed=rng, **DOUBLE),
        layers.Linear(4, 3, seed=rng, **DOUBLE))


def proofs(layers: Any) -> list[Proof]:
    """Input gates and stacks of ``minimidl.layers``, handed in, and a network of them all."""
    covers = (layers.Sequential, layers.InputGate, layers.GatedStack, layers.MIDL)
    return [
        *input_gates(layers), *stacks(layers), *large(layers),
        layer_proof("Sequential, every gated layer drawing", partial(drawing_network, layers),
                    (3, 4), covers=covers, training=True,
                    mistakes={"budget gradient left out": budget_gradient_left_out}),
    ]
