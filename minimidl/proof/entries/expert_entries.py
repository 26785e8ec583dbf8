"""Proofs of the layer of experts: every router with every light path, and the special cases.

As for the routers alone (``router_entries.py``), and a dropped sample answers with the light path.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entries.expert_mistakes import in_layer
from minimidl.proof.entries.router_entries import draw, mistakes_of, outputs_of
from minimidl.proof.entries.routing_statements import executes_its_word, task_reaches
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import LAYER_GATE, Mistake
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report

DOUBLE: dict[str, Any] = {"dtype": np.float64}
LIGHTS = ("zero", "identity", "low-rank", "linear")


def experts_proof(
    name: str, layers: Any, gates: Any, *, shape: tuple[int, int] = (4, 6), n_units: int = 6,
    n_experts: int = 3, training: bool = True, bias: bool = False, projection: bool = False,
    **options: Any,
) -> Proof:
    """An entry for a layer of experts, with pulls on everything there is to pull on."""
    def prove_experts(rng: Rng, mistake: Mistake | None) -> Report:
        layer = drawn_layer(
            lambda: layers.Experts(shape[1], n_units, n_experts=n_experts, seed=rng, **DOUBLE,
                                   **options), bias, rng)
        twin, noise = mistake(layer) if mistake else layer, int(rng.integers(2**31))

        def run(x: Array) -> Any:
            return twin.forward(x, training, np.random.default_rng(noise))

        x = draw(lambda x: run(x)[1]["decision"], shape, layer.chooser, rng)

        def forward() -> tuple[Values, Any]:
            output, memory = run(x)
            values = outputs_of(layer.chooser, memory["decision"], load=layer.light is None)
            return {"output": output} | values, memory

        def backward(g: Values, memory: Any) -> Values:
            pull = gates.GateGradient(g["probability"], g["scores"], g["gate"], g.get("load"))
            grad_x, grads = twin.backward(g["output"], memory, pull)
            return {"x": grad_x, **grads}

        def task_moves_it() -> str:
            output, memory = run(x)
            g = np.random.default_rng(0).normal(size=output.shape)
            grads = twin.backward(g, memory)[1]
            return next(filter(None, (task_reaches(grads[name], n_experts) for name in grads
                                      if name.startswith("gate."))), "")

        output, memory = run(x)
        return prove_subject(
            Subject({"x": x, **layer.params}, forward, backward, watched=layer.state,
                    statements=(partial(executes_its_word, layer.chooser, memory["decision"],
                                        layer, x, output), task_moves_it)),
            name=name, kind="projection" if projection else "finite-difference",
            seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (layers.Experts, layers.GatedLinear), prove_experts,
                 mistakes_in_layer(n_experts, options, training))


def drawn_layer(build: Callable[[], Any], bias: bool, rng: Rng) -> Any:
    """The layer with every parameter moved, and with a bias on its choice where that is asked."""
    layer = build()
    for parameter in layer.params.values():  # biases start at 0, where mistakes hide
        parameter += 0.1 * rng.normal(size=parameter.shape)
    if bias:
        layer.state["bias"][...] = rng.uniform(-0.2, 0.2, layer.n_experts)
    return layer


def mistakes_in_layer(
    n_experts: int, options: dict[str, Any], training: bool
) -> dict[str, Mistake]:
    """Those of the router, made inside the layer, and those of every gated layer."""
    mistakes = LAYER_GATE | in_layer(
        mistakes_of(options.get("router", "switch"), n_experts, options, training))
    if options.get("light", "zero") != "zero":  # nothing pulls on the load there
        mistakes.pop("cut of the load constant", None)
    return mistakes


def proofs(layers: Any, gates: Any) -> list[Proof]:
    """The layer: every router with every light path, then the special cases."""
    def proof(title: str, **options: Any) -> Proof:
        return experts_proof(f"Experts: {title}", layers, gates, **options)

    settings = ({"activation": "tanh"}, {"activation": "gelu", "temperature": 0.3},
                {"activation": "relu", "gate": "low-rank", "gate_rank": 2, "temperature": 2.0},
                {"activation": "sigmoid", "gate": "mlp", "gate_rank": 3})
    pairs = [proof(f"{router}, light {light}{'' if training else ', in evaluation'}, "
                   f"{settings[(place + row) % 4]['activation']}",
                   router=router, light=light, light_rank=2, training=training,
                   **settings[(place + row) % 4])
             for row, router in enumerate(gates.ROUTERS) for place, light in enumerate(LIGHTS)
             for training in ((True, False) if place % 2 else (True,))]
    return [
        *pairs,
        proof("switch, capacity, light linear", capacity=0.7, light="linear", activation="tanh"),
        proof("switch, capacity by probability", capacity=0.7, priority="probability",
              activation="gelu"),
        proof("topk, capacity, light identity", router="topk", capacity=0.8, light="identity",
              activation="gelu"),
        proof("topk, bias, score noise", router="topk", bias=True, gate_noise=0.5,
              activation="tanh"),
        proof("switch, static router", gate="static", activation="tanh", shape=(4, 4)),
        proof("switch, one expert", n_experts=1, activation="tanh"),
        proof("switch, one sample", shape=(1, 6), activation="tanh"),
        proof("topk, k=E", router="topk", k=3, activation="tanh"),
        proof("expert-choice, 32 to 64", router="expert-choice", k=2, n_units=64, n_experts=8,
              shape=(16, 32), activation="gelu", projection=True),
        proof("topk, 32 to 64", router="topk", n_units=64, n_experts=8, shape=(16, 32),
              activation="gelu", projection=True, capacity=0.9),
    ]
