"""Proofs of the gated layers with every operator, estimator, gate network and guard inside them.

``layer_entries.py`` goes through light paths, values and activations with the usual gates; here the
gates change and the rest takes turns.
"""

from __future__ import annotations

from typing import Any

from minimidl.proof.entries.layer_entries import LIGHTS, VALUES, gated, settings, title
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import EVERY_GATE, HARD_GATE, LAYER_GATE
from minimidl.proof.prove import LINEARISED_TOLERANCE


def turning(number: int, **options: Any) -> dict[str, Any]:
    """Light paths, values and the less important options take turns."""
    return settings(number) | {"light": LIGHTS[number % 4], "gate_value": VALUES[number // 2 % 2],
                               **options}


def operators(layers: Any, gates: Any) -> list[Proof]:
    """MID-L in training with every operator but the two that ``layer_entries`` has."""
    found = []
    names = [name for name in gates.TOPK if name not in ("hard", "sigmoid")]
    for number, name in enumerate([*names, *gates.SIMPLEX, "dselect-k"]):
        options = turning(number, topk=name, keep=0.5, temperature=2.0)
        if name in (*gates.SIMPLEX, "dselect-k"):
            options["temperature"] = 0.7
        options |= {"gate_spread": 40.0, "gate_value": "binary"} if name == "dselect-k" else {}
        mistakes = LAYER_GATE | (HARD_GATE if name == "gumbel" else {})
        loose = 10 * LINEARISED_TOLERANCE if name.startswith("perturbed") else None
        found.append(gated(layers.MIDL, title("MIDL", options, f"{name} in training"), options,
                           mistakes, training=True, tolerance=loose))
    return found


def surrogates(layers: Any) -> list[Proof]:
    """The hard Top-k with every surrogate; wide ones, or some gates would hear nothing."""
    found = []
    for number, name in enumerate(("lapsum", "capped-simplex", "pnorm", "normal")):
        options = turning(number, surrogate=name, keep=0.5, temperature=4.0)
        found.append(gated(layers.MIDL, title("MIDL", options, f"hard, {name} surrogate"), options,
                           EVERY_GATE | HARD_GATE))
    return found


def estimators(layers: Any, gates: Any) -> list[Proof]:
    """DynamicGate with every estimator, thresholds on both sides; those that draw in training."""
    found = []
    names = [name for name in gates.ESTIMATORS if name != "identity-probability"]
    for number, (name, theta) in enumerate((n, t) for n in names for t in (0.6, 0.45)):
        options = turning(number, estimator=name, threshold=theta)
        drawn = gates.ESTIMATORS[name].stochastic
        words = f"{name}{' in training' if drawn else ''}, threshold {theta:g}"
        found.append(gated(layers.DynamicGate, title("DynamicGate", options, words), options,
                           LAYER_GATE | HARD_GATE, training=drawn))
    return found


def guards_and_noise(layers: Any) -> list[Proof]:
    """Gates that ``min_keep`` forced open, and noise on the scores that is drawn again."""
    starved = {"min_keep": 2, "threshold": 0.75, "open_probability": 0.4}
    cases: tuple[tuple[type, str, dict[str, Any]], ...] = (
        (layers.DynamicGate, "min_keep", starved),
        (layers.DynamicGate, "min_keep, reinmax", {**starved, "estimator": "reinmax"}),
        (layers.DynamicGate, "noise", {"gate_noise": 0.7}),
        (layers.DynamicGate, "noise, concrete", {"gate_noise": 0.7, "estimator": "concrete"}),
        (layers.MIDL, "noise, hard", {"gate_noise": 0.7, "keep": 0.5}),
        (layers.MIDL, "noise, gumbel", {"gate_noise": 0.7, "keep": 0.5, "topk": "gumbel"}),
        (layers.MIDL, "noise, LapSum", {"gate_noise": 0.7, "keep": 0.5, "topk": "lapsum"}),
    )
    found = []
    for number, (kind, words, more) in enumerate(cases):
        options = turning(number, **more, block=1)
        found.append(gated(kind, title(kind.__name__, options, words), options, LAYER_GATE,
                           training=True))
    return found


def networks_of_gates(layers: Any) -> list[Proof]:
    """Static and mlp gates in both layers, alone and per block."""
    found = []
    for number, (kind, net) in enumerate(
            (kind, net) for kind in (layers.MIDL, layers.DynamicGate) for net in ("static", "mlp")):
        keep = {"keep": 0.5} if kind is layers.MIDL else {"gate_spread": 2.0}
        options = turning(number + 3, gate=net, **keep)
        found.append(gated(kind, title(kind.__name__, options, ""), options, LAYER_GATE | HARD_GATE,
                           units=6, n_in=6))
    return found


def large(layers: Any) -> list[Proof]:
    """Larger shapes, by one random direction."""
    shape: dict[str, Any] = {"units": 64, "n_in": 32, "batch": 8, "projection": True}
    soft = {"topk": "lapsum", "temperature": 2.0, "gate": "mlp", "activation": "gelu"}
    drawn = {"estimator": "reinmax", "activation": "tanh", "min_keep": 20}
    return [
        gated(layers.MIDL, "MIDL LapSum, 32 to 64", soft, {}, training=True, **shape),
        gated(layers.DynamicGate, "DynamicGate reinmax, 32 to 64", drawn, {}, training=True,
              **shape),
    ]


def proofs(layers: Any, gates: Any) -> list[Proof]:
    """Every gate of ``minimidl.gates`` in MID-L and DynamicGate; both rooms are handed in."""
    return [
        *operators(layers, gates), *surrogates(layers), *estimators(layers, gates),
        *guards_and_noise(layers), *networks_of_gates(layers), *large(layers),
    ]
