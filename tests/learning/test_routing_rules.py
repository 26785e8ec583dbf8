"""Routing losses as entries of fit: what they say, and where their pull arrives."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import MIDL, Experts, Linear, Sequential, gated_layers
from minimidl.learning import Importance, Load, LoadBalance, RouterZ
from minimidl.learning.budget import Budget, total_budget
from minimidl.losses import importance_cv, load_balance, z_loss

X = np.random.default_rng(0).normal(size=(12, 6))
DOUBLE = {"dtype": np.float64}


def model_of(router="topk", **options):
    return Sequential(MIDL(6, 6, **DOUBLE, seed=1),
                      Experts(6, 8, n_experts=4, router=router, seed=2, **DOUBLE, **options),
                      Experts(8, 8, n_experts=2, router=router, seed=3, **DOUBLE, **options),
                      Linear(8, 3, **DOUBLE))


def forward(model):
    return model.forward(X, True, np.random.default_rng(1))


RULES = {
    "balance": (LoadBalance(0.5), lambda d, layer: load_balance(
        d.probability, d.memory["chosen"])[0]),
    "z": (RouterZ(0.5), lambda d, layer: z_loss(d.scores)[0]),
    "importance": (Importance(0.5), lambda d, layer: importance_cv(d.gate)[0]),
    "load": (Load(0.5), lambda d, layer: importance_cv(layer.chooser.load(d))[0]),
}


@pytest.mark.parametrize("name", list(RULES))
def test_the_value_is_the_sum_over_the_routed_layers(name):
    rule, value_of = RULES[name]
    model = model_of("noisy-topk", k=1, renormalise=False)
    _, memory = forward(model)
    value, pulls = rule(gated_layers(model), memory, 1.0)
    each = [value_of(memory[path]["decision"], model.layers[int(path)]) for path in "12"]
    assert value == pytest.approx(0.5 * sum(each), rel=1e-12)
    assert sorted(pulls) == ["1", "2"]


@pytest.mark.parametrize("name", list(RULES))
def test_the_pull_is_the_derivative_of_the_value(name):
    """The whole way: rule, sequential, router, network; by differences of a router's bias."""
    rule, _ = RULES[name]
    model = model_of("noisy-topk", k=1, renormalise=False)
    bias = model.params["2.gate.bias"]
    output, memory = forward(model)
    _, grad_gate = total_budget([rule], gated_layers(model), memory, 1.0)
    _, grads = model.backward(np.zeros_like(output), memory, grad_gate)
    for index in range(len(bias)):
        either = []
        for step in (1e-6, -1e-6):
            bias[index] += step
            either.append(rule(gated_layers(model), forward(model)[1], 1.0)[0])
            bias[index] -= step
        slope = (either[0] - either[1]) / 2e-6
        assert grads["2.gate.bias"][index] == pytest.approx(slope, abs=1e-8), (name, index)


def test_rules_and_budgets_add_up():
    model = model_of()
    output, memory = forward(model)
    layers = gated_layers(model)
    rules = [LoadBalance(0.1), RouterZ(0.2), Importance(0.3), Budget("mean", 0.4)]
    total, grad_gate = total_budget(rules, layers, memory, 1.0)
    assert total == pytest.approx(sum(rule(layers, memory, 1.0)[0] for rule in rules))
    nothing = np.zeros_like(output)
    _, together = model.backward(nothing, memory, grad_gate)
    apart = [model.backward(nothing, memory, rule(layers, memory, 1.0)[1])[1] for rule in rules]
    for name in together:
        np.testing.assert_allclose(together[name], sum(part[name] for part in apart), atol=1e-14)


def test_a_lone_layer_takes_the_pull_itself():
    layer = Experts(6, 8, n_experts=4, **DOUBLE)
    output, memory = layer.forward(X)
    _, grad_gate = total_budget([RouterZ(1.0)], {"": layer}, memory, 1.0)
    _, grads = layer.backward(0 * output, memory, grad_gate)
    assert np.abs(grads["gate.bias"]).max() > 1e-3


def test_what_does_not_fit_is_told():
    plain = MIDL(6, 6, **DOUBLE)
    _, memory = plain.forward(X)
    with pytest.raises(InputError, match="model: got no layer with a router"):
        LoadBalance()({"": plain}, memory, 1.0)
    model = model_of("switch")
    with pytest.raises(InputError, match="router: got SwitchRouter, expected a noisy Top-k"):
        Load()(gated_layers(model), forward(model)[1], 1.0)
    with pytest.raises(InputError, match="strength: got -1, expected a number of at least 0"):
        RouterZ(-1)
