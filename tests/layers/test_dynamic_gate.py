"""DynamicGate: numbers by hand, the logit cut, and starting probabilities at any temperature."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import DynamicGate

LN3 = math.log(3)


def hand_layer(**options: Any) -> DynamicGate:
    """full = (x, 2x, 3x); T = 2 and z = (2 ln 3, -2 ln 3, 0), so p = (3/4, 1/4, 1/2)."""
    layer = DynamicGate(1, 3, activation="linear", gate="linear", temperature=2.0, threshold=0.4,
                        dtype=np.float64, **options)
    layer.params["weight"][...] = [[1, 2, 3]]
    layer.params["gate.weight"][...] = 0
    layer.params["gate.bias"][...] = [2 * LN3, -2 * LN3, 0]
    return layer


def test_forward_by_hand() -> None:
    output, memory = hand_layer().forward(np.array([[2.0]]))
    assert output.tolist() == [[2, 0, 6]]
    np.testing.assert_allclose(memory["probability"], [[0.75, 0.25, 0.5]], rtol=1e-15)
    assert memory["decision"].active.tolist() == [[True, False, True]]


def test_backward_by_hand() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.array([[2.0]]))
    grad_x, grads = layer.backward(np.ones((1, 3)), memory)
    assert grad_x.tolist() == [[4]]  # 1 + 3, the open ones
    assert grads["weight"].tolist() == [[2, 0, 2]]
    # dp := db = full = (2, 4, 6), dz = dp p (1 - p) / T; the closed one learns too
    np.testing.assert_allclose(grads["gate.bias"], [2 * 3 / 32, 4 * 3 / 32, 6 / 8], rtol=1e-14)


def test_probability_gate_value_by_hand() -> None:
    layer = hand_layer(gate_value="probability")
    output, memory = layer.forward(np.array([[2.0]]))
    np.testing.assert_allclose(output, [[1.5, 0, 3]], rtol=1e-15)  # full b p
    _, grads = layer.backward(np.ones((1, 3)), memory)
    # d(b p): full (p + b) = (2 7/4, 4 1/4, 6 3/2)
    np.testing.assert_allclose(grads["gate.bias"], [3.5 * 3 / 32, 3 / 32, 9 / 8], rtol=1e-14)


def test_budget_gradient_by_hand() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.array([[2.0]]))
    _, grads = layer.backward(np.zeros((1, 3)), memory, np.array([[1.0, 2.0, 4.0]]))
    np.testing.assert_allclose(grads["gate.bias"], [3 / 32, 6 / 32, 4 / 8], rtol=1e-14)


def test_the_cut_is_temperature_times_logit_of_the_threshold() -> None:
    layer = DynamicGate(2, 3, temperature=2.0, threshold=0.75)
    assert layer.cut == pytest.approx(2 * LN3, rel=1e-14)
    layer.state["threshold"][...] = 0.5
    layer.state["temperature"][...] = 9.0
    assert layer.cut == 0  # at one half the temperature does not move the mask


def test_lowering_the_temperature_opens_gates_when_the_threshold_is_above_one_half() -> None:
    # dynamicgate-audit.md E2.12: temperature and threshold alone are confounded
    layer = DynamicGate(4, 50, threshold=0.7, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(10, 4))
    warm = layer.decide(x).active
    layer.state["temperature"][...] = 0.2
    cold = layer.decide(x).active
    assert (cold >= warm).all()
    assert cold.sum() > warm.sum()


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_mask_is_probability_above_threshold(threshold: float, temperature: float) -> None:
    layer = DynamicGate(5, 40, threshold=threshold, temperature=temperature, dtype=np.float64)
    decision = layer.decide(np.random.default_rng(1).normal(size=(30, 5)))
    assert (decision.active == (decision.probability > threshold)).all()
    assert (decision.active == (decision.scores > layer.cut)).all()


@pytest.mark.parametrize("open_probability", [0.2, 0.65, 0.85])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("gate", ["linear", "low-rank"])
def test_the_starting_probability_is_what_was_asked_for_at_any_temperature(
    open_probability: float, temperature: float, gate: str
) -> None:
    # dynamicgate-audit.md E2.13: a bias of logit(p0) starts somewhere else unless T = 1
    layer = DynamicGate(16, 64, gate=gate, open_probability=open_probability,
                        temperature=temperature, dtype=np.float64)
    at_origin = layer.decide(np.zeros((1, 16))).probability
    np.testing.assert_allclose(at_origin, open_probability, rtol=1e-12)
    around = layer.decide(np.random.default_rng(3).normal(size=(200, 16)))
    assert np.median(around.probability) == pytest.approx(open_probability, abs=0.06)
    assert np.std(around.scores / temperature) == pytest.approx(1, rel=0.25)


def test_nothing_open_gives_the_empty_answer_but_the_gate_still_learns() -> None:
    layer = DynamicGate(4, 6, threshold=1 - 1e-9, dtype=np.float64)
    output, memory = layer.forward(x := np.random.default_rng(0).normal(size=(5, 4)))
    assert not memory["decision"].active.any()
    assert not output.any()
    grad_x, grads = layer.backward(np.ones((5, 6)), memory)
    assert not grads["weight"].any()
    assert grads["gate.bias"].any()
    assert grad_x.shape == x.shape


def test_everything_open_is_a_plain_layer() -> None:
    layer = DynamicGate(4, 6, threshold=1e-9, activation="tanh", dtype=np.float64)
    output, memory = layer.forward(x := np.random.default_rng(0).normal(size=(5, 4)))
    assert memory["decision"].active.all()
    assert (output == np.tanh(x @ layer.params["weight"] + layer.params["bias"])).all()


def test_a_probability_exactly_at_the_threshold_is_closed() -> None:
    layer = DynamicGate(2, 3, dtype=np.float64)  # z = 0 at the origin, p = 1/2 = threshold
    decision = layer.decide(np.zeros((1, 2)))
    assert (decision.probability == 0.5).all()
    assert not decision.active.any()


def test_training_and_evaluation_decide_alike() -> None:
    layer = DynamicGate(4, 9)
    x = np.random.default_rng(5).normal(size=(8, 4)).astype(np.float32)
    assert (layer.decide(x, training=True).gate == layer.decide(x).gate).all()


def test_the_number_of_open_gates_differs_from_sample_to_sample() -> None:
    layer = DynamicGate(4, 60)
    active = layer.decide(np.random.default_rng(5).normal(size=(50, 4)).astype("f4")).active
    assert len(set(active.sum(axis=1))) > 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_ten_thousand(dtype: Any) -> None:
    layer = DynamicGate(1, 3, gate="linear", dtype=dtype, temperature=0.5)
    layer.params["gate.bias"][...] = [1e4, -1e4, 0.1]
    layer.params["gate.weight"][...] = 0
    output, memory = layer.forward(np.ones((1, 1), dtype))
    grad_x, grads = layer.backward(np.ones_like(output), memory)
    assert memory["decision"].active.tolist() == [[True, False, True]]
    assert all(np.isfinite(a).all() for a in (output, grad_x, *grads.values()))
    assert grads["gate.bias"][:2].tolist() == [0, 0]  # saturated: flat


@pytest.mark.parametrize("threshold", [0, 1, 1.5, math.nan])
def test_bad_thresholds_are_told(threshold: float) -> None:
    with pytest.raises(InputError, match=rf"threshold: got {threshold}, expected .*between 0 and"):
        DynamicGate(2, 3, threshold=threshold)
