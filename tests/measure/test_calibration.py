"""Calibration: tables by hand, answers that keep their word, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.measure import calibration_error, probabilities, reliability


def two_classes(confidence, right):
    """Probabilities of class 0 first, and labels that make the answers right or wrong."""
    confidence = np.array(confidence, float)
    return np.stack([confidence, 1 - confidence], axis=1), 1 - np.array(right, int)


def draw(n, seed=0, n_classes=4, sharpen=1.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, n_classes)) * 2
    truth = probabilities(logits)
    labels = (rng.random((n, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    return probabilities(sharpen * logits), np.minimum(labels, n_classes - 1)


def test_bins_of_equal_width_by_hand():
    # Bins (0.5, 0.75] and (0.75, 1]; 0.75 belongs to the first.
    table = reliability(*two_classes([0.6, 0.75, 0.8, 1.0], [1, 0, 1, 1]), n_bins=4)
    assert table.count.tolist() == [0, 0, 2, 2]
    assert np.isnan(table.accuracy[:2]).all()
    assert table.confidence[2:].tolist() == pytest.approx([0.675, 0.9])
    assert table.accuracy[2:].tolist() == [0.5, 1.0]
    assert table.expected_error == pytest.approx((2 * 0.175 + 2 * 0.1) / 4)
    assert table.largest_error == pytest.approx(0.175)
    assert [row["lower"] for row in table.rows()] == [0.5, 0.75]


def test_bins_of_equal_mass_by_hand():
    table = reliability(*two_classes([0.9, 0.6, 0.8, 0.7, 1.0], [1, 0, 1, 1, 0]), 2, "mass")
    assert table.count.tolist() == [3, 2]
    assert table.lower.tolist() == pytest.approx([0.6, 0.9])
    assert table.upper.tolist() == pytest.approx([0.8, 1.0])
    assert table.confidence.tolist() == pytest.approx([0.7, 0.95])
    assert table.accuracy.tolist() == pytest.approx([2 / 3, 0.5])
    assert table.expected_error == pytest.approx((3 * (0.7 - 2 / 3) + 2 * 0.45) / 5)


@given(n=st.integers(1, 50), n_bins=st.integers(1, 60), seed=st.integers(0, 99))
def test_laws(n, n_bins, seed):
    p, labels = draw(n, seed)
    wide, heavy = (reliability(p, labels, n_bins, bins) for bins in ("width", "mass"))
    gap = abs(p.max(axis=1).mean() - (p.argmax(axis=1) == labels).mean())
    for table in (wide, heavy):
        assert table.count.sum() == n
        known = table.count > 0
        assert (table.confidence[known] >= table.lower[known] - 1e-12).all()
        assert (table.confidence[known] <= table.upper[known] + 1e-12).all()
        assert gap - 1e-12 <= table.expected_error <= table.largest_error + 1e-12
    assert heavy.count.max() - heavy.count.min() <= 1
    assert calibration_error(p, labels, 1) == pytest.approx(gap)


@pytest.mark.parametrize("bins", ["width", "mass"])
def test_answers_that_keep_their_word_and_answers_too_sure_of_themselves(bins):
    honest = calibration_error(*draw(20_000), bins=bins)
    # In each of 15 bins the gap is about sqrt(0.2 / 1333) = 0.012 by chance alone.
    assert honest < 0.02
    assert calibration_error(*draw(20_000, sharpen=3.0), bins=bins) > 5 * honest


def test_a_perfect_and_a_hopeless_answer():
    p = np.eye(3)
    assert calibration_error(p, np.arange(3)) == 0
    assert calibration_error(p, np.array([1, 2, 0])) == 1


@pytest.mark.parametrize(("call", "words"), [
    (lambda: reliability(np.array([[0.5, 0.6]]), np.array([0])), "no distribution in row 0"),
    (lambda: reliability(np.array([[1.5, -0.5]]), np.array([0])), "no distribution"),
    (lambda: reliability(np.array([[np.nan, 1.0]]), np.array([0])), "no distribution"),
    (lambda: reliability(np.eye(2), np.array([0, 2])), "labels: got 2"),
    (lambda: reliability(np.eye(2), np.array([0, 1]), 0), "n_bins"),
    (lambda: reliability(np.eye(2), np.array([0, 1]), 5, "area"), "width, mass"),
    (lambda: reliability(np.zeros((0, 2)), np.zeros(0, int)), "at least one sample"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.oracle
def test_scikit_learn_agrees():
    calibration = pytest.importorskip("sklearn.calibration", reason="scikit-learn is the oracle")
    p, labels = draw(500)
    right, confidence = p.argmax(axis=1) == labels, p.max(axis=1)
    for bins, strategy, n_bins in (("width", "uniform", 15), ("mass", "quantile", 10)):
        accuracy, mean = calibration.calibration_curve(right, confidence, n_bins=n_bins,
                                                       strategy=strategy)
        table = reliability(p, labels, n_bins, bins)
        known = table.count > 0
        # Its quantiles are interpolated: a sample at a cut may fall on the other side, 1 of 50.
        near = 1e-12 if bins == "width" else 2 / 50
        np.testing.assert_allclose(table.accuracy[known], accuracy, atol=near)
        np.testing.assert_allclose(table.confidence[known], mean, atol=near)
