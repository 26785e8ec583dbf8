"""Neurons and classes: by hand, and what luck gives to the best of many."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import DynamicGate, Linear, Sequential, WeightGate
from minimidl.measure import (
    activity_by_class,
    class_specificity,
    discrete_information,
    selectivity,
)
from minimidl.measure.specificity import preferred_class, specificity

SHARES = np.array([[1.0, 0.5, 0.0, 0.2],
                   [0.0, 0.5, 0.0, 0.8],
                   [np.nan] * 4,
                   [0.0, 0.5, 0.0, 0.4]])


def test_selectivity_by_hand():
    np.testing.assert_allclose(selectivity(SHARES), [1, 0, np.nan, (0.8 - 0.3) / (0.8 + 0.3)])
    assert preferred_class(SHARES).tolist() == [0, 0, -1, 1]
    assert np.isnan(selectivity(SHARES[:1])).all(), "nothing to compare with"


def test_information_is_that_of_open_or_closed_and_label():
    rng = np.random.default_rng(0)
    active, labels = rng.random((200, 5)) < 0.3, rng.integers(0, 3, 200)
    active[:, 3], active[:, 4] = True, False
    found = specificity(active, labels, 3, n_permutations=0).information
    expected = [discrete_information(active[:, j], labels, 0).corrected for j in range(5)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found[3] == found[4] == 0


def test_a_gate_that_knows_a_class_stands_out():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 400)
    active = rng.random((400, 50)) < 0.5
    active[:, 7] = labels == 2
    found = specificity(active, labels, 4, n_permutations=99)
    assert found.preferred[7] == 2
    assert found.selectivity[7] == 1
    assert found.p_value[7] == 1 / 100
    assert np.flatnonzero(found.information > found.chance).tolist() == [7]
    others = np.delete(found.p_value, 7) <= 0.1
    assert 0 < others.mean() < 0.35, "some of 49 gates look good by luck, about a tenth"


def test_luck_of_the_best_keeps_its_word():
    rng = np.random.default_rng(2)
    lucky = 0
    for _ in range(100):
        found = specificity(rng.random((60, 10)) < 0.5, rng.integers(0, 3, 60), 3, 60, rng)
        lucky += found.information.max() > found.chance
    assert lucky <= 5 + 4 * np.sqrt(100 * 0.05 * 0.95)


def test_layers_of_a_model_agree_with_activity_by_class():
    rng = np.random.default_rng(0)
    model = Sequential(DynamicGate(4, 6), WeightGate(6, 5), Linear(5, 3))
    x, labels = rng.normal(size=(40, 4)).astype(np.float32), rng.integers(0, 3, 40)
    found = class_specificity(model, x, labels, 4, n_permutations=0)
    assert list(found) == ["0"], "gates of connections decide once for everyone"
    np.testing.assert_array_equal(found["0"].shares, activity_by_class(model, x, labels, 4)["0"])
    assert np.isnan(found["0"].shares[3]).all(), "a class without samples is unknown"
    assert np.isnan(found["0"].p_value).all()
    assert np.isnan(found["0"].chance)


def test_one_class_says_nothing():
    found = specificity(np.array([[True], [False], [True]]), np.zeros(3, int), 2, 9)
    assert found.information.tolist() == pytest.approx([0])
    assert np.isnan(found.selectivity).all()
    assert found.p_value.tolist() == [1]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: specificity(np.ones((3, 2)), np.zeros(3, int), 1), "active: got float64"),
    (lambda: specificity(np.ones((3, 2), bool), np.array([0, 1, 5]), 3), "labels: got 5"),
    (lambda: selectivity(np.full((2, 3), np.nan)), "no class with samples"),
    (lambda: selectivity(np.ones(3)), "classes, gates"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
