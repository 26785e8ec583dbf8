"""Gates on features: by hand, blocks, what is reported, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import InputGate, gated_layers


def batch(n=5, width=6, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(dtype)


def by_hand(**options):
    """A gate whose score is the feature itself."""
    layer = InputGate(3, gate="linear", dtype=np.float64, **options)
    layer.params["gate.weight"][...], layer.params["gate.bias"][...] = np.eye(3), 0
    return layer


def test_topk_on_features_by_hand():
    layer = by_hand(keep=1)
    y, memory = layer.forward(np.array([[1.0, 3.0, -2.0], [0.5, 0.0, -1.0]]))
    assert y.tolist() == [[0, 3, 0], [0.5, 0, 0]]
    assert memory["decision"].active.tolist() == [[False, True, False], [True, False, False]]


def test_a_threshold_on_features_by_hand():
    layer = by_hand(choose="threshold", threshold=0.75)  # open where z > ln 3 = 1.0986
    y, _ = layer.forward(np.array([[1.0, 1.1, 5.0], [-3.0, 0.0, 1.09]]))
    assert y.tolist() == [[0, 1.1, 5], [0, 0, 0]]


def test_backward_by_hand():
    # Straight through: y_i = x_i b_i, dL/dx_i = g_i b_i + g_i x_i p_i (1 - p_i) with z = x, T = 1.
    layer, x = by_hand(choose="threshold"), np.array([[1.0, -2.0, 0.5]])
    _, memory = layer.forward(x)
    g, p = np.array([[1.0, 2.0, -1.0]]), 1 / (1 + np.exp(-x))
    grad_x, grads = layer.backward(g, memory)
    assert grad_x == pytest.approx(g * (x > 0) + g * x * p * (1 - p))
    assert grads["gate.bias"] == pytest.approx((g * x * p * (1 - p))[0])
    with_budget = layer.backward(g, memory, np.ones((1, 3)))[1]["gate.bias"]
    assert with_budget - grads["gate.bias"] == pytest.approx((p * (1 - p))[0])


def test_probability_as_value_scales_what_is_open():
    layer, x = by_hand(keep=2, gate_value="probability"), np.array([[1.0, 3.0, -2.0]])
    assert layer.forward(x)[0] == pytest.approx(
        np.array([[1 / (1 + np.exp(-1)), 3 / (1 + np.exp(-3)), 0]]))


@pytest.mark.parametrize("choose", ["topk", "threshold"])
def test_features_of_a_block_open_together(choose):
    layer = InputGate(6, choose=choose, block=3, dtype=np.float64)
    y, memory = layer.forward(batch(20))
    assert layer.n_gates == 2
    blocks = (y != 0).reshape(20, 2, 3)
    assert (blocks.all(axis=2) == blocks.any(axis=2)).all()
    assert (blocks.any(axis=2) == memory["decision"].active).all()


@pytest.mark.parametrize("options", [
    {}, {"choose": "threshold"}, {"topk": "lapsum"},
    {"choose": "threshold", "estimator": "reinmax"},
    {"gate": "static"}, {"gate": "mlp", "topk": "gumbel"}])
def test_what_is_executed_is_what_is_reported(options):
    layer, x = InputGate(6, gate_spread=2, dtype=np.float64, **options), batch(40)
    for training in (False, True):
        y, memory = layer.forward(x, training, np.random.default_rng(1))
        assert ((y != 0) == memory["decision"].active).all()


def test_a_static_gate_selects_the_same_features_for_every_sample():
    active = InputGate(8, keep=3, gate="static").decide(batch(9, 8, np.float32)).active
    assert (active == active[0]).all()
    assert active[0].sum() == 3


def test_noise_explores_in_training_only():
    layer, x = InputGate(6, gate="static", gate_noise=5, dtype=np.float64), batch(200)
    assert len(np.unique(layer.decide(x).active, axis=0)) == 1
    explored = layer.decide(x, True, np.random.default_rng(0))
    assert len(np.unique(explored.active, axis=0)) > 5
    added = explored.scores - layer.decide(x).scores
    assert added.std() == pytest.approx(5, rel=0.1)
    with pytest.raises(InputError, match="rng: got None"):
        layer.decide(x, True)


def test_it_counts_as_a_gated_layer():
    assert list(gated_layers(InputGate(4))) == [""]


@pytest.mark.parametrize(("options", "message"), [
    ({"choose": "all"}, "choose: got 'all'"), ({"keep": 1.5}, "keep: got 1.5"),
    ({"keep": 7}, "keep: got 7, expected a count from 1 to 6"), ({"block": 4}, "block: got 4"),
    ({"gate_noise": -1}, "gate_noise: got -1, expected a number of at least 0"),
    ({"gate": "deep"}, "gate: got 'deep'"), ({"open_probability": 1}, "open_probability: got 1"),
])
def test_bad_options_are_told(options, message):
    with pytest.raises(InputError) as caught:
        InputGate(6, **options)
    assert message in str(caught.value)
