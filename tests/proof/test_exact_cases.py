"""Points where differences are blind or undefined: the derivative there is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.gates import topk
from minimidl.layers import MIDL, Dropout, DynamicGate, LayerNorm, Linear, ReLU
from minimidl.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    huber,
    huber_backward,
    keep_alive,
    keep_alive_backward,
)
from minimidl.proof import prove_layer

RNG = np.random.default_rng(8)
DOUBLE = {"dtype": np.float64}


def gradients(layer, x: np.ndarray, grad_output: np.ndarray, **options: object) -> tuple:
    output, memory = layer.forward(x, **options)
    return output, *layer.backward(grad_output, memory)


def test_relu_at_its_kink_takes_the_closed_side() -> None:
    _, grad_x, _ = gradients(ReLU(), np.array([[-1.0, 0.0, -0.0, 2.0]]), np.full((1, 4), 3.0))
    assert grad_x.tolist() == [[0.0, 0.0, 0.0, 3.0]]


def test_huber_where_square_and_line_meet() -> None:
    _, memory = huber(np.array([1.0, -1.0, 3.0, 0.5]), np.zeros(4), delta=1.0)
    assert huber_backward(memory).tolist() == [0.25, -0.25, 0.25, 0.125]


def test_keep_alive_exactly_at_its_floor() -> None:
    value, memory = keep_alive(np.full((2, 2), 0.5), 0.5)
    assert value == 0.0
    assert not keep_alive_backward(memory).any()


@pytest.mark.parametrize("name", ["sigmoid", "hard"])
@pytest.mark.parametrize("k", [0, 5])
def test_choosing_none_or_all_has_no_derivative(name: str, k: int) -> None:
    p, memory = topk(name).forward(RNG.normal(size=(3, 5)), k)
    assert np.all(p == (k == 5))
    grads = topk(name).backward(RNG.normal(size=(3, 5)), memory)
    assert all(np.all(g == 0) for g in grads.values())
    assert grads["scores"].shape == (3, 5)


def test_hard_ties_open_the_lowest_index_and_move_no_budget() -> None:
    scores = np.array([[1.0, 1.0, 1.0, 0.0]])
    p, memory = topk("hard").forward(scores, 2)
    assert p.tolist() == [[1.0, 1.0, 0.0, 0.0]]
    grads = topk("hard").backward(np.array([[1.0, -2.0, 0.5, 3.0]]), memory)
    # The cut lies on the tie: u = (0, 0, 0, -1), d = (1/4, 1/4, 1/4, s(1) s(-1)).
    d = np.array([0.25, 0.25, 0.25, np.exp(-1.0) / (1 + np.exp(-1.0)) ** 2])
    mean = (d * [1.0, -2.0, 0.5, 3.0]).sum() / d.sum()
    assert grads["scores"][0] == pytest.approx(d * (np.array([1.0, -2.0, 0.5, 3.0]) - mean))
    assert grads["scores"].sum() == pytest.approx(0.0, abs=1e-15)


def test_soft_ties_share_the_place() -> None:
    p, memory = topk("sigmoid").forward(np.array([[2.0, 1.0, 1.0, 1.0, 0.0]]), 2, 0.01)
    assert p[0] == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0], abs=1e-12)
    grads = topk("sigmoid").backward(np.array([[0.0, 1.0, 0.0, 0.0, 0.0]]), memory)
    # Among three equals J = d (I - 1/3) / T with d = 2/9: 2/3 of d / T stays, the rest is taken.
    share = 2 / 9 / 0.01
    assert grads["scores"][0] == pytest.approx(
        [0, share * 2 / 3, -share / 3, -share / 3, 0], abs=1e-9)


@pytest.mark.parametrize("name", ["sigmoid", "hard"])
def test_frozen_operators_answer_zero_and_never_nan(name: str) -> None:
    scores = np.array([[1e4, 5e3, -5e3, -1e4]])
    p, memory = topk(name).forward(scores, 2, 1e-3)
    assert p.tolist() == [[1.0, 1.0, 0.0, 0.0]]
    grads = topk(name).backward(np.ones((1, 4)), memory)
    assert grads["scores"].tolist() == [[0.0, 0.0, 0.0, 0.0]]
    assert all(np.all(np.isfinite(g)) for g in grads.values())


@pytest.mark.parametrize("value", ["binary", "probability"])
def test_with_every_gate_closed_nothing_runs_and_nothing_learns(value: str) -> None:
    layer = DynamicGate(4, 3, gate="linear", gate_value=value, **DOUBLE)
    layer.params["gate.bias"][:] = -1e4
    output, grad_x, grads = gradients(layer, RNG.normal(size=(2, 4)), np.ones((2, 3)))
    assert not output.any()
    assert not grad_x.any()
    assert not any(g.any() for g in grads.values())  # saturated: exactly 0, and not NaN


def test_with_every_gate_closed_the_light_path_still_learns() -> None:
    layer = DynamicGate(4, 3, gate="linear", light="linear", **DOUBLE)
    layer.params["gate.bias"][:] = -1e4
    x = RNG.normal(size=(2, 4))
    output, grad_x, grads = gradients(layer, x, np.ones((2, 3)))
    assert output == pytest.approx(x @ layer.params["light.weight"])
    assert grads["light.weight"] == pytest.approx(np.outer(x.sum(axis=0), np.ones(3)))
    assert grad_x == pytest.approx(np.tile(layer.params["light.weight"].sum(axis=1), (2, 1)))
    assert not grads["weight"].any()


def test_with_every_gate_open_midl_is_its_full_path() -> None:
    layer = MIDL(4, 3, keep=1.0, gate_value="binary", activation="tanh", seed=1, **DOUBLE)
    dense = Linear(4, 3, **DOUBLE)
    dense.params["weight"][...] = layer.params["weight"]
    x, grad_output = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 3))
    output, grad_x, grads = gradients(layer, x, grad_output)
    u, grad_dense_x, dense_grads = gradients(dense, x, grad_output * (1 - output**2))
    assert output == pytest.approx(np.tanh(u))
    assert grad_x == pytest.approx(grad_dense_x)
    assert grads["weight"] == pytest.approx(dense_grads["weight"])
    assert not grads["gate.bias"].any()  # nothing to choose, nothing to learn


@pytest.mark.parametrize("layer", [
    Linear(1, 1, **DOUBLE), MIDL(1, 1, keep=1, activation="tanh", gate_rank=1, **DOUBLE),
    MIDL(1, 1, keep=1, gate_value="binary", activation="tanh", gate_rank=1, **DOUBLE),
    DynamicGate(1, 1, activation="tanh", gate="linear", open_probability=0.9, **DOUBLE),
    MIDL(3, 1, keep=1, topk="sigmoid", activation="tanh", **DOUBLE),
], ids=["linear", "midl", "midl-binary", "dynamic-gate", "soft"])
@pytest.mark.parametrize("training", [False, True])
def test_one_sample_and_one_unit_are_proved_as_well(layer, training: bool) -> None:
    x = np.full((1, layer.n_in), 0.37)
    report = prove_layer(layer, x, training=training)
    assert report.passed, str(report)


@pytest.mark.parametrize("layer", [
    Linear(4, 3, **DOUBLE), LayerNorm(4, **DOUBLE), MIDL(4, 4, **DOUBLE),
    DynamicGate(4, 4, light="identity", **DOUBLE),
], ids=lambda layer: type(layer).__name__)
def test_an_empty_batch_has_gradients_of_zero(layer) -> None:
    output, grad_x, grads = gradients(layer, np.zeros((0, 4)), np.zeros((0, layer.n_out)))
    assert output.shape == (0, layer.n_out)
    assert grad_x.shape == (0, 4)
    assert {name: g.shape for name, g in grads.items()} == {
        name: p.shape for name, p in layer.params.items()}
    assert not any(g.any() for g in grads.values())


def test_layer_norm_of_a_constant_row_stays_finite() -> None:
    output, grad_x, grads = gradients(LayerNorm(3, **DOUBLE), np.full((2, 3), 7.0), np.eye(2, 3))
    assert not output.any()
    assert grad_x.sum(axis=1) == pytest.approx([0.0, 0.0], abs=1e-12)  # the mean is projected out
    assert grads["bias"].tolist() == [1.0, 1.0, 0.0]


def test_dropout_of_rate_zero_is_the_identity_even_in_training() -> None:
    x = RNG.normal(size=(2, 3))
    output, grad_x, _ = gradients(Dropout(0.0), x, x, training=True, rng=RNG)
    assert np.array_equal(output, x)
    assert np.array_equal(grad_x, x)


def test_saturated_losses_give_the_limit_and_no_overflow() -> None:
    logits = np.array([[1e4, 0.0], [0.0, 1e4]])
    value, memory = cross_entropy(logits, np.array([0, 0]))
    assert value == pytest.approx(5e3)
    assert cross_entropy_backward(memory).tolist() == [[0.0, 0.0], [-0.5, 0.5]]
    value, memory = binary_cross_entropy(np.array([-1e4, 1e4]), np.array([0.0, 0.0]))
    assert value == pytest.approx(5e3)
    assert binary_cross_entropy_backward(memory).tolist() == [0.0, 0.5]
