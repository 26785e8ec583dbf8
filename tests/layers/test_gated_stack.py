"""Several layers under one gate network: shared and own budgets, equivalences, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate, GatedStack, Linear, ReLU, Sequential


def batch(n=40, width=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width))


def counts(stack, x, **how):
    """Open neurons per sample, one column per layer."""
    active = stack.to_units(stack.decide(x, **how).active)
    return np.stack([part.sum(axis=1) for part in stack.split(active)], axis=1)


def test_one_shared_cut_lets_layers_trade_neurons():
    opened = counts(GatedStack(5, (8, 8), keep=6, dtype=np.float64), batch())
    assert (opened.sum(axis=1) == 6).all()
    assert len(np.unique(opened[:, 0])) > 1  # the share of a layer differs from sample to sample


@pytest.mark.parametrize("topk", ["hard", "gumbel"])
def test_budgets_per_layer_are_fixed(topk):
    stack = GatedStack(5, (8, 6), keep=0.5, budget="layer", topk=topk, dtype=np.float64)
    for training in (False, True):
        opened = counts(stack, batch(), training=training, rng=np.random.default_rng(1))
        assert (opened == [4, 3]).all()


def test_blocks_of_all_layers_share_the_cut():
    stack = GatedStack(5, (8, 4), keep=3, block=2, dtype=np.float64)
    assert stack.n_gates == 6
    assert (counts(stack, batch()).sum(axis=1) == 3 * 2).all()


@pytest.mark.parametrize("budget", ["model", "layer"])
def test_a_threshold_is_one_cut_whatever_the_budget(budget):
    stack = GatedStack(5, (8, 6), choose="threshold", budget=budget, threshold=0.6,
                       dtype=np.float64)
    decision = stack.decide(batch())
    assert (decision.active == (decision.scores > np.log(1.5))).all()
    assert len(np.unique(decision.active.sum(axis=1))) > 1


def test_executed_is_reported_in_every_layer():
    stack = GatedStack(5, (8, 6), activation="tanh", dtype=np.float64)
    y, memory = stack.forward(batch())
    active = stack.split(memory["decision"].active)
    for own, is_open in zip(memory["layers"], active, strict=True):
        assert ((own["gate"] * own["full"] != 0) == is_open).all()
    assert ((y != 0) == active[1]).all()


def test_a_stack_of_one_layer_is_midl():
    stack = GatedStack(5, (8,), keep=3, gate_rank=2, dtype=np.float64)
    layer = MIDL(5, 8, keep=3, gate_rank=2, dtype=np.float64)
    for name, value in layer.params.items():
        value[...] = stack.params[name if name.startswith("gate.") else f"0.{name}"]
    x, g = batch(), batch(width=8, seed=1)
    (one, memory), (two, memory_two) = stack.forward(x), layer.forward(x)
    assert one == pytest.approx(two, abs=1e-14)
    pulls = (stack.backward(g, memory, g), layer.backward(g, memory_two, g))
    assert pulls[0][0] == pytest.approx(pulls[1][0], abs=1e-13)
    assert pulls[0][1]["gate.down"] == pytest.approx(pulls[1][1]["gate.down"], abs=1e-12)


def test_with_every_gate_open_it_is_a_dense_network():
    stack = GatedStack(5, (8, 6), keep=1.0, gate_value="binary", dtype=np.float64)
    first, second = Linear(5, 8, dtype=np.float64), Linear(8, 6, dtype=np.float64)
    for position, layer in enumerate((first, second)):
        for name in layer.params:
            layer.params[name][...] = stack.params[f"{position}.{name}"]
    dense = Sequential(first, ReLU(), second, ReLU())
    assert stack.forward(batch())[0] == pytest.approx(dense.forward(batch())[0], abs=1e-13)


def test_a_static_gate_prunes_the_same_neurons_for_all():
    stack = GatedStack(5, (8, 6), choose="threshold", gate="static", dtype=np.float64)
    active = stack.decide(batch()).active
    assert (active == active[0]).all()
    layer = DynamicGate(5, 8, gate="static", dtype=np.float64)
    assert (layer.decide(batch()).active == layer.decide(batch()).active[0]).all()


def test_drawn_gates_are_drawn_in_training_only():
    stack = GatedStack(5, (8, 6), choose="threshold", estimator="concrete", budget="layer",
                       dtype=np.float64)
    x = batch()
    assert (stack.forward(x)[0] == stack.forward(x, False, np.random.default_rng(2))[0]).all()
    one, same, other = (stack.forward(x, True, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_schedules_reach_every_budget():
    stack = GatedStack(5, (8, 6), choose="threshold", budget="layer", dtype=np.float64)
    before = stack.decide(batch()).active.mean(axis=0)
    stack.state["threshold"][...] = 0.8
    after = stack.decide(batch()).active.mean(axis=0)
    assert before[:8].sum() > after[:8].sum()
    assert before[8:].sum() > after[8:].sum()


@pytest.mark.parametrize(("widths", "options", "message"), [
    ((), {}, "widths: got none, expected at least one layer"),
    ((8, 6), {"budget": "own"}, "budget: got 'own', expected 'model' or 'layer'"),
    ((8, 6), {"block": 4}, "block: got 4, expected a divisor of n_units=6"),
    ((8, 6), {"choose": "coin"}, "choose: got 'coin'"),
    ((8, 6), {"keep": 15}, "keep: got 15, expected a count from 1 to 14"),
    ((8, 6), {"keep": 7, "budget": "layer"}, "keep: got 7, expected a count from 1 to 6"),
    ((8, 6), {"choose": "threshold", "threshold": 0}, "threshold: got 0"),
])
def test_bad_options_are_told(widths, options, message):
    with pytest.raises(InputError) as caught:
        GatedStack(5, widths, **options)
    assert message in str(caught.value)


def test_the_gate_value_is_that_of_the_layer_whose_choice_it_makes():
    for choose, alone in (("topk", MIDL(5, 8)), ("threshold", DynamicGate(5, 8))):
        assert GatedStack(5, (8, 4), choose=choose).gate_value == alone.gate_value
    assert GatedStack(5, (8,), choose="threshold", gate_value="probability").gate_value == \
        "probability"
