"""Confusion and F1: by hand, with classes that do not occur, and scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.measure import class_scores, confusion_matrix, macro_f1

TRUE, CALLED = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])


def test_by_hand():
    confusion = confusion_matrix(TRUE, CALLED, 3)
    assert confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    scores = class_scores(confusion)
    np.testing.assert_allclose(scores.precision, [2 / 3, 2 / 3, np.nan])
    np.testing.assert_allclose(scores.recall, [2 / 3, 1, 0])
    np.testing.assert_allclose(scores.f1, [2 / 3, 4 / 5, 0])
    assert scores.support.tolist() == [3, 2, 1]
    assert scores.macro_f1 == macro_f1(TRUE, CALLED, 3) == pytest.approx((2 / 3 + 4 / 5) / 3)
    assert scores.note == ""


def test_classes_without_samples_are_left_out_and_told():
    scores = class_scores(confusion_matrix(TRUE, np.where(CALLED == 0, 3, CALLED), 5))
    assert scores.without_samples == [3, 4]
    assert np.isnan(scores.recall[[3, 4]]).all()
    assert scores.f1[3] == 0, "called without being there"
    assert np.isnan(scores.f1[4])
    assert scores.macro_f1 == pytest.approx((0 + 4 / 5 + 0 + 0) / 4)
    assert scores.note == "no samples of class 3, 4: left out, or 0 if called"


def test_a_rare_class_counts_as_much_as_a_common_one():
    labels = np.repeat([0, 1], [99, 1])
    assert macro_f1(labels, np.zeros(100, int), 2) == pytest.approx(198 / 199 / 2)


def test_no_samples_no_score():
    assert np.isnan(macro_f1(np.zeros(0, int), np.zeros(0, int), 3))


@pytest.mark.parametrize(("labels", "predicted", "words"), [
    ([0, 3], [0, 1], "labels: got 3"), ([0, 1], [0, -1], "labels: got -1"),
    ([0, 1], [0], r"shape \(1,\)"), ([0.5], [0], "whole numbers"),
])
def test_bad_input_is_told(labels, predicted, words):
    with pytest.raises(InputError, match=words):
        confusion_matrix(np.array(labels), np.array(predicted), 3)


@pytest.mark.oracle
@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_scikit_learn_agrees(pairs):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle")
    labels, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about classes that were never called
        f1 = metrics.f1_score(labels, predicted, average="macro")
    assert macro_f1(labels, predicted, 5) == pytest.approx(f1)
    theirs = metrics.confusion_matrix(labels, predicted, labels=np.arange(5))
    assert np.array_equal(confusion_matrix(labels, predicted, 5), theirs)
