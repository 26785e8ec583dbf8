"""The easy rows of Sigmoid Top-k: solved as the careful solver does, and left where it has to."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.kernels import choose

pytestmark = pytest.mark.kernels


@pytest.fixture(scope="module")
def rows():
    kernels = choose.row_kernels(choose.ENOUGH_SCORES, "float32")
    if kernels is None:
        pytest.skip("Numba is not installed")
    return kernels


def drawn(dtype="float32", shape=(3, 70), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def easy(rows, scores, k, temperature):
    """Answers of the easy solver, and which rows it left."""
    answers = [np.full_like(scores, np.nan) for _ in range(3)]
    left = np.zeros(len(scores), np.bool_)
    rows.solve_easy(scores, k, temperature, *answers, left)
    return answers, left


def careful(rows, scores, k, temperature):
    answers = [np.empty_like(scores) for _ in range(3)]
    rows.solve_all("sigmoid", scores, k, temperature, *answers)
    return answers


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [4.4, 20, 35.5, 66])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 1e4])
def test_easy_rows_are_the_careful_ones(rows, dtype, k, temperature):
    scores = drawn(dtype)
    (p, slope, u), left = easy(rows, scores, k, temperature)
    assert not left.any()
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(p.sum(axis=1, dtype=np.float64), k, rtol=20 * eps)
    wanted = careful(rows, scores, k, temperature)
    np.testing.assert_allclose(p, wanted[0], atol=20 * eps)
    np.testing.assert_allclose(slope, wanted[1], atol=20 * eps)
    np.testing.assert_allclose(u, wanted[2], atol=100 * eps, rtol=100 * eps)


def test_long_rows_are_summed_in_blocks(rows):
    scores = drawn(shape=(1, 2 * rows.sigmoid.BLOCK + 37))
    (p, _, _), left = easy(rows, scores, 500.25, 0.3)
    assert not left.any()
    assert abs(p.sum(dtype=np.float64) - 500.25) < 1e-4
    np.testing.assert_allclose(p, careful(rows, scores, 500.25, 0.3)[0], atol=2e-6)


@pytest.mark.parametrize("offset", [1e4, -1e6])
def test_a_common_offset_costs_no_digits(rows, offset):
    scores = np.round(drawn() * 16) / 16  # exact in float32 with either offset
    p, moved = (easy(rows, given, 20, 0.5)[0][0] for given in (scores, scores + np.float32(offset)))
    np.testing.assert_allclose(moved, p, atol=2e-6)


def test_far_scores_are_exactly_zero_and_one_and_pull_nothing(rows):
    scores = drawn(shape=(3, 700))
    scores[:, 3], scores[:, 4] = 60, -60
    (p, slope, u), left = easy(rows, scores, 350, 0.5)
    assert not left.any()
    np.testing.assert_array_equal(p[:, 3:5], [[1, 0]] * 3)
    np.testing.assert_array_equal(slope[:, 3:5], 0)
    assert np.isfinite(u).all()


def test_what_a_guess_cannot_solve_is_left(rows):
    scores = np.tile(drawn(shape=(1, 70)), (6, 1))
    scores[1, 5] = 1e30  # its square overflows
    scores[2, 5] = np.nan
    scores[3, 5] = -np.inf
    scores[4] = np.where(scores[4] > 0, 50, -50)  # a wide gap, and k splits neither side
    _, left = easy(rows, scores, 20, 0.5)
    np.testing.assert_array_equal(left, [False, True, True, True, True, False])
    assert easy(rows, scores, 20, 1e-4)[1].all()  # nearly decided: too cold for a guess
    assert easy(rows, scores, 20, 1e-300)[1].all()


def test_easy_and_careful_rows_share_a_batch(rows):
    scores = drawn()
    scores[1, 5] = 1e30
    p, slope, u, beyond = rows.solve("sigmoid", scores, 20, 0.5)
    assert beyond  # next to 1e30 float32 cannot tell such scores apart
    assert p[1, 5] == 1
    np.testing.assert_allclose(p.sum(axis=1), 20, rtol=1e-5)
    for row in (0, 2):
        alone = rows.solve("sigmoid", scores[row:row + 1], 20, 0.5)
        for got, wanted in zip((p, slope, u), alone[:3], strict=True):
            np.testing.assert_array_equal(got[row], wanted[0])


@pytest.mark.parametrize("name", ["sigmoid", "lapsum", "capped-simplex"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_told(rows, name, odd):
    scores = drawn()
    scores[2, 6] = odd
    with pytest.raises(InputError, match=r"scores: got .* at index \(2, 6\)"):
        rows.solve(name, scores, 20, 0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponentials_on_both_sides_of_zero(rows, dtype):
    x = np.concatenate([np.linspace(-86, 79, 448), np.full(64, -4096.0)]).astype(dtype)
    got = np.empty_like(x)
    rows.sigmoid.exponentials(x, rows.series(x.dtype), got)
    exact = np.exp(x[:448].astype(np.longdouble))
    assert np.max(np.abs(got[:448] - exact) / exact) <= 2 * np.finfo(dtype).eps
    np.testing.assert_array_equal(got[448:], 0)
