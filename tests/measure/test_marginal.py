"""What one more open gate costs: by hand, and by opening one and counting again."""

from dataclasses import replace

import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import (
    MIDL,
    DynamicGate,
    GatedStack,
    InputGate,
    Linear,
    ReLU,
    Sequential,
    gated_layers,
    memory_at,
)
from minimidl.measure import count_macs, gate_prices, mac_range


def forward(model, n_in, batch=7):
    x = np.random.default_rng(0).normal(size=(batch, n_in)).astype(np.float32)
    return model.forward(x)[1]


def test_by_hand():
    # Opening one of the 8 gates reads 5 inputs, and 3 columns more in the last layer.
    model = Sequential(DynamicGate(5, 8, gate="linear"), Linear(8, 3))
    prices = gate_prices(model, forward(model, 5))
    assert prices["0"].tolist() == [[5 + 3] * 8] * 7
    # Blocks of 4 cost four times as much; a gate value that is a probability, 4 products more.
    model = Sequential(DynamicGate(5, 8, gate="linear", block=4, gate_value="probability"),
                       Linear(8, 3))
    assert gate_prices(model, forward(model, 5))["0"].tolist() == [[4 * (5 + 1 + 3)] * 2] * 7


def test_what_gates_alone_cost_and_what_everything_costs():
    model = Sequential(DynamicGate(5, 8, gate="linear"), Linear(8, 3))
    assert mac_range(model, forward(model, 5)) == (5 * 8, 5 * 8 + 5 * 8 + 8 * 3)


@pytest.mark.parametrize("make", [
    lambda: Sequential(DynamicGate(6, 8, seed=1), DynamicGate(8, 4, block=2, seed=2), Linear(4, 3)),
    lambda: Sequential(Sequential(DynamicGate(6, 8, light="low-rank", seed=1), ReLU()),
                       DynamicGate(8, 8, gate_value="probability", seed=2), Linear(8, 3)),
    lambda: DynamicGate(6, 8, seed=3),
    lambda: Sequential(InputGate(6, choose="threshold", seed=3), Linear(6, 3)),
    lambda: Sequential(GatedStack(6, (8, 4), choose="threshold", seed=4), Linear(4, 3)),
])
def test_opening_one_gate_adds_its_price_exactly(make):
    model = make()
    memory = forward(model, 6)
    before = count_macs(model, memory).with_gate
    prices = gate_prices(model, memory)
    for path in gated_layers(model):
        inner = memory_at(memory, path)
        decision = inner["decision"]
        more = decision.active.copy()
        shut = np.flatnonzero(~more.all(axis=1))  # samples that have a gate left to open
        gate = (~more[shut]).argmax(axis=1)
        more[shut, gate] = True
        inner["decision"] = replace(decision, active=more)
        added = count_macs(model, memory).with_gate - before
        inner["decision"] = decision
        assert len(shut) > 0
        assert added[shut].tolist() == prices[path][shut, gate].tolist()


def test_nothing_is_changed():
    model = Sequential(MIDL(5, 8), Linear(8, 3))
    memory = forward(model, 5)
    active = memory["0"]["decision"].active.copy()
    gate_prices(model, memory)
    mac_range(model, memory)
    assert np.array_equal(memory["0"]["decision"].active, active)


def test_a_model_without_gates_is_refused():
    model = Sequential(Linear(5, 3))
    with pytest.raises(InputError, match="model: got Sequential, expected a model with a gated"):
        gate_prices(model, forward(model, 5))
