"""Hardness and activity: planted links, no link, and gates that cannot have one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential, WeightGate
from minimidl.losses import cross_entropy
from minimidl.measure import hardness_and_activity, sample_hardness, sample_loss
from minimidl.measure.hardness import link, ranks, sample_activity


def test_hardness_and_loss_by_hand():
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]], np.float32))
    np.testing.assert_allclose(sample_hardness(logits), [0.3, 0.5], atol=1e-6)
    np.testing.assert_allclose(sample_loss(logits, np.array([0, 2])),
                               [-np.log(0.7), -np.log(0.25)], atol=1e-6)
    large = np.array([[1e4, 0.0]])
    assert sample_hardness(large).tolist() == [0]
    assert sample_loss(large, np.array([1])).tolist() == [1e4]


def test_the_mean_of_the_losses_is_the_loss():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(20, 4)), rng.integers(0, 4, 20)
    assert sample_loss(logits, labels).mean() == pytest.approx(cross_entropy(logits, labels)[0])


@given(values=st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_ranks_share_ties(values):
    assert ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()


def test_correlations_are_those_of_scipy():
    rng = np.random.default_rng(1)
    a = rng.normal(size=200)
    b = np.round(np.exp(a) + rng.normal(size=200))  # ties, and no straight line
    found = link(a, b, 199)
    assert found.pearson == pytest.approx(stats.pearsonr(a, b)[0])
    assert found.spearman == pytest.approx(stats.spearmanr(a, b)[0])
    assert found.pearson_p == found.spearman_p == 1 / 200
    assert link(-a, b, 199).pearson_p == 1 / 200, "either sign"
    assert found.reason == ""


def test_p_values_keep_their_word():
    rng = np.random.default_rng(2)
    found = [link(rng.normal(size=30), rng.normal(size=30), 19, rng) for _ in range(300)]
    error = np.sqrt(0.1 * 0.9 / 300)
    for name in ("pearson_p", "spearman_p"):
        share = np.mean([getattr(one, name) <= 0.1 for one in found])
        assert share == pytest.approx(0.1, abs=4 * error)


def test_a_planted_link_is_found():
    # Gate 0 opens for x > -1/2, gate 1 for x < 1/2: both in the middle, where samples are hard.
    gate = DynamicGate(1, 2, gate="linear")
    gate.params["gate.weight"][:], gate.params["gate.bias"][:] = [[1.0, -1.0]], 0.5
    gate.params["weight"][:], gate.params["bias"][:] = [[1.0, -1.0]], 0
    last = Linear(2, 2)  # logits (2x, -2x)
    last.params["weight"][:], last.params["bias"][:] = [[2.0, -2.0], [-2.0, 2.0]], 0
    model = Sequential(gate, last)
    x = np.linspace(-3, 3, 201).astype(np.float32)[:, None]
    _, memory = model.forward(x)
    activity = sample_activity(model, memory)
    assert activity.tolist() == np.where(np.abs(x[:, 0]) < 0.5, 1.0, 0.5).tolist()
    found = hardness_and_activity(model, x, n_permutations=99)
    assert found.pearson > 0.5
    assert found.spearman_p == 1 / 100
    by_loss = hardness_and_activity(model, x, (x[:, 0] < 0).astype(int), n_permutations=99)
    assert by_loss.spearman > 0.3
    assert by_loss.n == 201


@pytest.mark.parametrize("layer", [MIDL(4, 6, keep=2), WeightGate(4, 6)])
def test_gates_that_open_as_many_for_everyone_answer_nan_with_the_reason(layer):
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    found = hardness_and_activity(Sequential(layer, Linear(6, 3)), x)
    assert np.isnan([found.pearson, found.spearman, found.pearson_p, found.spearman_p]).all()
    assert "activity is constant" in found.reason
    assert "threshold" in found.reason
    assert found.n == 30


def test_constant_hardness_and_single_samples_have_no_correlation():
    model = Sequential(DynamicGate(4, 6), Linear(6, 3))
    model.layers[1].params["weight"][:] = 0
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    assert hardness_and_activity(model, x).reason.startswith("hardness is constant")
    assert link(np.ones(1), np.ones(1)).reason == "first column is constant"
    assert link(np.arange(4), np.full(4, 0.1)).reason == "second column is constant"


def test_activity_counts_neurons_not_layers():
    model = Sequential(MIDL(4, 30, keep=3), MIDL(30, 10, keep=2, block=5), Linear(10, 2))
    _, memory = model.forward(np.ones((2, 4), np.float32))
    assert sample_activity(model, memory).tolist() == [(3 + 2 * 5) / 40] * 2


@pytest.mark.parametrize(("call", "words"), [
    (lambda: hardness_and_activity(Linear(2, 2), np.ones((3, 2), np.float32)), "a gated layer"),
    (lambda: link(np.ones(3), np.ones(4)), "first and second"),
    (lambda: link(np.array([1, np.nan]), np.ones(2)), "first: got nan"),
    (lambda: sample_loss(np.zeros((2, 3)), np.array([0, 3])), "labels: got 3"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
