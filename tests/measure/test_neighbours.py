"""Neighbours on a grid against plain loops over all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma as scipy_digamma

from minimidl.errors import InputError
from minimidl.measure import neighbours
from minimidl.measure.neighbours import (
    digamma,
    is_constant,
    kth_in_plane,
    kth_on_line,
    on_a_grid,
    strictly_closer,
)

whole = st.integers(-20, 20)


def kth(distances, k):
    return np.sort(distances, axis=1)[:, k]  # place 0 is the point itself


def test_digamma_of_whole_numbers():
    numbers = np.array([1, 2, 3, 10, 1000, 65536])
    np.testing.assert_allclose(digamma(numbers), scipy_digamma(numbers), rtol=1e-13)
    assert digamma(1) == pytest.approx(-0.5772156649015329)
    with pytest.raises(InputError, match="whole: got 0"):
        digamma(np.array([3, 0]))


@given(line=st.lists(whole, min_size=2, max_size=30), k=st.integers(1, 5))
def test_neighbours_on_a_line(line, k):
    x = np.sort(np.array(line))
    k = min(k, len(x) - 1)
    assert np.array_equal(kth_on_line(x, k), kth(np.abs(x[:, None] - x), k))


@given(points=st.lists(st.tuples(whole, whole), min_size=2, max_size=40), k=st.integers(1, 5))
def test_neighbours_in_the_plane(points, k):
    x, y = np.array(sorted(points)).T
    k = min(k, len(x) - 1)
    distance = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    assert np.array_equal(kth_in_plane(x, y, k), kth(distance, k))


@pytest.mark.parametrize("shape", ["line", "cross", "far"])
def test_neighbours_where_windows_must_grow_and_rows_come_in_pieces(shape, monkeypatch):
    # On a line y = -x neighbours are next door; on a cross those in the middle share x with many;
    # the far point looks through everything.
    monkeypatch.setattr(neighbours, "CELLS", 2000)
    rng = np.random.default_rng(0)
    x = np.sort(rng.integers(-10**6, 10**6, 500))
    y = {"line": -x, "cross": np.where(np.arange(500) % 2, x, -x),
         "far": np.where(np.arange(500) == 250, 10**9, rng.integers(-1000, 1000, 500))}[shape]
    distance = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    assert np.array_equal(kth_in_plane(x, y, 4), kth(distance, 4))


@given(line=st.lists(whole, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_counts_are_strict_and_hold_the_centre(line, seed):
    x = np.sort(np.array(line))
    radius = np.random.default_rng(seed).integers(0, 10, len(x))
    counted = (np.abs(x[:, None] - x) < radius[:, None]).sum(axis=1)
    assert np.array_equal(strictly_closer(x, x, radius), np.maximum(counted, 1))


def test_a_grid_standardises_and_breaks_ties_by_less_than_it_matters():
    x = np.repeat([1.0, 3.0], 50)  # steps of 2**-40 would tie seven of them again
    grid = on_a_grid(x, np.random.default_rng(0))
    assert len(set(grid.tolist())) == 100
    np.testing.assert_allclose(grid / neighbours.FINE, np.repeat([-1, 1], 50), atol=1e-9)
    assert np.array_equal(grid, on_a_grid(x, np.random.default_rng(0)))


def test_constant_up_to_rounding():
    assert is_constant(np.full(5, 0.1))
    assert is_constant(np.array([1e8, 1e8 + 1e-7]))
    assert is_constant(np.zeros(3))
    assert not is_constant(np.array([1.0, 1.0 + 1e-9]))
