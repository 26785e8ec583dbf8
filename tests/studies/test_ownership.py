"""Which weights are a gate's, and which a rarely open neuron's: worked out on tiny networks."""

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
)
from minimidl.studies.ownership import closed_entries, gate_entries, neurons_of

X = np.random.default_rng(5).standard_normal((40, 6)).astype(np.float32)


def with_open(layer, *, shut):
    """Gates that do not look at the sample: shut where told, open elsewhere."""
    layer.params["gate.bias"][...] = np.where(np.isin(np.arange(layer.n_gates), shut), -9, 9)
    return layer


def gate(n_in, n_units, shut, **options):
    return with_open(DynamicGate(n_in, n_units, gate="static", gate_spread=0, seed=0, **options),
                     shut=shut)


def named(entries):
    return {name for name, own in entries.items() if own.any()}


def test_gates_are_the_gate_parameters_and_nothing_else():
    model = Sequential(MIDL(6, 8, light="low-rank", light_rank=2), Linear(8, 3))
    entries = gate_entries(model)
    assert named(entries) == {name for name in model.params if ".gate." in name}
    assert all(own.all() for name, own in entries.items() if ".gate." in name)


def test_a_closed_neuron_owns_what_comes_in_its_bias_and_what_goes_out():
    model = Sequential(gate(6, 4, [1, 3]), Dropout(0.5), Linear(4, 3))
    entries = closed_entries(model, X, 0.1)
    assert named(entries) == {"0.weight", "0.bias", "2.weight"}
    shut = np.array([False, True, False, True])
    assert np.array_equal(entries["0.weight"], np.broadcast_to(shut, (6, 4)))
    assert np.array_equal(entries["0.bias"], shut)
    assert np.array_equal(entries["2.weight"], np.broadcast_to(shut[:, None], (4, 3)))
    assert not entries["2.bias"].any()  # shared by all neurons


def test_between_two_gated_layers_the_receiver_owns_the_weight():
    model = Sequential(gate(6, 4, [0]), gate(4, 5, [2]), Linear(5, 3))
    entries = closed_entries(model, X, 0.1)
    assert entries["0.weight"].any(axis=0).tolist() == [True, False, False, False]
    assert entries["1.weight"].any(axis=0).tolist() == [False, False, True, False, False]
    assert entries["1.weight"][:, 2].all()
    assert entries["2.weight"].any(axis=1).tolist() == [False, False, True, False, False]


def test_the_rate_is_a_share_of_samples_and_the_limit_is_not_included():
    layer = MIDL(6, 4, keep=1, gate="linear", seed=1)
    model = Sequential(layer, Linear(4, 2))
    rate = layer.decide(X).active.mean(axis=0)
    assert np.array_equal(neurons_of(model, X)[0].open_rate, rate)
    assert rate.sum() == pytest.approx(1)
    limit = float(np.sort(rate)[2])
    assert np.array_equal(closed_entries(model, X, limit)["0.bias"], rate < limit)


def test_a_block_opens_all_its_neurons():
    model = Sequential(gate(6, 6, [1], block=2), Linear(6, 2))
    assert closed_entries(model, X, 0.5)["0.bias"].tolist() == [False, False, True, True, False,
                                                                False]


def test_gated_inputs_own_what_reads_them():
    inputs = with_open(InputGate(6, choose="threshold", gate="static", gate_spread=0), shut=[4])
    entries = closed_entries(Sequential(inputs, Linear(6, 5), ReLU(), Linear(5, 2)), X, 0.1)
    assert named(entries) == {"1.weight"}
    assert entries["1.weight"].all(axis=1).tolist() == [False] * 4 + [True, False]


def test_a_stack_has_neurons_in_every_layer():
    stack = with_open(GatedStack(6, (4, 3), choose="threshold", budget="layer", gate="static",
                                 gate_spread=0), shut=[3, 5])
    entries = closed_entries(Sequential(stack, Linear(3, 2)), X, 0.1)
    assert entries["0.0.bias"].tolist() == [False, False, False, True]
    assert entries["0.1.bias"].tolist() == [False, True, False]
    assert entries["1.weight"].any(axis=1).tolist() == [False, True, False]


def test_what_mixes_neurons_before_it_reads_them_belongs_to_nobody():
    model = Sequential(gate(6, 4, [0]), LayerNorm(4), Linear(4, 3))
    assert named(closed_entries(model, X, 0.1)) == {"0.weight", "0.bias"}


def test_bad_input_is_told():
    dense = Sequential(Linear(6, 4), ReLU(), Linear(4, 2))
    with pytest.raises(InputError, match="a model without gates, expected a gated model"):
        gate_entries(dense)
    with pytest.raises(InputError, match="no gates, expected a gated model"):
        closed_entries(dense, X, 0.1)
    with pytest.raises(InputError, match="closed_below: got 0"):
        closed_entries(dense, X, 0)
