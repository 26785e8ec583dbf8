"""Information by neighbours: the formulas word by word, closed forms, laws, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from minimidl.errors import InputError
from minimidl.measure import label_information, normal_information, pair_information


def normals(n, rho, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def classes(n, shift, seed=0):
    """Two likely classes, normal around -shift and +shift."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return rng.normal(size=n) + shift * (2 * labels - 1), labels


def close_to(values, truth, bias=0.0):
    """Within four standard errors of the mean, and a bias that the method is known to have."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert abs(np.mean(values) - truth) < 4 * error + bias


def test_pairs_word_by_word():
    x, y = normals(40, 0.7)
    k, total = 3, 0.0
    x, y = x / x.std(), y / y.std()
    for i in range(40):
        dx, dy = np.abs(np.delete(x, i) - x[i]), np.abs(np.delete(y, i) - y[i])
        radius = np.sort(np.maximum(dx, dy))[k - 1]
        total += digamma((dx < radius).sum() + 1) + digamma((dy < radius).sum() + 1)
    assert pair_information(x, y, k) == pytest.approx(digamma(k) + digamma(40) - total / 40)


@pytest.mark.parametrize(("k", "rare"), [(3, 0), (5, 3), (1, 2)])
def test_labels_word_by_word(k, rare):
    x, labels = classes(40, 0.5)
    labels[:rare] = 2  # a class of three has two neighbours to offer, not five
    total = 0.0
    for i in range(40):
        distance, size = np.abs(x - x[i]), (labels == labels[i]).sum()
        neighbour = min(k, size - 1)
        radius = np.sort(distance[labels == labels[i]])[neighbour]
        closer = (np.delete(distance, i) < radius).sum()
        total += digamma(neighbour) - digamma(size) - digamma(closer + 1)
    assert label_information(x, labels, k) == pytest.approx(digamma(40) + total / 40)


@pytest.mark.parametrize("rho", [0.0, 0.5, -0.9])
def test_normal_pairs_have_their_closed_form(rho):
    values = [pair_information(*normals(1000, rho, seed)) for seed in range(12)]
    close_to(values, normal_information(rho), bias=0.005)
    assert normal_information(rho) == pytest.approx(-0.5 * np.log(1 - rho**2))


def test_labels_have_the_information_of_an_integral():
    x = np.linspace(-9, 9, 20001)
    left, right = (np.exp(-(x - c)**2 / 2) / np.sqrt(2 * np.pi) for c in (-0.8, 0.8))
    both = (left + right) / 2
    truth = np.trapezoid(left * np.log(left / both) + right * np.log(right / both), x) / 2
    close_to([label_information(*classes(1000, 0.8, seed)) for seed in range(12)], truth, 0.005)


def test_independence_is_about_0_on_both_sides():
    pairs = [pair_information(*normals(300, 0.0, seed)) for seed in range(20)]
    labelled = [label_information(*classes(300, 0.0, seed)) for seed in range(20)]
    for values in (pairs, labelled):
        close_to(values, 0.0, bias=0.01)
        assert min(values) < 0 < max(values), "an estimate cut off at 0 is biased"


def test_classes_far_apart_tell_all_of_the_label():
    x, labels = classes(500, 50.0)
    share = labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert label_information(x, labels) == pytest.approx(entropy, abs=0.01)


@given(seed=st.integers(0, 99), rho=st.floats(-0.95, 0.95), scale=st.floats(0.01, 100))
def test_laws_of_pairs(seed, rho, scale):
    x, y = normals(150, rho, seed)
    value = pair_information(x, y)
    assert pair_information(y, x) == pytest.approx(value, abs=1e-9)
    assert pair_information(-scale * x + 7, y) == pytest.approx(value, abs=1e-9)
    order = np.random.default_rng(seed).permutation(150)
    assert pair_information(x[order], y[order]) == pytest.approx(value, abs=1e-9)


@given(seed=st.integers(0, 99), rho=st.floats(-0.95, 0.95))
def test_a_monotone_map_changes_little(seed, rho):
    x, y = normals(600, rho, seed)
    assert pair_information(np.arctan(x), y) == pytest.approx(pair_information(x, y), abs=0.08)


@given(seed=st.integers(0, 99), shift=st.floats(0, 3))
def test_laws_of_labels(seed, shift):
    x, labels = classes(150, shift, seed)
    value = label_information(x, labels)
    assert label_information(x, 1 - labels) == pytest.approx(value, abs=1e-12)
    assert label_information(x, np.array(["b", "a"])[labels]) == pytest.approx(value, abs=1e-12)
    assert label_information(-3 * x + 1, labels) == pytest.approx(value, abs=1e-9)


def test_what_says_nothing_says_exactly_nothing():
    x, y = normals(50, 0.5)
    assert pair_information(np.full(50, 0.1), y) == 0
    assert pair_information(x, np.zeros(50)) == 0
    assert label_information(x, np.zeros(50, int)) == 0
    assert label_information(np.full(50, 2.0), np.arange(50) % 2) == 0


def test_ties_are_broken_the_same_way_every_time():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, 400).astype(float), rng.integers(0, 3, 400).astype(float)
    value = pair_information(x, y, seed=1)
    assert value == pair_information(x, y, seed=1)
    assert value == pytest.approx(0, abs=0.15)
    labels = (x > 0).astype(int)  # the label is known from x: I is its entropy
    share = labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert label_information(x, labels, seed=1) == pytest.approx(entropy, abs=0.01)
    assert np.array_equal(x, np.random.default_rng(0).integers(0, 3, 400)), "inputs stay"


def test_a_class_of_one_is_left_out_and_a_small_one_uses_fewer_neighbours():
    x, labels = classes(100, 1.0)
    lonely = label_information(np.append(x, 0.3), np.append(labels, 9))
    # Left out of the counts; it still moves the mean a little when values are standardised.
    assert lonely == pytest.approx(label_information(x, labels), abs=1e-9)
    small = label_information(np.append(x, [30.0, 31.0]), np.append(labels, [9, 9]))
    assert np.isfinite(small)


@pytest.mark.parametrize(("call", "words"), [
    (lambda x: pair_information(x[:3], x[:3]), "3 samples, expected more than k = 3"),
    (lambda x: label_information(x[:3], [0, 0, 1]), "more than k = 3"),
    (lambda x: pair_information(x, x[:5]), "y: got 5 samples, expected 9"),
    (lambda x: pair_information(x[:, None], x), r"x: got shape \(9, 1\)"),
    (lambda x: pair_information(np.append(x, np.nan), np.append(x, 1)), "nan at index"),
    (lambda x: pair_information(x, x, k=0), "k: got 0"),
    (lambda x: label_information(x, np.zeros(5)), r"labels: got shape \(5,\)"),
    (lambda x: label_information(x, np.arange(9)), "one class with two samples"),
    (lambda x: pair_information(x, x, seed=-1), "seed"),
    (lambda x: normal_information(1.0), r"\(-1, 1\)"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call(np.arange(9.0))


@pytest.mark.oracle
def test_scikit_learn_agrees():
    features = pytest.importorskip("sklearn.feature_selection", reason="scikit-learn is the oracle")
    for seed, k in ((0, 3), (1, 5)):
        x, y = normals(400, 0.8, seed)
        theirs = features.mutual_info_regression(x[:, None], y, n_neighbors=k, random_state=0,
                                                 discrete_features=False)
        assert pair_information(x, y, k) == pytest.approx(theirs[0], abs=1e-3)
        labels = np.digitize(y, [-1, -0.2, 0.5, 2.5])  # a rare class among them
        theirs = features.mutual_info_classif(x[:, None], labels, n_neighbors=k, random_state=0,
                                              discrete_features=False)
        # Its radius is the next smaller float, so rounding may let the neighbour itself slip in.
        assert label_information(x, labels, k) == pytest.approx(theirs[0], abs=2e-3)
