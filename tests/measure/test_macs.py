"""The accountant, against sums done by hand."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import MIDL, Dropout, DynamicGate, LayerNorm, Linear, ReLU, Sequential, Sigmoid
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


def test_a_model_without_products_is_refused():
    model = ReLU()
    with pytest.raises(InputError, match="model: got ReLU, expected a model with a linear"):
        count_macs(model, model.forward(np.ones((1, 2)))[1])
