"""Isotonic regression: laws, SciPy as the judge, and blocks that stay apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import isotonic_regression

from minimidl.errors import InputError
from minimidl.gates.ranking import isotonic_decreasing, isotonic_decreasing_backward
from minimidl.gates.ranking.isotonic import block_means, block_starts

rows = st.integers(1, 12).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-8, 8, allow_subnormal=False)))


def by_rounds(y: np.ndarray) -> np.ndarray:
    """A second algorithm: pool all violating neighbours of all rows at once, until none is left."""
    starts = np.ones(y.shape, dtype=bool)
    while True:
        v = block_means(y, starts)
        violated = (np.diff(v, axis=1) > 1e-13) & starts[:, 1:]
        if not violated.any():
            return v
        starts[:, 1:] &= ~violated


def test_by_hand() -> None:
    # 1 < 5 pool to 3, then 4 above 3 pools all three to 10/3; 0 stays; 2 above 0 pools to 1
    v, memory = isotonic_decreasing(np.array([[1.0, 5, 4, 0, 2]]))
    np.testing.assert_allclose(v, [[10 / 3] * 3 + [1] * 2], rtol=1e-15)
    assert memory["starts"].tolist() == [[True, False, False, True, False]]
    grad = isotonic_decreasing_backward(np.array([[3.0, 0, 0, 1, 5]]), memory)
    np.testing.assert_allclose(grad, [[1, 1, 1, 3, 3]], rtol=1e-15)


def test_two_blocks_with_one_value_stay_two() -> None:
    # (1, 3) pools to 2 and meets a 2: no violation, no pooling. Whoever finds the blocks again by
    # equal values would fuse them, and the gradient of the last entry would be 3 instead of 9.
    v, memory = isotonic_decreasing(np.array([[1.0, 3, 2]]))
    assert v.tolist() == [[2, 2, 2]]
    assert memory["starts"].tolist() == [[True, False, True]]
    assert isotonic_decreasing_backward(np.array([[0.0, 0, 9]]), memory).tolist() == [[0, 0, 9]]


@given(y=rows)
def test_scipy_and_a_second_algorithm_agree(y: np.ndarray) -> None:
    v, _ = isotonic_decreasing(y)
    for row, answer in zip(y, v, strict=True):
        expected = isotonic_regression(row, increasing=False).x
        np.testing.assert_allclose(answer, expected, atol=1e-12)
    np.testing.assert_allclose(by_rounds(y), v, atol=1e-11)


def test_blocks_equal_those_of_scipy() -> None:
    y = np.random.default_rng(0).normal(size=(20, 60)).cumsum(axis=1)
    for row, starts in zip(y, isotonic_decreasing(y)[1]["starts"], strict=True):
        blocks = isotonic_regression(row, increasing=False).blocks
        assert np.flatnonzero(starts).tolist() == blocks[:-1].tolist()


@given(y=rows, shift=st.floats(-9, 9))
def test_it_is_a_projection_that_keeps_sums(y: np.ndarray, shift: float) -> None:
    v, _ = isotonic_decreasing(y)
    assert (np.diff(v, axis=1) <= 1e-14).all()
    np.testing.assert_allclose(v.sum(axis=1), y.sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(isotonic_decreasing(v)[0], v, atol=1e-14)
    np.testing.assert_allclose(isotonic_decreasing(y + shift)[0], v + shift, atol=1e-12)


@given(y=rows)
def test_jacobian_is_a_symmetric_projection(y: np.ndarray) -> None:
    memory = {"starts": block_starts(y[:1])}
    slopes = np.vstack([isotonic_decreasing_backward(e[None, :], memory)
                        for e in np.eye(y.shape[1])])
    np.testing.assert_allclose(slopes, slopes.T, atol=1e-15)
    np.testing.assert_allclose(slopes @ slopes, slopes, atol=1e-14)
    np.testing.assert_allclose(slopes.sum(axis=1), 1, atol=1e-14)


@given(y=rows, seed=st.integers(0, 99))
def test_gradient_equals_central_differences_with_a_margin_to_kinks(
    y: np.ndarray, seed: int
) -> None:
    g, step = np.random.default_rng(seed).normal(size=y.shape), 1e-6
    _, memory = isotonic_decreasing(y)
    grad = isotonic_decreasing_backward(g, memory)
    for entry in np.ndindex(y.shape):
        e = np.zeros_like(y)
        e[entry] = step
        for far in (100 * e, -100 * e):
            assume((block_starts(y + far) == memory["starts"]).all())
        slope = (g * (isotonic_decreasing(y + e)[0] - isotonic_decreasing(y - e)[0])).sum()
        assert grad[entry] == pytest.approx(slope / (2 * step), abs=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sorted_stays_reversed_becomes_one_block(dtype: type) -> None:
    down = np.array([[3, 1, 1, -2]], dtype)
    v, memory = isotonic_decreasing(down)
    assert v.dtype == dtype
    assert (v == down).all()
    assert memory["starts"].all()
    v, memory = isotonic_decreasing(down[:, ::-1].copy())
    assert v.tolist() == [[0.75] * 4]
    assert memory["starts"].sum() == 1
    assert isotonic_decreasing(np.array([[7]], dtype))[0].tolist() == [[7]]


def test_rows_do_not_touch_each_other() -> None:
    y = np.array([[0.0, 9.0], [9.0, 0.0], [1.0, 2.0]])
    assert isotonic_decreasing(y)[0].tolist() == [[4.5, 4.5], [9, 0], [1.5, 1.5]]


def test_work_is_linear_where_pooling_cascades() -> None:
    # each new value pools with everything before: a walk that starts over would take n^2 steps
    n = 20_000
    v, _ = isotonic_decreasing(np.arange(n, dtype=float)[None, :])
    assert (v == (n - 1) / 2).all()


@pytest.mark.parametrize("y", [np.array([[1.0, np.nan]]), np.array([1.0, 2.0]),
                               np.array([[1, 2]])])
def test_bad_input_is_told(y: np.ndarray) -> None:
    with pytest.raises(InputError, match="y: got"):
        isotonic_decreasing(y)
