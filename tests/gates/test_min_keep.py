"""The guard against collapse: ties, order, and what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl import InputError
from minimidl.gates.min_keep import at_least


def test_equal_scores_open_the_first_ones_and_not_all_of_them():
    """An audited script keeps ``p >= k-th value``: equal static gates open all instead of 20 %."""
    scores = np.full((3, 10), 0.2)
    shut = np.zeros((3, 10), bool)
    trap = scores >= np.sort(scores, axis=1)[:, -2, None]
    assert trap.all()
    kept = at_least(shut, scores, 2)
    assert kept.sum(axis=1).tolist() == [2, 2, 2]
    assert kept[:, :2].all()


def test_by_hand():
    scores = np.array([[3.0, 1.0, 2.0, 2.0], [0.0, 9.0, 1.0, 1.0], [5.0, 1.0, 4.0, 3.0]])
    mask = scores > 2.5
    kept = at_least(mask, scores, 2)
    assert kept.tolist() == [
        [True, False, True, False],  # one of the two ties joins: the one with the lower index
        [False, True, True, False],
        [True, False, True, True]]  # had three: as it was


def test_a_gate_that_noise_opened_stays_open():
    mask = np.array([[False, False, True]])
    assert at_least(mask, np.array([[3.0, 2.0, 1.0]]), 2).tolist() == [[True, False, True]]


def test_the_given_mask_is_not_changed():
    mask = np.zeros((1, 3), bool)
    at_least(mask, np.ones((1, 3), np.float32), 3)
    assert not mask.any()


@given(st.integers(0, 6), st.integers(0, 2**31))
def test_laws(k_min, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, size=(5, 6)).astype(np.float32)  # many ties
    mask = scores > rng.integers(0, 5)
    kept = at_least(mask, scores, k_min)
    assert (kept >= mask).all()
    assert kept.sum(axis=1).tolist() == np.maximum(mask.sum(axis=1), k_min).tolist()
    lowest_open = np.where(kept, scores, np.inf).min(axis=1)
    highest_closed = np.where(kept, -np.inf, scores).max(axis=1)
    assert (lowest_open >= highest_closed).all()


@pytest.mark.parametrize(("k_min", "mask", "words"), [
    (4, np.zeros((2, 3), bool), "min_keep: got 4, expected a number of gates from 0 to 3"),
    (-1, np.zeros((2, 3), bool), "min_keep: got -1"),
    (1, np.zeros((2, 3)), "mask: got dtype float64, expected a boolean mask"),
])
def test_bad_input_is_told(k_min, mask, words):
    with pytest.raises(InputError, match=words):
        at_least(mask, np.ones((2, 3)), k_min)
