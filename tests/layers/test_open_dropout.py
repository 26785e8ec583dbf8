"""Dropout on open neurons: the same as dropout behind a zero light path, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.gates import GateGradient
from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    OpenDropoutDynamicGate,
    OpenDropoutMIDL,
    Sequential,
)
from minimidl.learning import Budget

RATE = 0.25
SIGMAS = 5.0
both = pytest.mark.parametrize(("plain", "dropped"), [
    (MIDL, OpenDropoutMIDL), (DynamicGate, OpenDropoutDynamicGate)])


def sample(rows: int = 40) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, 6))


@both
def test_behind_a_zero_light_path_plain_dropout_is_it(plain: Any, dropped: Any) -> None:
    options = {"seed": 1, "dtype": np.float64}
    model = Sequential(plain(6, 6, **options), Dropout(RATE))
    layer = dropped(6, 6, open_dropout=RATE, **options)
    x, wanted = sample(), np.random.default_rng(1).normal(size=(40, 6))
    output, memory = model.forward(x, True, np.random.default_rng(2))
    other, own = layer.forward(x, True, np.random.default_rng(2))
    np.testing.assert_allclose(other, output, rtol=1e-14)
    grad_x, grads = model.backward(wanted, memory)
    other_x, others = layer.backward(wanted, own)
    np.testing.assert_allclose(other_x, grad_x, atol=1e-14)
    for name, grad in others.items():
        np.testing.assert_allclose(grad, grads[f"0.{name}"], atol=1e-13)


@both
def test_behind_a_light_path_only_open_neurons_are_dropped(plain: Any, dropped: Any) -> None:
    layer = dropped(6, 6, open_dropout=0.5, light="identity", gate_value="binary",
                    dtype=np.float64, seed=1)
    x = sample()
    chosen = plain(6, 6, gate_value="binary", dtype=np.float64, seed=1).decide(x).active
    output, memory = layer.forward(x, True, np.random.default_rng(2))
    ran = memory["decision"].active
    assert (ran <= chosen).all()
    assert 0 < ran.sum() < chosen.sum()
    assert (output[~ran] == x[~ran]).all()  # closed and dropped ones answer alike
    full = np.maximum(x @ layer.params["weight"], 0)
    np.testing.assert_allclose(output[ran], (x + 2 * (full - x))[ran], rtol=1e-12)
    ordinary = Dropout(0.5).forward(x, True, np.random.default_rng(2))[0]
    assert (ordinary[~chosen] == 0).any()  # what plain dropout does to the light answers


@both
@pytest.mark.parametrize("light", ["zero", "identity", "low-rank"])
def test_the_expectation_is_the_layer_without_dropout(
    plain: Any, dropped: Any, light: str
) -> None:
    options = {"light": light, "activation": "gelu", "dtype": np.float64, "seed": 1}
    layer, x = dropped(6, 6, open_dropout=RATE, **options), sample(3)
    rng, draws = np.random.default_rng(2), 4000
    outputs = np.array([layer.forward(x, True, rng)[0] for _ in range(draws)])
    error = outputs.std(axis=0) / np.sqrt(draws)
    mean = plain(6, 6, **options).forward(x)[0]
    assert (np.abs(outputs.mean(axis=0) - mean) <= SIGMAS * error + 1e-12).all()
    assert error.max() > 0


@both
def test_open_gates_get_exactly_the_factor_and_budgets_see_no_dropout(
    plain: Any, dropped: Any
) -> None:
    layer = dropped(6, 6, open_dropout=RATE, gate_value="binary", dtype=np.float64, seed=1)
    _, memory = layer.forward(sample(), True, np.random.default_rng(2))
    decision = memory["decision"]
    assert set(np.unique(decision.gate)) == {0.0, 1 / 0.75}
    reference = plain(6, 6, gate_value="binary", dtype=np.float64, seed=1).decide(sample())
    assert (decision.probability == reference.probability).all()
    assert (decision.mask == reference.mask).all()
    kept = decision.active.sum() / reference.active.sum()
    held = Budget("quadratic", 1.0, 0.0, of="mask")({"": layer}, memory)[0]
    assert held == pytest.approx(reference.active.mean() ** 2, rel=1e-12)  # not 0.75 of it
    assert abs(kept - 0.75) < SIGMAS * np.sqrt(RATE * 0.75 / reference.active.sum())


@both
def test_evaluation_and_rate_0_are_the_plain_layer(plain: Any, dropped: Any) -> None:
    x = sample().astype(np.float32)
    expected = plain(6, 6, seed=1).forward(x)[0]
    assert dropped(6, 6, open_dropout=0.9, seed=1).forward(x)[0].tobytes() == expected.tobytes()
    layer = dropped(6, 6, open_dropout=0.0, seed=1)
    assert layer.forward(x, True)[0].tobytes() == expected.tobytes()  # and needs no rng


def test_a_pull_on_the_gate_value_passes_the_same_factor() -> None:
    layer = OpenDropoutDynamicGate(6, 6, open_dropout=0.5, gate_value="probability", gate="linear",
                                   dtype=np.float64, seed=1)
    x = sample(8)
    output, memory = layer.forward(x, True, np.random.default_rng(2))
    pull = np.random.default_rng(3).normal(size=output.shape)
    _, grads = layer.backward(np.zeros_like(output), memory, GateGradient(gate=pull))
    p, mask = memory["probability"], memory["decision"].mask
    factor = memory["decision"].memory["drop"]
    wanted = pull * factor * (mask + p) * p * (1 - p)  # d(b p)/dp straight through
    np.testing.assert_allclose(grads["gate.bias"], wanted.sum(axis=0), rtol=1e-12)


def test_bad_rates_and_a_missing_generator_are_told() -> None:
    for rate in (1.0, -0.1, float("nan")):
        with pytest.raises(InputError, match=r"open_dropout: got .*, expected a rate in"):
            OpenDropoutMIDL(6, 6, open_dropout=rate)
    with pytest.raises(InputError, match="rng: got None, expected a numpy"):
        OpenDropoutMIDL(6, 6).forward(sample().astype(np.float32), True)
