"""MID-L: numbers by hand, exactly k open, and a mask that is executed as it is reported."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.gates import topk
from minimidl.layers import MIDL
from minimidl.layers.midl import count_open

LN3 = math.log(3)
ROOT3 = math.sqrt(3)


def hand_layer(**options: Any) -> MIDL:
    """One input, three neurons: full = (x, 2x, 3x), sigmoid(z) = (3/4, 1/2, 1/4), two open."""
    layer = MIDL(1, 3, keep=2, activation="linear", gate="linear", dtype=np.float64, **options)
    layer.params["weight"][...] = [[1, 2, 3]]
    layer.params["gate.weight"][...] = 0
    layer.params["gate.bias"][...] = [LN3, 0, -LN3]
    return layer


def surrogate(g: np.ndarray) -> np.ndarray:
    """The cut is -ln(3)/2, so u = ln(3) (3/2, 1/2, -1/2) and s(u) s(-u) = e^u / (1 + e^u)^2."""
    d = np.array([3 * ROOT3 / (1 + 3 * ROOT3) ** 2, *[ROOT3 / (1 + ROOT3) ** 2] * 2])
    return d * (g - (d * g).sum() / d.sum())


def test_forward_by_hand() -> None:
    output, memory = hand_layer().forward(np.array([[2.0]]))
    np.testing.assert_allclose(output, [[1.5, 2, 0]], rtol=1e-15)  # (3/4 2, 1/2 4, closed)
    decision = memory["decision"]
    assert decision.active.tolist() == [[True, True, False]]
    np.testing.assert_allclose(decision.probability, [[0.75, 0.5, 0.25]], rtol=1e-15)
    np.testing.assert_allclose(decision.gate, [[0.75, 0.5, 0]], rtol=1e-15)
    assert memory["probability"] is decision.probability


def test_backward_by_hand() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.array([[2.0]]))
    grad_x, grads = layer.backward(np.ones((1, 3)), memory)
    # full path: grad_u = gate = (3/4, 1/2, 0), dx = 3/4 1 + 1/2 2
    np.testing.assert_allclose(grad_x, [[1.75]], rtol=1e-14)
    np.testing.assert_allclose(grads["weight"], [[1.5, 1, 0]], rtol=1e-14)
    np.testing.assert_allclose(grads["bias"], [0.75, 0.5, 0], rtol=1e-14)
    # gate: d(gate) = full = (2, 4, 6); through a: full m a (1 - a) = (2 3/16, 4 1/4, 0);
    # through m: the surrogate's pull on full a = (3/2, 2, 3/2)
    grad_z = np.array([0.375, 1, 0]) + surrogate(np.array([1.5, 2, 1.5]))
    np.testing.assert_allclose(grads["gate.bias"], grad_z, rtol=1e-13)
    np.testing.assert_allclose(grads["gate.weight"], 2 * grad_z[None, :], rtol=1e-13)


def test_binary_gate_value_by_hand() -> None:
    layer = hand_layer(gate_value="binary")
    output, memory = layer.forward(np.array([[2.0]]))
    assert output.tolist() == [[2, 4, 0]]
    _, grads = layer.backward(np.ones((1, 3)), memory)
    np.testing.assert_allclose(grads["gate.bias"], surrogate(np.array([2.0, 4, 6])), rtol=1e-13)


def test_light_path_by_hand() -> None:
    layer = MIDL(2, 2, keep=1, activation="linear", gate="linear", light="identity",
                 dtype=np.float64)
    layer.params["weight"][...] = [[2, 0], [0, 2]]
    layer.params["gate.weight"][...] = 0
    layer.params["gate.bias"][...] = [LN3, -LN3]
    output, memory = layer.forward(np.array([[1.0, 3.0]]))
    # full (2, 6), light (1, 3), gate (3/4, 0): 1 + 3/4 (2 - 1), and 3
    np.testing.assert_allclose(output, [[1.75, 3]], rtol=1e-15)
    grad_x, _ = layer.backward(np.ones((1, 2)), memory)
    np.testing.assert_allclose(grad_x, [[2 * 0.75 + 0.25, 1]], rtol=1e-14)


def test_budget_gradient_by_hand() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.array([[2.0]]))
    _, grads = layer.backward(np.zeros((1, 3)), memory, np.array([[1.0, 2.0, 4.0]]))
    np.testing.assert_allclose(grads["gate.bias"], [3 / 16, 2 / 4, 4 * 3 / 16], rtol=1e-14)
    assert not grads["weight"].any()


@given(fraction=st.floats(1e-6, 1.0), n=st.integers(1, 2000))
def test_a_fraction_never_opens_more_than_was_asked_for_but_at_least_one(
    fraction: float, n: int
) -> None:
    k = count_open(fraction, n)
    assert 1 <= k <= n
    assert k == 1 or k <= fraction * n + 1e-6
    assert k > fraction * n - 1


def test_a_whole_number_is_a_count_and_a_float_a_fraction() -> None:
    assert count_open(1, 10) == 1
    assert count_open(1.0, 10) == 10
    assert count_open(np.int64(3), 10) == 3
    assert count_open(0.3, 10) == 3  # 0.3 * 10 is 3.0000000000000004 or 2.9999...: still 3
    assert count_open(0.29, 100) == 29  # 0.29 * 100 = 28.999999999999996
    assert count_open(0.45, 512) == 230


@pytest.mark.parametrize("keep", [1, 3, 8, 0.45, 1.0])
@pytest.mark.parametrize("training", [False, True])
def test_exactly_k_gates_are_open_in_every_row(keep: float, training: bool) -> None:
    layer = MIDL(5, 8, keep=keep, dtype=np.float64)
    decision = layer.decide(np.random.default_rng(0).normal(size=(20, 5)), training)
    assert (decision.active.sum(axis=1) == layer.k).all()
    assert set(np.unique(decision.mask)) <= {0.0, 1.0}


@pytest.mark.parametrize("keep", ["half", None, [1]])
def test_keep_is_a_number(keep: object) -> None:
    with pytest.raises(InputError, match=r"keep: got .*, expected a fraction"):
        MIDL(5, 8, keep=keep)  # type: ignore[arg-type]


@pytest.mark.parametrize("keep", [1.0, 6])
def test_everything_open_is_a_layer_gated_by_its_probability_alone(keep: float) -> None:
    layer = MIDL(3, 6, keep=keep, activation="tanh", dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(4, 3))
    output, memory = layer.forward(x)
    a = memory["decision"].probability
    np.testing.assert_allclose(output, a * np.tanh(x @ layer.params["weight"]), atol=1e-14)
    _, grads = layer.backward(np.ones((4, 6)), memory)
    expected = (memory["full"] * a * (1 - a)).sum(axis=0)  # no surrogate: nothing is chosen
    np.testing.assert_allclose(grads["gate.bias"], expected, atol=1e-14)


def test_equal_scores_open_the_lowest_indices() -> None:
    layer = MIDL(2, 5, keep=2, dtype=np.float64)
    for name in ("gate.down", "gate.up", "gate.bias"):
        layer.params[name][...] = 0
    assert layer.decide(np.ones((1, 2))).active.tolist() == [[True, True, False, False, False]]


def test_one_unit() -> None:
    output, memory = MIDL(2, 1, keep=0.1, dtype=np.float64).forward(np.ones((1, 2)))
    assert output.shape == (1, 1)
    assert memory["decision"].active.all()


@pytest.mark.parametrize("topk_name", ["hard", "sigmoid"])
@pytest.mark.parametrize("gate_value", ["probability", "binary"])
def test_scores_of_ten_thousand(topk_name: str, gate_value: str) -> None:
    layer = MIDL(1, 4, keep=2, gate="linear", topk=topk_name, gate_value=gate_value)
    layer.params["gate.bias"][...] = [1e4, -1e4, 0, 5e3]
    output, memory = layer.forward(np.ones((1, 1), np.float32), training=True)
    grad_x, grads = layer.backward(np.ones_like(output), memory)
    assert all(np.isfinite(a).all() for a in (output, grad_x, *grads.values()))
    if topk_name == "hard":
        assert memory["decision"].active.tolist() == [[True, False, False, True]]


def test_a_soft_operator_is_soft_in_training_and_hard_in_evaluation() -> None:
    layer = MIDL(4, 8, keep=3, topk="sigmoid", temperature=0.5, dtype=np.float64)
    x = np.random.default_rng(2).normal(size=(6, 4))
    training, evaluation = layer.decide(x, training=True), layer.decide(x)
    expected, _ = topk("sigmoid").forward(training.scores, 3, 0.5)
    assert (training.mask == expected).all()
    assert training.active.all()  # soft: every neuron is executed, and that is what is reported
    assert (evaluation.active.sum(axis=1) == 3).all()
    assert set(np.unique(evaluation.mask)) == {0.0, 1.0}


def test_temperature_changed_in_the_state_is_used() -> None:
    layer = MIDL(4, 8, keep=3, topk="sigmoid", temperature=4.0, dtype=np.float64)
    x = np.random.default_rng(2).normal(size=(6, 4))
    warm = layer.decide(x, training=True).mask
    layer.state["temperature"][...] = 0.01
    cold = layer.decide(x, training=True).mask
    assert layer.temperature == 0.01
    assert np.abs(cold - 0.5).min() > np.abs(warm - 0.5).min()
    np.testing.assert_allclose(cold, layer.decide(x).mask, atol=0.2)


@pytest.mark.parametrize("open_probability", [0.2, 0.65, 0.85])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("gate", ["linear", "low-rank"])
def test_the_starting_probability_is_what_was_asked_for_at_any_temperature(
    open_probability: float, temperature: float, gate: str
) -> None:
    layer = MIDL(16, 64, gate=gate, open_probability=open_probability, temperature=temperature,
                 dtype=np.float64)
    at_origin = layer.decide(np.zeros((1, 16))).probability
    np.testing.assert_allclose(at_origin, open_probability, rtol=1e-12)
    around = layer.decide(np.random.default_rng(3).normal(size=(200, 16))).probability
    assert np.median(around) == pytest.approx(open_probability, abs=0.06)


@pytest.mark.parametrize(("options", "message"), [
    ({"keep": 0.0}, r"keep: got 0.0, expected a fraction in \(0, 1\]"),
    ({"keep": 1.5}, r"keep: got 1.5, expected a fraction in \(0, 1\]"),
    ({"keep": -0.1}, r"keep: got -0.1, expected a fraction"),
    ({"keep": math.nan}, r"keep: got nan, expected a fraction"),
    ({"keep": 0}, r"keep: got 0, expected a count from 1 to 6 gates"),
    ({"keep": 7}, r"keep: got 7, expected a count from 1 to 6 gates"),
    ({"keep": 4, "block": 2}, r"keep: got 4, expected a count from 1 to 3 gates"),
    ({"topk": "best"}, r"topk: got 'best', expected one of sigmoid, hard"),
])
def test_bad_arguments_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MIDL(4, 6, **options)
