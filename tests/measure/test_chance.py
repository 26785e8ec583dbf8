"""Shuffles and their p-values; random numbers of one's own."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.measure.chance import own_rng, permutation_null, permutation_p


def test_the_order_that_was_observed_counts():
    assert permutation_p(3.0, np.array([1.0, 2.0, 4.0])) == 2 / 4
    assert permutation_p(9.0, np.zeros(99)) == 1 / 100, "never 0"


def test_equal_up_to_rounding_counts_as_equal():
    assert permutation_p(0.1 + 0.2, np.array([0.3, 0.0, 0.0])) == 2 / 4


def test_without_shuffles_or_without_a_value_there_is_no_p_value():
    assert np.isnan(permutation_p(1.0, np.empty(0)))
    assert np.isnan(permutation_p(np.nan, np.zeros(3)))


def test_a_null_has_all_orders():
    orders = permutation_null(lambda order: order, 3, 200, 0)
    assert orders.shape == (200, 3)
    assert len({tuple(order) for order in orders}) == 6
    assert permutation_null(lambda order: order, 3, 0, 0).size == 0
    with pytest.raises(InputError, match="n_permutations: got -1"):
        permutation_null(lambda order: order, 3, -1, 0)


def test_noise_is_not_the_samples_though_both_have_seed_0():
    samples, noise = np.random.default_rng(0).normal(size=9), own_rng(0).normal(size=9)
    assert not np.isin(noise, samples).any()
    assert np.array_equal(noise, own_rng(0).normal(size=9))
    rng = np.random.default_rng(0)
    assert own_rng(rng) is rng
    with pytest.raises(InputError, match="seed"):
        own_rng(-1)
