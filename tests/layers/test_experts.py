"""The layer of experts: what a block is, what is dropped, what a prediction depends on."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates.routers import ROUTERS, capacity_of
from minimidl.layers import Experts, Linear, Sequential
from minimidl.measure import count_macs

LIGHTS = ("zero", "identity", "low-rank", "linear")
X = np.random.default_rng(0).normal(size=(20, 8))


def make(**options):
    return Experts(8, 8, n_experts=4, dtype=np.float64, **options)


def run(layer, x=X, training=True):
    return layer.forward(x, training, np.random.default_rng(1))


@pytest.mark.parametrize("router", ROUTERS)
def test_an_expert_is_a_two_layer_network_with_the_linear_layer_after_it(router):
    experts = make(router=router, activation="tanh")
    linear = Linear(8, 3, dtype=np.float64)
    output, memory = Sequential(experts, linear).forward(X)
    gate, w, b = memory["0"]["decision"].gate, experts.params["weight"], experts.params["bias"]
    total = np.tile(linear.params["bias"], (20, 1))
    for e in range(4):
        own = slice(2 * e, 2 * e + 2)
        hidden = np.tanh(X @ w[:, own] + b[own])
        total += gate[:, e:e + 1] * (hidden @ linear.params["weight"][own])
    np.testing.assert_allclose(output, total, atol=1e-13)


@pytest.mark.parametrize("light", LIGHTS)
def test_a_dropped_sample_answers_with_the_light_path(light):
    layer = make(capacity=0.5, light=light, activation="tanh")
    output, memory = run(layer)
    decision = memory["decision"]
    dropped = ~decision.active.any(axis=1)
    assert 0 < dropped.sum() == decision.memory["dropped"].sum()
    assert decision.active.sum(axis=0).max() == capacity_of(0.5, 20, 1, 4)
    expected = {"zero": 0 * X, "identity": X}.get(light)
    if expected is None:
        expected = layer.light.forward(X)[0]
    np.testing.assert_array_equal(output[dropped], expected[dropped])
    assert (output[~dropped] != expected[~dropped]).any(axis=1).all()


def test_dropped_samples_teach_neither_router_nor_experts():
    layer = make(capacity=0.5, activation="tanh")
    output, memory = run(layer)
    dropped = ~memory["decision"].active.any(axis=1)
    grad_x, grads = layer.backward(np.ones_like(output) * dropped[:, None], memory)
    assert not grad_x.any()
    assert not any(value.any() for value in grads.values())


def test_no_capacity_is_as_much_as_comes():
    plain, roomy = make(), make(capacity=4.0)
    assert run(plain)[0].tobytes() == run(roomy)[0].tobytes()


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("light", LIGHTS)
def test_a_prediction_is_the_same_whoever_is_predicted_beside_it(router, light):
    layer = make(router=router, light=light, capacity=0.0 if router == "soft" else 0.5)
    together, _ = run(layer, training=False)
    shuffled = np.random.default_rng(5).permutation(20)
    np.testing.assert_allclose(run(layer, X[shuffled], False)[0], together[shuffled], atol=1e-13)
    for row in (0, 7, 19):
        alone, _ = run(layer, X[row:row + 1], False)
        np.testing.assert_allclose(alone[0], together[row], atol=1e-13)
    assert run(layer, training=False)[0].tobytes() == together.tobytes()


@pytest.mark.parametrize("router", ROUTERS)
def test_the_task_alone_moves_every_router(router):
    layer = make(router=router, activation="tanh")
    output, memory = run(layer)
    _, grads = layer.backward(np.random.default_rng(2).normal(size=output.shape), memory)
    for name in ("gate.weight", "gate.bias"):
        moved = np.abs(grads[name]).max(axis=0) if name == "gate.weight" else grads[name]
        assert (moved[:4] != 0).all(), f"{name}: an expert's logit hears nothing"


def test_a_renormalised_single_choice_would_move_nothing():
    layer = make(router="topk", k=2, activation="tanh")
    layer.choice.k = 1  # past the check that refuses it
    output, memory = run(layer)
    _, grads = layer.backward(np.random.default_rng(2).normal(size=output.shape), memory)
    assert not grads["gate.weight"].any()
    assert not grads["gate.bias"].any()
    with pytest.raises(InputError, match=r"k: got 1, .*the router gets no task gradient"):
        make(router="topk", k=1)


def test_only_executed_experts_are_trained():
    layer = make(activation="tanh")
    x = X[:1]
    output, memory = run(layer, x)
    chosen = int(memory["decision"].active[0].argmax())
    _, grads = layer.backward(np.ones_like(output), memory)
    trained = np.abs(grads["weight"]).max(axis=0).reshape(4, 2).max(axis=1)
    assert (trained > 0).tolist() == [expert == chosen for expert in range(4)]


@pytest.mark.parametrize(("router", "k", "open_experts"), [
    ("switch", None, 1), ("topk", 2, 2), ("topk", 4, 4), ("soft", None, 4)])
def test_macs_count_what_runs_and_the_router(router, k, open_experts):
    model = Sequential(Experts(8, 16, n_experts=4, router=router, k=k, dtype=np.float64),
                       Linear(16, 3, dtype=np.float64))
    counted = count_macs(model, model.forward(X)[1])
    units = 4 * open_experts
    assert counted.dense == 8 * 16 + 16 * 3
    # experts, router, one product per unit with its weight, and the columns of the next layer
    assert (counted.with_gate == 8 * units + 8 * 4 + units + units * 3).all()


def test_noise_of_the_learned_kind_starts_with_one_scale_for_all():
    for gate in ("linear", "low-rank", "mlp", "static"):
        layer = make(router="noisy-topk", gate=gate)
        memory = run(layer)[1]["decision"].memory
        np.testing.assert_allclose(memory["noise"]["scale"], np.log(2) + 0.01, rtol=1e-15)


def test_one_expert_is_a_dense_layer():
    layer = Experts(8, 6, n_experts=1, dtype=np.float64)
    output, _ = run(layer)
    dense = np.maximum(X @ layer.params["weight"] + layer.params["bias"], 0)
    np.testing.assert_allclose(output, dense, atol=1e-14)


def test_bad_options_are_told():
    with pytest.raises(InputError, match="n_experts: got 3, expected a divisor of n_units=8"):
        Experts(8, 8, n_experts=3)
    with pytest.raises(InputError, match=r"gate_noise: got 0\.1, expected 0: the noisy Top-k"):
        make(router="noisy-topk", gate_noise=0.1)
    with pytest.raises(InputError, match="router: got 'best'"):
        make(router="best")
    with pytest.raises(InputError, match="rng: got None"):
        make(router="noisy-topk").forward(X, training=True)
