"""The accountant, against sums done by hand."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    GatedStack,
    InputGate,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
)
from minimidl.measure import count_macs


def count(model, n=5, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, model.n_in)).astype(np.float32)
    return count_macs(model, model.forward(x)[1])


def test_a_dense_network_costs_its_products():
    counted = count(Sequential(Linear(4, 6), ReLU(), Linear(6, 3)))
    assert counted.dense == 4 * 6 + 6 * 3
    assert counted.summary() == {
        "active_ratio": 1.0, "mac_ratio": 1.0, "mac_ratio_with_gate": 1.0, "macs": 42.0}


def test_a_gated_layer_by_hand():
    # 2 of 6 neurons open: 4*2 products, then 2*3 in the next layer; gate 4*2 + 2*6, and 2 products
    # with the gate value; dense twin 4*6 + 6*3.
    counted = count(Sequential(MIDL(4, 6, keep=2, gate_rank=2), Linear(6, 3)))
    assert counted.dense == 42
    assert counted.without_gate.tolist() == [8 + 6] * 5
    assert counted.with_gate.tolist() == [14 + 20 + 2] * 5
    assert counted.active_ratio == pytest.approx(2 / 6)


def test_binary_gates_multiply_nothing_and_linear_gates_cost_a_layer():
    counted = count(Sequential(MIDL(4, 6, keep=2, gate="linear", gate_value="binary"),
                               Linear(6, 3)))
    assert counted.with_gate.tolist() == [14 + 4 * 6] * 5


def test_blocks_need_one_score_each():
    counted = count(Sequential(MIDL(4, 6, keep=1, block=3, gate="linear", gate_value="binary"),
                               Linear(6, 3)))
    assert counted.with_gate.tolist() == [4 * 3 + 3 * 3 + 4 * 2] * 5


@pytest.mark.parametrize(("light", "cost"), [("low-rank", 2 * (6 + 6)), ("linear", 36),
                                             ("identity", 0)])
def test_a_light_path_costs_and_fills_the_next_layer(light, cost):
    model = Sequential(MIDL(6, 6, keep=2, gate_rank=2, light=light, light_rank=2), Linear(6, 3))
    counted = count(model)
    assert counted.layers[0].light.tolist() == [cost]
    assert counted.layers[1].layer.tolist() == [6 * 3]  # no column of the next layer is saved


def test_zeros_pass_relu_and_dropout_but_not_sigmoid_or_norm():
    def next_layer(*between):
        return count(Sequential(MIDL(4, 6, keep=2), *between, Linear(6, 3))).layers[1].layer.mean()

    assert next_layer(ReLU(), Dropout(0.5)) == 2 * 3
    assert next_layer(Sigmoid()) == next_layer(LayerNorm(6)) == 6 * 3


def test_counting_is_per_sample_not_a_product_of_means():
    # Half of the samples open everything in both layers, half nothing: E|S1||S2| = 36/2 = 18, but
    # E|S1| E|S2| = 3 * 3 = 9.
    first = DynamicGate(1, 6, gate="linear")
    second = DynamicGate(6, 6, gate="linear")
    first.params["gate.weight"][:], first.params["gate.bias"][:] = 1, 0
    first.params["weight"][:] = 1
    second.params["gate.weight"][:], second.params["gate.bias"][:] = 1, -0.5
    model = Sequential(first, second, Linear(6, 2))
    x = np.array([[1.0], [-1.0]], np.float32)
    counted = count_macs(model, model.forward(x)[1])
    assert counted.layers[1].layer.tolist() == [36, 0]
    assert counted.layers[1].layer.mean() == 18
    assert counted.layers[1].gate.tolist() == [36, 0]  # the second gate reads open columns only
    assert counted.active_ratio == 0.5


def test_fewer_neurons_against_fewer_macs():
    # 45 % of 512 neurons: 1 / 0.45 = 2.2 times fewer products is the bound; a rank-8 gate costs
    # part of it, a full-rank gate more than everything.
    low = count(Sequential(MIDL(512, 512, keep=0.45, gate_value="binary", gate_rank=8)), 2)
    full = count(Sequential(MIDL(512, 512, keep=0.45, gate_value="binary", gate="linear")), 2)
    assert low.summary()["mac_ratio_with_gate"] == pytest.approx(230 / 512 + 8 * 1024 / 512**2)
    assert full.summary()["mac_ratio_with_gate"] > 1.4


def test_compares_are_told_beside_the_macs():
    topk = count(Sequential(MIDL(4, 8, keep=2), Linear(8, 2)))
    threshold = count(Sequential(DynamicGate(4, 8), Linear(8, 2)))
    assert topk.layers[0].compares == 8 * 3
    assert threshold.layers[0].compares == 8


def test_compares_of_shared_gates_follow_their_budgets():
    def told(**options):
        return count(Sequential(GatedStack(4, (8, 4), **options), Linear(4, 2))).layers[0].compares

    assert told(keep=4) == 12 * 4  # one Top-k of 12
    assert told(keep=2, budget="layer") == 8 * 3 + 4 * 2  # one of 8 and one of 4
    assert told(choose="threshold", budget="layer") == 12
    assert count(Sequential(InputGate(8), Linear(8, 2))).layers[0].compares == 8 * 3


def test_static_gates_cost_nothing_and_mlp_gates_as_much_as_low_rank_ones():
    def gate_cost(**options):
        model = Sequential(MIDL(4, 6, keep=2, gate_value="binary", **options), Linear(6, 3))
        return count(model).layers[0].gate.tolist()

    assert gate_cost(gate="static") == [0]
    assert gate_cost(gate="mlp", gate_rank=3) == gate_cost(gate_rank=3) == [3 * (4 + 6)]


def test_after_an_input_gate_only_open_features_are_read():
    # 2 of 6 features open: gate 6*2 + 2*6; then 2 columns of the linear layer, 2*5.
    counted = count(Sequential(InputGate(6, keep=2, gate_rank=2), Linear(6, 5)))
    assert counted.dense == 30
    assert counted.layers[0].gate.tolist() == [24]  # the same for every sample
    assert counted.layers[1].layer.tolist() == [10] * 5
    assert counted.with_gate.tolist() == [34] * 5
    assert counted.active_ratio == pytest.approx(2 / 6)


def test_an_input_gate_with_values_multiplies_what_is_open():
    counted = count(Sequential(InputGate(6, keep=2, gate_rank=2, gate_value="probability"),
                               Linear(6, 5)))
    assert counted.layers[0].gate.tolist() == [24 + 2] * 5


def test_a_gated_layer_after_an_input_gate_reads_open_features_too():
    # MIDL: 2 open features times 3 open neurons; its low-rank gate reads 2 features: 2*2 + 2*8.
    model = Sequential(InputGate(6, keep=2), MIDL(6, 8, keep=3, gate_rank=2, gate_value="binary"),
                       Linear(8, 4))
    counted = count(model)
    assert counted.layers[1].layer.tolist() == [6] * 5
    assert counted.layers[1].gate.tolist() == [2 * 2 + 2 * 8] * 5
    assert counted.layers[2].layer.tolist() == [3 * 4] * 5


def test_an_open_feature_may_still_be_known_to_be_0():
    # MIDL leaves 2 of 6 numbers that may differ from 0; an input gate that opens 4 cannot add any,
    # and leaves those of the 2 that it opens.
    model = Sequential(MIDL(4, 6, keep=2), InputGate(6, keep=4, gate_rank=2), Linear(6, 5))
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    memory = model.forward(x)[1]
    counted = count_macs(model, memory)
    assert counted.layers[1].gate.tolist() == [2 * 2 + 2 * 6] * 50
    both = memory["0"]["decision"].active & memory["1"]["decision"].active
    assert counted.layers[2].layer.tolist() == (5 * both.sum(axis=1)).tolist()
    assert {0, 1, 2} >= set(both.sum(axis=1).tolist()) > {2}  # fewer than 2, for some


@pytest.mark.parametrize("budget", ["model", "layer"])
def test_a_stack_by_hand(budget):
    stack = GatedStack(4, (6, 3), keep=2, budget=budget, gate_rank=2)
    model, x = Sequential(stack, Linear(3, 5)), np.random.default_rng(0).normal(
        size=(50, 4)).astype(np.float32)
    counted = count_macs(model, model.forward(x)[1])
    active = stack.decide(x).active
    first, second = active[:, :6].sum(axis=1), active[:, 6:].sum(axis=1)
    assert (first + second == (2 if budget == "model" else 4)).all()
    assert counted.dense == 4 * 6 + 6 * 3 + 3 * 5
    assert (counted.layers[0].layer == 4 * first + first * second).all()
    assert (counted.layers[0].gate == 2 * (4 + 9) + first + second).all()
    assert (counted.layers[1].layer == second * 5).all()
    assert counted.active_ratio == pytest.approx((2 if budget == "model" else 4) / 9)


def test_blocks_of_a_stack_count_as_neurons():
    counted = count(Sequential(GatedStack(4, (6, 4), keep=1, budget="layer", block=2,
                                          gate="static", gate_value="binary"), Linear(4, 3)))
    assert counted.with_gate.tolist() == [4 * 2 + 2 * 2 + 2 * 3] * 5


def test_a_model_without_products_is_refused():
    model = ReLU()
    with pytest.raises(InputError, match="model: got ReLU, expected a model with a linear"):
        count_macs(model, model.forward(np.ones((1, 2)))[1])
