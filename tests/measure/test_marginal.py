"""What one more open gate costs: by hand, and by opening one and counting again."""

from dataclasses import replace

import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    Experts,
    GatedStack,
    InputGate,
    LayerNorm,
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    MaskedMIDL,
    ReLU,
    Sequential,
    WeightGate,
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
    lambda: Sequential(GatedStack(6, (4, 4, 6), choose="threshold", block=2, seed=4,
                                  gate_value="probability"),
                       DynamicGate(6, 8, gate="mlp"), Linear(8, 3)),
    lambda: Sequential(MaskedDynamicGate(6, 8, density=0.5, seed=1), ReLU(),
                       MaskedDynamicGate(8, 6, density=0.4, block=2, light="low-rank", seed=2),
                       MaskedLinear(6, 3, density=0.5)),
    lambda: Sequential(DynamicGate(6, 8, seed=1), Dropout(0.2), InputGate(8, choose="threshold",
                       gate_value="probability", seed=3), MaskedMIDL(8, 6, density=0.3, seed=2),
                       LayerNorm(6), Linear(6, 3)),
    lambda: Sequential(MaskedDynamicGate(6, 8, density=0.5, seed=1), WeightGate(8, 4, seed=2)),
    lambda: Sequential(Experts(6, 8, n_experts=4), Linear(8, 3)),
    lambda: Sequential(Experts(6, 8, n_experts=4, router="expert-choice", light="low-rank"),
                       MaskedLinear(8, 3, density=0.5)),
])
def test_opening_one_gate_adds_its_price_exactly(make):
    model = make()
    memory = forward(model, 6)
    before = count_macs(model, memory).with_gate
    prices = gate_prices(model, memory)
    for path, layer in gated_layers(model).items():
        if isinstance(layer, WeightGate):
            continue  # one gate for all samples: see below
        inner = memory_at(memory, path)
        decision = inner["decision"]
        assert not decision.active.all()
        for gate in range(decision.active.shape[1]):
            shut = ~decision.active[:, gate]  # samples that may open it
            more = decision.active.copy()
            more[:, gate] = True
            inner["decision"] = replace(decision, active=more)
            added = count_macs(model, memory).with_gate - before
            assert added[shut].tolist() == prices[path][shut, gate].tolist()
        inner["decision"] = decision


def test_a_weight_gate_costs_its_price_on_the_average_over_the_samples():
    model = Sequential(DynamicGate(6, 4, seed=1), WeightGate(4, 3, seed=2), Linear(3, 2))
    memory = forward(model, 6)
    before = count_macs(model, memory).with_gate.mean()
    prices = gate_prices(model, memory)["1"]
    assert prices.shape == (1, 12)
    assert 0 < prices[0, 0] < 1  # the share of the samples that open its input
    decision = memory["1"]["decision"]
    for gate in np.flatnonzero(~decision.active[0]):
        more = decision.active.copy()
        more[0, gate] = True
        memory["1"]["decision"] = replace(decision, active=more)
        added = count_macs(model, memory).with_gate.mean() - before
        assert added == pytest.approx(prices[0, gate], abs=1e-12)


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
