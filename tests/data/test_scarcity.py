"""Wrong labels and few samples: exact counts, nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.data import digits, regimes, with_few_samples, with_label_noise
from minimidl.data.scarcity import noisy_labels, small_sample
from minimidl.errors import InputError


@given(n=st.integers(1, 60), n_classes=st.integers(2, 5), rate=st.floats(0, 1),
       seed=st.integers(0, 99))
def test_exactly_so_many_labels_are_wrong_and_none_by_name_only(n, n_classes, rate, seed):
    labels = np.random.default_rng(seed).integers(0, n_classes, n)
    noisy, changed = noisy_labels(labels, n_classes, rate, np.random.default_rng(seed))
    assert changed.sum() == round(rate * n)
    assert np.array_equal(noisy != labels, changed), "a wrong label is never the right one"
    assert 0 <= noisy.min() <= noisy.max() < n_classes


def test_wrong_labels_are_symmetric():
    labels = np.full(9000, 2)
    noisy, _ = noisy_labels(labels, 4, 1.0, np.random.default_rng(0))
    counts = np.bincount(noisy, minlength=4)
    # 3,000 each, with a standard deviation of sqrt(9000 * 1/3 * 2/3) = 45.
    assert counts[2] == 0
    assert np.abs(counts[[0, 1, 3]] - 3000).max() < 4 * 45


def test_a_higher_rate_adds_to_a_lower_one():
    labels = digits().y_train
    (low, hit), (high, more) = (noisy_labels(labels, 10, rate, np.random.default_rng(0))
                                for rate in (0.1, 0.4))
    assert more[hit].all()
    assert np.array_equal(low[hit], high[hit])


def test_only_training_labels_are_wrong_and_the_set_says_which():
    clean = digits()
    noisy = with_label_noise(clean, 0.25, seed=3).validated()
    wrong = noisy.extra["mislabelled_train"]
    assert wrong.sum() == round(0.25 * len(clean.y_train))
    assert np.array_equal(noisy.y_train != clean.y_train, wrong)
    assert noisy.y_train.dtype == clean.y_train.dtype
    assert noisy.y_val is clean.y_val
    assert noisy.y_test is clean.y_test
    assert np.array_equal(noisy.y_train, with_label_noise(clean, 0.25, seed=3).y_train)
    assert not np.array_equal(noisy.y_train, with_label_noise(clean, 0.25, seed=4).y_train)
    assert noisy.about["changes"] == ["0.25 of the training labels wrong, seed 3"]


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
       share=st.floats(0, 1), seed=st.integers(0, 99))
def test_small_samples_are_exact_keep_every_class_and_its_share(counts, share, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    present = int(np.count_nonzero(counts))
    n = present + int(share * (len(labels) - present))
    kept = small_sample(labels, n, np.random.default_rng(seed))
    assert len(set(kept.tolist())) == n
    got = np.bincount(labels[kept], minlength=len(counts))
    assert ((got > 0) == (np.array(counts) > 0)).all(), "every class that there is stays"
    # One for rounding, one for the cut; the guaranteed first samples may cost the others theirs.
    assert np.abs(got - np.array(counts) * n / len(labels)).max() <= 1 + present


def test_a_larger_sample_holds_the_smaller_one():
    labels = digits().y_train
    kept = [set(small_sample(labels, n, np.random.default_rng(1)).tolist()) for n in (10, 50, 300)]
    assert kept[0] < kept[1] < kept[2]
    counts = [np.bincount(labels[list(rows)], minlength=10) for rows in kept]
    assert counts[0].tolist() == [1] * 10
    assert np.abs(counts[2] - 300 * np.bincount(labels) / len(labels)).max() <= 2


def test_a_small_training_set_cuts_its_facts_alike():
    whole = regimes(sizes=(200, 50, 50))
    few = with_few_samples(whole, 20, seed=2).validated()
    assert len(few.x_train) == len(few.extra["regime_train"]) == 20
    assert len(few.x_test) == len(few.extra["regime_test"]) == 50
    assert set(few.y_train) == {0, 1, 2, 3}
    row = {tuple(x): r for x, r in zip(whole.x_train, whole.extra["regime_train"], strict=True)}
    assert [row[tuple(x)] for x in few.x_train] == few.extra["regime_train"].tolist()


@pytest.mark.parametrize(("make", "word"), [
    (lambda: with_label_noise(digits(), 1.2), "rate"),
    (lambda: noisy_labels(np.zeros(4, int), 1, 0.5, np.random.default_rng(0)), "another class"),
    (lambda: with_few_samples(digits(), 9), "10 to 1078.*every class"),
    (lambda: with_few_samples(digits(), 2000), "n: got 2000"),
    (lambda: with_few_samples(digits(), 20, seed=1.5), "seed"),
])
def test_bad_settings_are_told(make, word):
    with pytest.raises(InputError, match=word):
        make()
