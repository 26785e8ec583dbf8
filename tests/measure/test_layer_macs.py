"""Masked layers, weight gates, random gates and experts under the accountant, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    Experts,
    InputGate,
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    MaskedMIDL,
    OpenDropoutMIDL,
    RandomGate,
    ReLU,
    Sequential,
    WeightGate,
)
from minimidl.measure import count_macs

HAND_MASK = np.array([[1, 0, 1], [1, 1, 0]], bool)


def count(model, n=5, seed=0, **options):
    x = np.random.default_rng(seed).normal(size=(n, model.n_in)).astype(np.float32)
    return count_macs(model, model.forward(x, **options)[1])


def with_active(memory, path, active):
    """The memory of a forward pass in which these gates were open."""
    own = memory[path]
    return memory | {path: own | {"decision": replace(own["decision"], active=active)}}


def test_a_masked_layer_costs_its_live_connections():
    model = Sequential(MaskedLinear(2, 3), ReLU(), MaskedLinear(3, 4, density=0.5))
    model.layers[0].mask[...] = HAND_MASK
    counted = count(model)
    assert counted.dense == 2 * 3 + 3 * 4
    assert counted.with_gate.tolist() == [4 + 6]
    assert counted.active_ratio == 1.0


def test_a_layer_without_connections_costs_nothing():
    model = MaskedLinear(2, 3)
    model.mask[...] = False
    assert count(model).with_gate.tolist() == [0]
    model.mask[0, 1] = True  # an empty row and two empty columns
    assert count(model).with_gate.tolist() == [1]


def test_masked_gates_count_live_connections_between_open_and_open():
    # Wires: 0-0, 0-2, 1-0, 1-1. The first sample opens neurons 0 and 2: 2 + 1 wires. The next layer
    # reads 0 and 2 only: its wires from there are 1 and 2. The second opens neuron 1: 1, then 0.
    first = MaskedDynamicGate(2, 3, gate="static")
    last = MaskedLinear(3, 2)
    first.mask[...] = HAND_MASK
    last.mask[...] = [[1, 0], [0, 0], [1, 1]]
    model = Sequential(first, ReLU(), Dropout(0.5), last)
    memory = model.forward(np.ones((2, 2), np.float32))[1]
    active = np.array([[True, False, True], [False, True, False]])
    counted = count_macs(model, with_active(memory, "0", active))
    assert counted.layers[0].layer.tolist() == [3, 1]
    assert counted.layers[1].layer.tolist() == [3, 0]
    assert counted.with_gate.tolist() == [6, 1]
    assert counted.dense == 6 + 6


def test_a_masked_gate_reads_open_inputs_only():
    # Two masked gates in a row. Open inputs 0 and 2, open neurons 0 and 1: of the wires 0-0, 1-0,
    # 1-1, 2-1 those from 1 do not run. The linear gate reads two inputs: 2 * 2 products.
    first, second = MaskedDynamicGate(2, 3, gate="static"), MaskedDynamicGate(3, 2, gate="linear")
    second.mask[...] = [[1, 0], [1, 1], [0, 1]]
    model = Sequential(first, second)
    memory = model.forward(np.ones((1, 2), np.float32))[1]
    memory = with_active(memory, "0", np.array([[True, False, True]]))
    memory = with_active(memory, "1", np.array([[True, True]]))
    counted = count_macs(model, memory)
    assert counted.layers[1].layer.tolist() == [2]
    assert counted.layers[1].gate.tolist() == [4]


def test_per_sample_counts_are_not_a_product_of_means():
    # Two wires, 0-0 and 1-1. Each of two samples opens one input, and the neuron wired to it or the
    # other one. Half of the inputs, half of the neurons: means say 2 / 4 wires, both times.
    first, second = DynamicGate(2, 2, gate="static"), MaskedDynamicGate(2, 2, gate="static")
    second.mask[...] = np.eye(2, dtype=bool)
    model = Sequential(first, second)
    memory = model.forward(np.ones((2, 2), np.float32))[1]
    straight = np.eye(2, dtype=bool)
    for active, cost in ((straight, 1), (~straight, 0)):
        both = with_active(with_active(memory, "0", straight), "1", active)
        assert count_macs(model, both).layers[1].layer.tolist() == [cost, cost]


@pytest.mark.parametrize("kind", ["midl", "dynamic"])
def test_a_full_mask_counts_as_no_mask(kind):
    pair = {"midl": (MIDL, MaskedMIDL), "dynamic": (DynamicGate, MaskedDynamicGate)}[kind]
    for light in ("zero", "low-rank"):
        plain, masked = (count(Sequential(
            make(6, 8, light=light, seed=1), make(8, 4, block=2, seed=2), last(4, 3)))
            for make, last in zip(pair, (Linear, MaskedLinear), strict=True))
        assert plain.summary() == masked.summary()
        for one, two in zip(plain.layers, masked.layers, strict=True):
            assert (one.layer == two.layer).all()
            assert (one.gate == two.gate).all()


def test_counts_against_loops_over_all_connections():
    model = Sequential(
        InputGate(6, keep=4, seed=1), MaskedMIDL(6, 8, keep=3, density=0.4, seed=2),
        MaskedDynamicGate(8, 6, density=0.5, block=2, seed=3), MaskedLinear(6, 4, density=0.6))
    x = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    memory = model.forward(x)[1]
    counted = count_macs(model, memory)
    is_open = [memory[str(i)]["decision"].active for i in range(3)]
    is_open[2] = np.repeat(is_open[2], 2, axis=1)
    is_open.append(np.ones((9, 4), bool))
    for layer in (1, 2, 3):
        mask = model.layers[layer].mask
        looped = [sum(int(mask[i, j]) for i in range(mask.shape[0]) for j in range(mask.shape[1])
                      if is_open[layer - 1][s, i] and is_open[layer][s, j]) for s in range(9)]
        assert counted.layers[layer].layer.tolist() == looped


@pytest.mark.parametrize("value", ["binary", "probability"])
def test_a_weight_gate_costs_what_it_left_open_and_deciding_costs_nothing(value):
    # 3 of 8 connections open. Probabilities are multiplied into the weights once, for all samples.
    gate = WeightGate(2, 4, gate_value=value)
    gate.params["gate.bias"][...] = [1, -1, -1, 1, -1, -1, 1, -1]
    counted = count(Sequential(gate, Linear(4, 3)))
    assert counted.with_gate.tolist() == [3 + 12]  # neurons are not known to be 0: they have biases
    assert counted.layers[0].gate.tolist() == [0]
    assert counted.layers[0].compares == 0
    assert counted.dense == 8 + 12
    assert counted.active_ratio == 3 / 8


def test_a_weight_gate_reads_open_inputs_only():
    gate = WeightGate(3, 2)
    gate.params["gate.bias"][...] = [1, 1, -1, 1, -1, -1]  # 2, 1 and 0 wires from the inputs
    model = Sequential(DynamicGate(2, 3, gate="static"), gate)
    memory = model.forward(np.ones((2, 2), np.float32))[1]
    memory = with_active(memory, "0", np.array([[True, False, True], [True, True, False]]))
    assert count_macs(model, memory).layers[1].layer.tolist() == [2, 3]


def test_random_gates_cost_a_dense_layer_in_the_mean_and_their_draw_when_sampled():
    mean = count(Sequential(RandomGate(4, 6, rate=0.5), Linear(6, 3)))
    assert mean.with_gate.tolist() == [24 + 18] * 5
    assert mean.layers[0].compares == 0
    model = Sequential(RandomGate(4, 6, rate=0.5, evaluation="sample"), Linear(6, 3))
    drawn = count(model, 200, rng=np.random.default_rng(1))
    assert set(drawn.with_gate.tolist()) == {(4 + 3) * size for size in range(7)}
    assert drawn.layers[0].gate.tolist() == [0]  # 1 / rate can be folded into the next layer


def test_an_expert_is_a_block():
    # One expert of four, 2 neurons each: 5*2 products, one per neuron with its weight, 2*3 in the
    # next layer; the linear router 5*4.
    counted = count(Sequential(Experts(5, 8, n_experts=4), Linear(8, 3)))
    assert counted.layers[0].layer.tolist() == [10] * 5
    assert counted.layers[0].gate.tolist() == [20 + 2] * 5
    assert counted.layers[1].layer.tolist() == [6] * 5
    assert counted.dense == 5 * 8 + 8 * 3


def test_dropout_on_open_neurons_does_not_change_what_is_counted():
    plain, dropped = (count(Sequential(make(4, 6, seed=1), Linear(6, 3)))
                      for make in (MIDL, OpenDropoutMIDL))
    assert plain.summary() == dropped.summary()
