from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimidl.data.splits import cut, stratified_split
from minimidl.errors import InputError


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(1, 60), min_size=1, max_size=6), seed=st.integers(0, 99),
       first=st.floats(0, 1))
def test_parts_are_disjoint_complete_exact_and_in_proportion(counts, seed, first):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    n = len(labels)
    sizes = (int(first * n), n - int(first * n))
    parts = stratified_split(labels, sizes, np.random.default_rng(seed))
    assert tuple(map(len, parts)) == sizes
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    got = np.bincount(labels[parts[0]], minlength=len(counts))
    # A class may be off by its own rounding and by the one that the exact size forces on the cut.
    assert np.all(np.abs(got - np.array(counts) * sizes[0] / n) <= 2.0)


def test_same_generator_same_split_and_another_one_another():
    labels = np.arange(100) % 5
    first, again, other = (stratified_split(labels, (60, 40), np.random.default_rng(seed))[0]
                           for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("sizes", [(3, 3), (-1, 6), (2, 2)])
def test_sizes_that_do_not_sum_up_are_refused(sizes):
    with pytest.raises(InputError, match="sum to 5"):
        stratified_split(np.zeros(5, int), sizes, np.random.default_rng(0))


def test_cut_gives_consecutive_pieces():
    assert [piece.tolist() for piece in cut(np.arange(6), (3, 1, 2))] == [[0, 1, 2], [3], [4, 5]]
