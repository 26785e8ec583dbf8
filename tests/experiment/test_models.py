"""Models by name."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.experiment import MODELS, ModelOptions, build_model
from minimidl.experiment.models import matched_twin
from minimidl.layers import (
    Dropout,
    DynamicGate,
    GatedStack,
    InputGate,
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    ReLU,
    gated_layers,
)


@pytest.mark.parametrize("name", MODELS)
def test_every_name_builds_its_widths(name):
    model = build_model(name, 7, 3, ModelOptions(width=(8, 6), keep=0.5, experts_number=2))
    output, _ = model.forward(np.zeros((2, 7), np.float32))
    assert output.shape == (2, 3)
    full = [key for key in model.params if key.endswith(".weight") and ".gate." not in key]
    assert [model.params[key].shape for key in full] == [(7, 8), (8, 6), (6, 3)]


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first, again, other = (build_model("midl", 7, 3, seed=s) for s in (1, 1, 2))
    assert all(np.array_equal(first.params[k], again.params[k]) for k in first.params)
    assert not np.array_equal(first.params["0.weight"], other.params["0.weight"])


def test_dropout_is_dense_with_at_least_half_dropped():
    rates = [layer.rate for layer in build_model("dropout", 7, 3).layers
             if isinstance(layer, Dropout)]
    assert rates == [0.5]
    assert not any(isinstance(layer, Dropout) for layer in build_model("dense", 7, 3).layers)


def test_options_reach_the_layers():
    options = ModelOptions(width=(8,), keep=1, gate_block=4, gate_rank=3, light_path="linear",
                           gate_value="binary", gate_temperature=0.5)
    layer = gated_layers(build_model("midl", 7, 3, options))["0"]
    assert (layer.k, layer.block, layer.gate.rank) == (1, 4, 3)
    assert (layer.gate_value, layer.temperature) == ("binary", 0.5)
    assert layer.params["light.weight"].shape == (7, 8)


def test_shared_gates_refuse_what_they_do_not_have():
    with pytest.raises(InputError, match=r"light\.path"):
        build_model("dynamicgate", 7, 3, ModelOptions(gate_budget="model", light_path="linear"))
    with pytest.raises(InputError, match=r"gate\.budget: got 'model' for input-gate"):
        build_model("input-gate", 7, 3, ModelOptions(gate_budget="model"))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"model: got 'gpt', expected one of dense, dropout, midl"):
        build_model("gpt", 7, 3)


def test_missing_connections_reach_the_last_layer_but_not_behind_a_gate():
    kinds = {name: [type(layer) for layer in build_model(name, 7, 3).layers]
             for name in ("pruned", "set", "rigl", "dynamicgate+rigl")}
    assert kinds["pruned"] == kinds["set"] == kinds["rigl"] == [MaskedLinear, ReLU, MaskedLinear]
    assert kinds["dynamicgate+rigl"] == [MaskedDynamicGate, Linear]


def test_experts_need_a_width_that_they_divide():
    with pytest.raises(InputError, match=r"experts\.number: got 8, expected a divisor of .* 100"):
        build_model("switch", 7, 3, ModelOptions(width=(100,)))
    for number in (0, -8):
        with pytest.raises(InputError, match=rf"experts\.number: got {number}, expected a divisor"):
            build_model("switch", 7, 3, ModelOptions(experts_number=number))
    layer = gated_layers(build_model("topk-moe", 7, 3, ModelOptions(width=(12,),
                                                                    experts_number=4)))["0"]
    assert (layer.n_experts, layer.block, layer.choice.k) == (4, 3, 2)


@pytest.mark.parametrize("name", ["switch", "topk-moe", "expert-choice", "soft-moe"])
def test_experts_of_the_cost_of_their_dense_twin(name):
    def params(model):
        return sum(p.size for p in model.params.values())

    dense = build_model("dense", 64, 10, ModelOptions())
    same = build_model(name, 64, 10, ModelOptions(experts_match="params"))
    assert 0.93 * params(dense) < params(same) <= params(dense)
    as_dear = build_model(name, 64, 10, ModelOptions(experts_match="macs"))
    share = {"switch": 1 / 8, "soft-moe": 1.0}.get(name, 2 / 8)  # of the neurons run
    assert as_dear.layers[0].n_units * share == pytest.approx(256 * 0.95, rel=0.05)
    with pytest.raises(InputError, match=r"experts\.match: got 'params' for the widths"):
        build_model(name, 64, 10, ModelOptions(width=(8, 8), experts_match="params"))
    for other in ({"experts_gate": "mlp"}, {"light_path": "low-rank"}):  # parameters of their own
        with pytest.raises(InputError, match=r"experts\.match: got 'macs' with experts\.gate="):
            build_model(name, 64, 10, ModelOptions(experts_match="macs", **other))


def test_only_mixtures_of_matched_size_have_a_twin_of_other_widths():
    twin = matched_twin("switch", 64, 10, ModelOptions(experts_match="macs"))
    assert [layer.n_out for layer in twin.layers if type(layer) is Linear] == [256, 10]
    assert matched_twin("switch", 64, 10, ModelOptions()) is None
    assert matched_twin("midl", 64, 10, ModelOptions(experts_match="macs")) is None


def test_a_static_gate_is_a_dynamic_gate_with_one_mask_for_all():
    model = build_model("static-gate", 7, 3, ModelOptions(width=(8, 6), gate_min_keep=2))
    assert all(type(layer) is DynamicGate for layer in gated_layers(model).values())
    x = np.random.default_rng(0).normal(size=(9, 7)).astype(np.float32)
    active = model.layers[0].decide(x).active
    assert (active == active[0]).all()
    assert model.layers[0].choice.min_keep == 2


def test_an_input_gate_stands_before_every_dense_layer():
    model = build_model("input-gate", 7, 3, ModelOptions(width=(8, 6), keep=2, gate_noise=0.1))
    assert [type(layer).__name__ for layer in model.layers] == [
        "InputGate", "Linear", "ReLU", "InputGate", "Linear", "ReLU", "Linear"]
    gates = gated_layers(model)
    assert [gate.chooser.k for gate in gates.values()] == [2, 2]
    assert all(isinstance(gate, InputGate) and gate.noise == 0.1 for gate in gates.values())


@pytest.mark.parametrize("budget", ["model", "layer"])
@pytest.mark.parametrize("name", ["midl", "dynamicgate"])
def test_a_shared_budget_builds_one_stack(name, budget):
    options = ModelOptions(width=(8, 6), keep=0.5, gate_budget=budget, gate_block=2, dropout=0.1)
    model = build_model(name, 7, 3, options)
    assert [type(layer) for layer in model.layers] == [GatedStack, Dropout, Linear]
    stack = model.layers[0]
    assert (stack.widths, stack.n_gates) == ((8, 6), 7)
    x = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    shares = stack.decide(x).active[:, :4].sum(axis=1)
    fixed = name == "midl" and budget == "layer"
    assert (len(np.unique(shares)) == 1) == fixed  # else the first layer's share follows the sample


@pytest.mark.parametrize(("name", "options", "message"), [
    ("static-gate", {"gate_budget": "model"}, "gate.budget: got 'model' for static-gate"),
    ("input-gate", {"gate_budget": "layer"}, "gate.budget: got 'layer' for input-gate"),
    ("midl", {"gate_budget": "model", "light_path": "linear"}, "light.path: got 'linear'"),
    ("midl", {"gate_budget": "all"}, "budget: got 'all'"),
    ("dynamicgate", {"gate_min_keep": 300}, "min_keep: got 300"),
])
def test_options_that_do_not_go_together_are_refused(name, options, message):
    with pytest.raises(InputError) as caught:
        build_model(name, 7, 3, ModelOptions(**options))
    assert message in str(caught.value)


def test_guards_and_codes_reach_every_kind_of_gate():
    x = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    for name, options in (
        ("input-gate", ModelOptions(gate_choose="threshold", gate_min_keep=3, gate_open=0.01)),
        ("dynamicgate", ModelOptions(gate_budget="model", gate_min_keep=3, gate_open=0.01)),
    ):
        gate = build_model(name, 8, 3, options).layers[0]
        assert gate.decide(x).active.sum(axis=1).min() >= 3
    coded = build_model("input-gate", 8, 3, ModelOptions(gate_topk="dselect-k", keep=2)).layers[0]
    assert coded.decide(x).active.sum(axis=1).max() <= 2
