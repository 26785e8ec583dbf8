"""Who gets the samples, by hand, and the bias of information against shuffled labels."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate, Experts, Linear, Sequential
from minimidl.measure import (
    discrete_information,
    expert_information,
    routing_by_layer,
    usage_entropy,
    usage_variation,
)
from minimidl.measure.routing import dropped_share, routing


def test_usage_by_hand():
    assert usage_entropy(np.array([5, 5, 5, 5])) == pytest.approx(1)
    assert usage_entropy(np.array([7, 0, 0])) == 0
    assert usage_entropy(np.array([2, 2, 0, 0])) == pytest.approx(0.5)
    assert usage_variation(np.array([4, 4, 4])) == 0
    assert usage_variation(np.array([1, 3])) == pytest.approx(0.5)
    assert usage_variation(np.array([9, 0, 0, 0])) == pytest.approx(np.sqrt(3))


def test_nobody_used_is_unknown_not_0():
    assert np.isnan(usage_entropy(np.zeros(3)))
    assert np.isnan(usage_variation(np.zeros(3)))
    assert np.isnan(usage_entropy(np.array([5]))), "one expert has nothing to share"


def test_one_expert_per_sample_is_the_information_of_two_columns():
    rng = np.random.default_rng(0)
    expert, labels = rng.integers(0, 4, 300), rng.integers(0, 5, 300)
    found = expert_information(np.eye(4, dtype=bool)[expert], labels, 50, seed=1)
    expected = discrete_information(expert, labels, 50, seed=1)
    assert found.plug_in == pytest.approx(expected.plug_in)
    assert found.corrected == pytest.approx(expected.corrected)
    np.testing.assert_allclose(found.null, expected.null, atol=1e-12)


@pytest.mark.parametrize("kind", ["one", "two", "as they like", "dropped"])
def test_the_bias_is_the_mean_over_shuffles(kind):
    rng = np.random.default_rng(3)
    order = np.argsort(rng.random((500, 6)), axis=1)
    active = {"one": order < 1, "two": order < 2, "as they like": rng.random((500, 6)) < 0.4,
              "dropped": (order < 1) & (rng.random((500, 1)) < 0.7)}[kind]
    found = expert_information(active, rng.integers(0, 5, 500), 400)
    bias = found.plug_in - found.corrected
    error = found.null.std() / np.sqrt(400)
    assert found.null_mean == pytest.approx(bias, abs=4 * error + 0.02 * bias)


def test_experts_that_know_their_classes():
    labels = np.arange(400) % 4
    found = expert_information(np.eye(4, dtype=bool)[labels], labels, 99)
    assert found.plug_in == pytest.approx(np.log(4))
    assert found.p_value == 1 / 100
    everyone = expert_information(np.ones((400, 4), bool), labels, 9)
    assert everyone.plug_in == pytest.approx(0, abs=1e-12)
    assert everyone.corrected == pytest.approx(0, abs=1e-12), "no choice, no bias"


def test_one_class_says_nothing():
    found = expert_information(np.eye(3, dtype=bool)[np.arange(30) % 3], np.zeros(30, int), 9)
    assert found.plug_in == pytest.approx(0, abs=1e-12)
    assert found.p_value == 1


def test_dropped_assignments_by_hand():
    active = np.array([[True, False], [True, False], [False, True], [False, False]])
    assert dropped_share(active, np.array([1, 0])) == 1 / 4
    assert dropped_share(active, None) == 0
    assert dropped_share(np.zeros((2, 2), bool), None) == 0
    found = routing(active, np.array([0, 0, 1, 1]), np.array([1, 0]), 0)
    assert found.used.tolist() == [2, 1]
    assert found.dropped_share == 1 / 4


def test_layers_of_a_model():
    rng = np.random.default_rng(0)
    model = Sequential(MIDL(5, 8, keep=2), DynamicGate(8, 6, seed=1), Linear(6, 3))
    found = routing_by_layer(model, rng.normal(size=(50, 5)).astype(np.float32),
                             rng.integers(0, 3, 50), 19)
    assert list(found) == ["0", "1"]
    assert found["0"].used.sum() == 2 * 50
    assert 0 < found["0"].entropy <= 1
    assert found["0"].dropped_share == 0
    assert found["1"].information.null.shape == (19,)


def test_full_experts_are_told():
    layer = Experts(4, 8, n_experts=4, capacity=0.5, drop_at_evaluation=True)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(64, 4)).astype(np.float32), rng.integers(0, 3, 64)
    found = routing_by_layer(Sequential(layer, Linear(8, 3)), x, labels, 9)["0"]
    assert found.used.max() <= 0.5 * 64 / 4, "half of what an even split would bring"
    assert found.dropped_share == pytest.approx(1 - found.used.sum() / 64)
    assert found.dropped_share >= 0.5


@pytest.mark.parametrize(("call", "words"), [
    (lambda: expert_information(np.ones((3, 2)), np.zeros(3)), "active: got float64"),
    (lambda: expert_information(np.ones((3, 2), bool), np.zeros(2)), r"labels: got shape \(2,\)"),
    (lambda: expert_information(np.zeros((3, 2), bool), np.zeros(3)), "no active expert"),
    (lambda: usage_entropy(np.array([-1, 2])), "used"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
