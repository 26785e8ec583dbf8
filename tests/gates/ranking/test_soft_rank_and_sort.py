"""Soft rank and soft sort: goldens, laws, a certificate of optimality, exact ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from minimidl.errors import InputError
from minimidl.gates import RANKING, rank_operator

RANK, SORT = rank_operator("soft-rank"), rank_operator("soft-sort")
rows = st.integers(1, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-5, 5, allow_subnormal=False)))
temperatures = st.floats(0.1, 8)
each = pytest.mark.parametrize("name", RANKING)
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def rank(z: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    return RANK.forward(z, temperature)[0]


def soft_sort(z: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    return SORT.forward(z, temperature)[0]


def off_the_nearest(point: np.ndarray, answer: np.ndarray, corner: np.ndarray) -> float:
    """0 if ``answer`` is the point of the permutahedron of ``corner`` nearest to ``point``.

    A projection is characterised by ``<point - answer, v - answer> <= 0`` for every vertex ``v``;
    the worst vertex is ``corner`` sorted like ``point - answer``. And the answer must belong to the
    permutahedron: its largest j entries sum to no more than those of ``corner``.
    """
    rest, down = point - answer, -np.sort(-corner)
    inequality = np.sort(rest) @ np.sort(corner) - rest @ answer
    outside = np.max(np.cumsum(-np.sort(-answer)) - np.cumsum(down))
    return float(max(inequality, outside, abs(answer.sum() - corner.sum())))


def test_golden_rank_and_its_gradient() -> None:
    r, memory = RANK.forward(np.array([[5.0, 1, 2]]), 2.0)
    assert r.tolist() == [[3, 1.25, 1.75]]
    # 1 and 2 form a block: dz = (g - mean) / 2 there, and 0 for the score that stands alone
    grads = RANK.backward(np.array([[7.0, 1, 3]]), memory)
    assert grads["scores"].tolist() == [[0, -0.5, 0.5]]
    assert grads["temperature"] == -0.25  # -<dz, z> / T = -(-0.5 + 1) / 2


def test_golden_sort_and_its_gradient() -> None:
    # T = 1/2: a = (6, 4, 2), s = (5, 2, 1): a - s = (1, 2, 1): the first two pool to 1.5
    values, memory = SORT.forward(np.array([[5.0, 1, 2]]), 0.5)
    assert values.tolist() == [[4.5, 2.5, 1]]
    grads = SORT.backward(np.array([[1.0, 3, 7]]), memory)
    assert grads["scores"].tolist() == [[2, 7, 2]]
    assert grads["temperature"] == 4  # da = (-1, 1, 0), -<da, a> / T = 2 / 0.5


@given(z=rows, temperature=temperatures)
def test_rank_is_the_projection_it_claims_to_be(z: np.ndarray, temperature: float) -> None:
    corner = np.arange(1.0, z.shape[1] + 1)
    for row, answer in zip(z / temperature, rank(z, temperature), strict=True):
        assert off_the_nearest(row, answer, corner) < 1e-10


@given(z=rows, temperature=temperatures)
def test_sort_is_the_projection_it_claims_to_be(z: np.ndarray, temperature: float) -> None:
    point = np.arange(z.shape[1], 0, -1.0) / temperature
    for row, answer in zip(z, soft_sort(z, temperature), strict=True):
        assert off_the_nearest(point, answer, row) < 1e-10


def test_the_certificate_refuses_another_point() -> None:
    corner, point = np.array([1.0, 2, 3]), np.array([2.5, 0.5, 1.0])
    assert off_the_nearest(point, np.array([3, 1.25, 1.75]), corner) < 1e-12
    assert off_the_nearest(point, np.array([3, 1.3, 1.7]), corner) > 0.01
    assert off_the_nearest(point, np.array([3.1, 1.2, 1.7]), corner) > 0.01


@given(z=rows, shift=st.floats(-50, 50), seed=st.integers(0, 99), temperature=temperatures)
def test_laws_of_ranks(z: np.ndarray, shift: float, seed: int, temperature: float) -> None:
    n, r = z.shape[1], rank(z, temperature)
    np.testing.assert_allclose(r.sum(axis=1), n * (n + 1) / 2, rtol=1e-13)
    order = np.argsort(z, axis=1)
    assert (np.diff(np.take_along_axis(r, order, axis=1), axis=1) >= -1e-12).all()
    np.testing.assert_allclose(rank(z + shift, temperature), r, atol=1e-10)
    np.testing.assert_allclose(rank(-z, temperature), n + 1 - r, atol=1e-11)
    np.testing.assert_allclose(rank(z / temperature), r, atol=1e-11)
    mixed = np.random.default_rng(seed).permutation(n)
    np.testing.assert_allclose(rank(z[:, mixed], temperature), r[:, mixed], atol=1e-11)


@given(z=rows, shift=st.floats(-50, 50), seed=st.integers(0, 99), temperature=temperatures)
def test_laws_of_sorting(z: np.ndarray, shift: float, seed: int, temperature: float) -> None:
    values = soft_sort(z, temperature)
    np.testing.assert_allclose(values.sum(axis=1), z.sum(axis=1), atol=1e-11)
    assert (np.diff(values, axis=1) <= 1e-12).all()
    np.testing.assert_allclose(soft_sort(z + shift, temperature), values + shift, atol=1e-10)
    np.testing.assert_allclose(soft_sort(-z, temperature), -values[:, ::-1], atol=1e-11)
    mixed = np.random.default_rng(seed).permutation(z.shape[1])
    np.testing.assert_allclose(soft_sort(z[:, mixed], temperature), values, atol=1e-11)


@given(z=rows, temperature=st.floats(0.3, 5), seed=st.integers(0, 99))
@pytest.mark.parametrize("name", RANKING)
def test_gradients_equal_central_differences_with_a_margin_to_kinks(
    name: str, z: np.ndarray, temperature: float, seed: int
) -> None:
    op, step = rank_operator(name), 1e-6
    g = np.random.default_rng(seed).normal(size=z.shape)
    _, memory = op.forward(z, temperature)
    gaps = np.diff(np.sort(z, axis=1), axis=1)
    assume((gaps > 1e-3).all() if name == "soft-sort" else True)  # a sort has kinks at ties

    def slope(e: np.ndarray, t: float) -> float:
        for far in (100, -100):
            there = op.forward(z + far * e, temperature + far * t)[1]["starts"]
            assume((there == memory["starts"]).all())
        up, down = op.forward(z + e, temperature + t)[0], op.forward(z - e, temperature - t)[0]
        return float((g * (up - down)).sum() / (2 * step))

    grads = op.backward(g, memory)
    assert grads["temperature"] == pytest.approx(slope(0 * z, step), rel=1e-5, abs=1e-6)
    for entry in np.ndindex(z.shape):
        e = np.zeros_like(z)
        e[entry] = step
        assert grads["scores"][entry] == pytest.approx(slope(e, 0), abs=1e-6)


@both
def test_cold_ranks_are_exact_and_feel_nothing(dtype: type) -> None:
    z = np.random.default_rng(0).permutation(200).reshape(4, 50).astype(dtype)
    r, memory = RANK.forward(z, 1.0)  # whole numbers, T = 1: exact already, not in the limit
    assert r.dtype == dtype
    assert (r == rankdata(z, axis=1)).all()
    assert not RANK.backward(np.random.default_rng(1).normal(size=z.shape), memory)["scores"].any()


@both
def test_a_cold_sort_is_exact_and_its_gradient_is_the_permutation(dtype: type) -> None:
    z = np.random.default_rng(0).normal(size=(4, 50)).astype(dtype)
    values, memory = SORT.forward(z, 1e-6)
    assert values.dtype == dtype
    assert (values == -np.sort(-z, axis=1)).all()
    g = np.random.default_rng(1).normal(size=z.shape).astype(dtype)
    pull = SORT.backward(g, memory)["scores"]
    assert (np.take_along_axis(pull, np.argsort(-z, axis=1), axis=1) == g).all()
    assert SORT.backward(g, memory)["temperature"] == 0


def test_ties_share_their_ranks_at_every_temperature() -> None:
    z = np.array([[2.0, 1, 1, 1, 0]])
    np.testing.assert_allclose(rank(z, 1e-3), rankdata(z, method="average", axis=1), atol=1e-12)
    assert np.ptp(rank(z, 3.0)[0, 1:4]) < 1e-14


def test_hot_all_ranks_are_the_middle_and_all_values_the_mean() -> None:
    z = np.array([[3.0, -1.0, 0.5, 2.0]])
    np.testing.assert_allclose(rank(z, 1e9), 2.5, atol=1e-8)
    np.testing.assert_allclose(soft_sort(z, 1e9), z.mean(), atol=1e-8)


@both
def test_one_element_equal_rows_and_large_scores(dtype: type) -> None:
    one, same = np.array([[-3], [8]], dtype), np.full((1, 5), 7, dtype)
    assert (rank(one) == 1).all()
    assert (soft_sort(one) == one).all()
    np.testing.assert_allclose(rank(same), 3, rtol=1e-6)
    np.testing.assert_allclose(soft_sort(same, 0.5), 7, rtol=1e-6)
    large = np.array([[1e4, -1e4, 0, 5e3]], dtype)
    assert rank(large).tolist() == [[4, 1, 2, 3]]
    np.testing.assert_allclose(soft_sort(large, 1e-5), -np.sort(-large, axis=1), rtol=1e-6)


@each
@pytest.mark.parametrize("temperature", [0.01, 1.0])
def test_float32_agrees_with_float64_and_stays_float32(name: str, temperature: float) -> None:
    op = rank_operator(name)
    z, g = np.random.default_rng(3).normal(size=(2, 4, 100)).astype(np.float32)
    out, memory = op.forward(z.astype(float), temperature)
    out32, memory32 = op.forward(z, temperature)
    grads, grads32 = op.backward(g.astype(float), memory), op.backward(g, memory32)
    assert out32.dtype == np.float32
    assert {np.asarray(value).dtype for value in grads32.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(out32, out, rtol=1e-6, atol=1e-6)
    for key in grads:
        np.testing.assert_allclose(grads32[key], grads[key], rtol=1e-4, atol=1e-4)


@each
def test_nothing_given_is_changed(name: str) -> None:
    op = rank_operator(name)
    z, g = np.random.default_rng(5).normal(size=(2, 3, 20))
    before = z.copy(), g.copy()
    (out, memory), (again, _) = op.forward(z, 0.7), op.forward(z, 0.7)
    first, second = op.backward(g, memory), op.backward(g, memory)
    assert (out == again).all()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert np.array_equal(before, (z, g))


@each
@pytest.mark.parametrize(("z", "temperature", "message"), [
    ([[1.0, np.nan]], 1, r"scores: got nan at index \(0, 1\), expected finite"),
    ([[np.inf, 0.0]], 1, r"scores: got inf at index \(0, 0\), expected finite"),
    ([[1.0, 2.0]], 0, "temperature: got 0, expected a positive number"),
    ([1.0, 2.0], 1, r"scores: got shape \(2,\).*expected \(rows, n\) of floats"),
])
def test_bad_input_is_told(name: str, z: list, temperature: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rank_operator(name).forward(np.array(z), temperature)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"got 'sort', expected one of soft-rank, soft-sort"):
        rank_operator("sort")
