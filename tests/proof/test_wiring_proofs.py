"""What the proofs of wires ask beside the derivative: leaks, drops, and telling static gates."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl import gates, layers
from minimidl.gates.choosers.fixed_rate import FixedRateChooser
from minimidl.layers import (
    MaskedDynamicGate,
    MaskedLinear,
    OpenDropoutDynamicGate,
    RandomGate,
    WeightGate,
)
from minimidl.proof.entries.layer_entries import telling_point
from minimidl.proof.entries.wiring_entries import proofs
from minimidl.proof.entries.wiring_mistakes import MASKED, PER_WEIGHT
from minimidl.proof.gate_stand_ins import decides_hard, gate_stand_in
from minimidl.proof.linearised_gates import hard_gates, linearised
from minimidl.proof.mistakes import spoiled
from minimidl.proof.prove import prove_layer
from minimidl.proof.statements import forward_is_hard, gate_statements


def point(rows: int = 5, n_in: int = 4) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(rows, n_in))


def test_a_weight_gate_keeps_all_three_statements_and_its_weights() -> None:
    layer = WeightGate(4, 3, dtype=np.float64)
    before = layer.params["weight"].copy()
    assert [check() for check in gate_statements(layer, point(), False, 0)] == ["", "", ""]
    assert layer.params["weight"].tobytes() == before.tobytes()


def test_a_closed_connection_that_leaks_is_found() -> None:
    layer = WeightGate(4, 3, activation="linear", dtype=np.float64)

    def apply(self, x, decision):
        output, memory = layer.apply(x, decision)
        return output + 1e-9 * (x @ layer.params["weight"]), memory

    leaking = spoiled(layer, apply=apply)
    assert forward_is_hard(leaking, point(), False, 0) == "a closed gate lets something through"


def test_dropped_gates_are_hard_and_reported_as_executed() -> None:
    layer = OpenDropoutDynamicGate(4, 6, open_dropout=0.5, gate_rank=2, dtype=np.float64)
    assert forward_is_hard(layer, point(), True, 0) == ""

    def decide(self, *args, **kwargs):  # reports what was chosen, not what ran
        decision = layer.decide(*args, **kwargs)
        return type(decision)(**vars(decision) | {"active": decision.mask > 0})

    assert forward_is_hard(spoiled(layer, decide=decide), point(), True, 0) == (
        "the reported mask is not the executed mask")


@pytest.mark.parametrize("training", [True, False])
def test_a_random_gate_is_no_straight_through_gate(training: bool) -> None:
    layer = RandomGate(4, 6, rate=0.5, dtype=np.float64)
    assert hard_gates(layer, point(), training, 0) == []
    assert linearised(layer, point(), training, 0) is None
    chooser = FixedRateChooser(0.5)
    decision = chooser.decide(point(), training, np.random.default_rng(0))
    assert not decides_hard(chooser, decision)
    assert gate_stand_in(chooser, decision, None) is None


@pytest.mark.parametrize("layer", [
    MaskedLinear(4, 3, density=0.5, dtype=np.float64, seed=1),
    MaskedDynamicGate(4, 6, density=0.5, activation="tanh", dtype=np.float64, seed=1)],
    ids=["linear", "gated"])
@pytest.mark.parametrize("mistake", list(MASKED))
def test_every_forgotten_mask_is_caught(layer, mistake: str) -> None:
    layer.params["weight"] += 0.1  # dead weights are not 0
    assert prove_layer(layer, point()).passed
    assert not prove_layer(MASKED[mistake](layer), point()).passed


@pytest.mark.parametrize("mistake", list(PER_WEIGHT))
def test_every_mistake_of_a_weight_gate_is_caught(mistake: str) -> None:
    layer = WeightGate(4, 3, activation="tanh", temperature=0.5, dtype=np.float64, seed=1)
    assert prove_layer(layer, point()).passed
    assert not prove_layer(PER_WEIGHT[mistake](layer), point()).passed


def test_static_gates_are_moved_until_they_tell_something() -> None:
    layer = WeightGate(4, 3, gate_spread=0.1, open_probability=0.9, dtype=np.float64)
    assert layer.wires.all()
    telling_point(layer, (3, 4), False, np.random.default_rng(0))
    assert 0.25 <= layer.wires.mean() <= 0.75


def test_names_say_which_kinds_are_proved() -> None:
    names = [proof.name for proof in proofs(layers, gates)]
    for kind in ("MaskedLinear", "MaskedMIDL", "MaskedDynamicGate", "RandomGate",
                 "OpenDropoutMIDL", "OpenDropoutDynamicGate",
                 *(f"WeightGate: {name}" for name in gates.ESTIMATORS)):
        assert any(name.startswith(kind) for name in names), kind
