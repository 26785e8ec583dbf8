"""Sigmoid Top-k: what makes it a soft choice of k, at every temperature and in both precisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq
from scipy.special import expit

from minimidl.errors import InputError
from minimidl.gates import SigmoidTopK, topk

SOFT = SigmoidTopK()
rows = st.integers(2, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-8, 8, allow_subnormal=False)))
shares = st.floats(0.02, 0.98)  # k as a share of n
temperatures = st.floats(0.2, 4)


def soft(z: np.ndarray, k: float, temperature: float = 1.0) -> np.ndarray:
    return SOFT.forward(z, k, temperature)[0]


def jacobian(z: np.ndarray, k: float, temperature: float) -> np.ndarray:
    """``dp_i / dz_j`` of one row, one backward per output."""
    _, memory = SOFT.forward(z, k, temperature)
    return np.vstack([SOFT.backward(e[None, :], memory)["scores"] for e in np.eye(z.shape[1])])


def test_two_scores_by_hand() -> None:
    # k = 1 of 2: tau is the middle, so p_1 = s((z_1 - z_2) / (2 T)); z = (ln 9, 0), T = 1: s(ln 3)
    np.testing.assert_allclose(soft(np.array([[math.log(9), 0.0]]), 1), [[0.75, 0.25]], atol=1e-14)
    np.testing.assert_allclose(soft(np.array([[math.log(9), 0.0]]), 1, 0.5), [[0.9, 0.1]],
                               atol=1e-14)


def test_gradient_of_two_scores_by_hand() -> None:
    # d = (3/16, 3/16), g = (1, 0), mean_grad = 1/2: dz = 3/16 (1/2, -1/2); u = (ln 3, -ln 3)
    _, memory = SOFT.forward(np.array([[math.log(9), 0.0]]), 1)
    grads = SOFT.backward(np.array([[1.0, 0.0]]), memory)
    np.testing.assert_allclose(grads["scores"], [[3 / 32, -3 / 32]], atol=1e-14)
    assert grads["k"] == pytest.approx(0.5, abs=1e-14)
    assert grads["temperature"] == pytest.approx(-2 * 3 / 32 * math.log(3), abs=1e-14)


@given(z=rows, share=shares, temperature=temperatures)
def test_root_finding_by_scipy_is_the_judge(
    z: np.ndarray, share: float, temperature: float
) -> None:
    k = share * z.shape[1]
    p = soft(z, k, temperature)
    for row, answer in zip(z, p, strict=True):
        tau = brentq(lambda t, row=row: expit((row - t) / temperature).sum() - k, -60, 60,
                     xtol=1e-14, rtol=1e-15)
        np.testing.assert_allclose(answer, expit((row - tau) / temperature), atol=2e-12)


@given(z=rows, share=shares, temperature=temperatures)
def test_each_row_sums_to_k_and_stays_inside_zero_and_one(
    z: np.ndarray, share: float, temperature: float
) -> None:
    k = share * z.shape[1]
    p = soft(z, k, temperature)
    np.testing.assert_allclose(p.sum(axis=1), k, rtol=1e-12)
    assert ((p >= 0) & (p <= 1)).all()


@given(z=rows, share=shares, shift=st.floats(-100, 100))
def test_adding_a_number_to_all_scores_changes_nothing(
    z: np.ndarray, share: float, shift: float
) -> None:
    k = share * z.shape[1]
    np.testing.assert_allclose(soft(z + shift, k), soft(z, k), atol=1e-11)


def test_in_float32_a_large_common_offset_costs_no_digits() -> None:
    # scores that are exact in float32 with and without the offset; tau itself would be rounded
    z = (np.random.default_rng(1).integers(-200, 200, (3, 40)) / 64).astype(np.float32)
    np.testing.assert_allclose(soft(z + np.float32(2**14), 9), soft(z, 9), atol=1e-6)


def test_the_slope_of_a_nearly_certain_choice_is_small_not_zero() -> None:
    # 1 - p is 0 in float64 at u = 40, the slope is exp(-40)
    np.testing.assert_allclose(SOFT.slope(np.array([-40.0, 40.0])), math.exp(-40), rtol=1e-12)


@given(z=rows, share=shares)
def test_order_is_kept(z: np.ndarray, share: float) -> None:
    p = soft(z, share * z.shape[1])
    order = np.argsort(z, axis=1)
    assert (np.diff(np.take_along_axis(p, order, axis=1), axis=1) >= 0).all()


@given(z=rows, share=shares, seed=st.integers(0, 99))
def test_permuting_scores_permutes_the_answer(z: np.ndarray, share: float, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(z.shape[1])
    k = share * z.shape[1]
    np.testing.assert_allclose(soft(z[:, order], k), soft(z, k)[:, order], atol=1e-13)


@given(z=rows, share=shares, temperature=temperatures)
def test_temperature_is_a_scale_of_the_scores(
    z: np.ndarray, share: float, temperature: float
) -> None:
    k = share * z.shape[1]
    np.testing.assert_allclose(soft(z, k, temperature), soft(z / temperature, k), atol=1e-13)


@given(z=rows, share=shares)
def test_choosing_k_is_leaving_n_minus_k_of_the_negated(z: np.ndarray, share: float) -> None:
    n = z.shape[1]
    np.testing.assert_allclose(soft(z, share * n), 1 - soft(-z, n - share * n), atol=1e-12)


@given(z=rows, share=shares, temperature=temperatures)
def test_jacobian_is_symmetric_positive_and_moves_no_budget(
    z: np.ndarray, share: float, temperature: float
) -> None:
    slopes = jacobian(z[:1], share * z.shape[1], temperature)
    np.testing.assert_allclose(slopes, slopes.T, atol=1e-14)
    np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-13)
    assert np.linalg.eigvalsh(slopes).min() >= -1e-13


@given(z=rows, share=st.floats(0.1, 0.9), temperature=st.floats(0.5, 3), seed=st.integers(0, 99))
def test_every_gradient_equals_central_differences(
    z: np.ndarray, share: float, temperature: float, seed: int
) -> None:
    k, step = share * z.shape[1], 1e-5
    g = np.random.default_rng(seed).normal(size=z.shape)
    grads = SOFT.backward(g, SOFT.forward(z, k, temperature)[1])
    np.testing.assert_allclose(grads["scores"].sum(axis=1), 0, atol=1e-12)

    def slope(up: np.ndarray, down: np.ndarray) -> float:
        return float((g * (up - down)).sum() / (2 * step))

    by_k = slope(soft(z, k + step, temperature), soft(z, k - step, temperature))
    by_t = slope(soft(z, k, temperature + step), soft(z, k, temperature - step))
    assert grads["k"] == pytest.approx(by_k, rel=1e-6, abs=1e-6)
    assert grads["temperature"] == pytest.approx(by_t, rel=1e-6, abs=1e-6)
    for entry in np.ndindex(z.shape):
        e = np.zeros_like(z)
        e[entry] = step
        by_z = slope(soft(z + e, k, temperature), soft(z - e, k, temperature))
        assert grads["scores"][entry] == pytest.approx(by_z, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.05, 1e-3])
def test_ties_at_the_cut_share_what_is_left(dtype: type, temperature: float) -> None:
    # math.md section 0: one slot is left for three equal scores, each takes a third
    p = soft(np.array([[2, 1, 1, 1, 0]], dtype), 2, temperature)
    np.testing.assert_allclose(p, [[1, 1 / 3, 1 / 3, 1 / 3, 0]], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_share_equally(dtype: type) -> None:
    p, memory = SOFT.forward(np.full((2, 4), 7, dtype), 1.5)
    np.testing.assert_allclose(p, 0.375, rtol=4 * np.finfo(dtype).eps)
    grads = SOFT.backward(np.array([[1, 0, 0, 0], [0, 0, 0, 0]], dtype), memory)
    # d is equal everywhere, d = 0.375 * 0.625: dz = d (g - mean of g)
    np.testing.assert_allclose(grads["scores"][0], 0.234375 * np.array([.75, -.25, -.25, -.25]),
                               rtol=1e-5)
    assert not grads["scores"][1].any()


@pytest.mark.parametrize(("k", "value"), [(0, 0.0), (3, 1.0)])
def test_nothing_or_everything_is_chosen_without_gradients(k: float, value: float) -> None:
    p, memory = SOFT.forward(np.array([[1.0, 5.0, -2.0]]), k)
    assert (p == value).all()
    grads = SOFT.backward(np.ones((1, 3)), memory)
    assert set(grads) == {"scores", "k", "temperature"}
    assert all(not np.any(g) for g in grads.values())


@pytest.mark.parametrize("k", [0, 0.3, 1])
def test_one_element_takes_the_whole_budget(k: float) -> None:
    p, memory = SOFT.forward(np.array([[-3.0], [8.0]]), k)
    np.testing.assert_allclose(p, k, atol=1e-15)
    np.testing.assert_allclose(SOFT.backward(np.ones_like(p), memory)["scores"], 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cold_is_hard_and_its_gradient_is_zero_not_nan(dtype: type) -> None:
    z = np.array([[3, -1, 0.5, 2]], dtype)
    p, memory = SOFT.forward(z, 2, 1e-4)
    assert p.tolist() == [[1, 0, 0, 1]]
    grads = SOFT.backward(np.array([[1, 2, 3, 4]], dtype), memory)
    assert all(np.isfinite(g).all() for g in grads.values())
    assert not grads["scores"].any()


def test_hot_is_the_same_share_for_all() -> None:
    np.testing.assert_allclose(soft(np.array([[3.0, -1.0, 0.5, 2.0]]), 1, 1e9), 0.25, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_ten_thousand_are_no_trouble(dtype: type) -> None:
    z = np.array([[1e4, -1e4, 0, 5e3, -5e3]], dtype)
    p, memory = SOFT.forward(z, 2)
    np.testing.assert_allclose(p, [[1, 0, 0, 1, 0]], atol=4 * 5 * np.finfo(dtype).eps)
    assert all(np.isfinite(g).all() for g in SOFT.backward(np.ones_like(z), memory).values())
    between = soft(z, 2.5)  # the half unit that is left goes to the third best
    np.testing.assert_allclose(between, [[1, 0, 0.5, 1, 0]], atol=2e-6)


def test_a_budget_far_from_the_middle_is_met() -> None:
    z = np.random.default_rng(0).normal(size=(3, 50))
    for k in (1e-6, 1e-3, 50 - 1e-3, 50 - 1e-6):
        np.testing.assert_allclose(soft(z, k).sum(axis=1), k, rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_float32_agrees_with_float64_and_stays_float32(temperature: float) -> None:
    z = np.random.default_rng(3).normal(size=(4, 300))
    g = np.random.default_rng(4).normal(size=z.shape)
    p, memory = SOFT.forward(z, 90, temperature)
    p32, memory32 = SOFT.forward(z.astype(np.float32), 90, temperature)
    grads, grads32 = SOFT.backward(g, memory), SOFT.backward(g.astype(np.float32), memory32)
    assert p32.dtype == np.float32
    assert {np.asarray(value).dtype for value in grads32.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(p32, p, atol=1e-5)
    np.testing.assert_allclose(p32.sum(axis=1, dtype=np.float64), 90, atol=1e-3)
    np.testing.assert_allclose(grads32["scores"], grads["scores"], atol=1e-4)


def test_the_same_call_gives_the_same_bits_and_leaves_its_input_alone() -> None:
    z = np.random.default_rng(5).normal(size=(3, 20))
    g, before = np.ones_like(z), z.copy()
    p, memory = SOFT.forward(z, 4.5, 0.7)
    first, second = SOFT.backward(g, memory), SOFT.backward(g, memory)
    assert (soft(z, 4.5, 0.7) == p).all()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert (z == before).all()
    assert (g == 1).all()


@pytest.mark.parametrize(("z", "k", "temperature", "message"), [
    ([[1.0, np.nan]], 1, 1, r"scores: got nan at index \(0, 1\), expected finite"),
    ([[np.inf, 0.0]], 1, 1, r"scores: got inf at index \(0, 0\), expected finite"),
    ([[1.0, 2.0]], -0.5, 1, r"k: got -0.5, expected a number in \[0, 2\]"),
    ([[1.0, 2.0]], 2.5, 1, r"k: got 2.5, expected a number in \[0, 2\]"),
    ([[1.0, 2.0]], np.nan, 1, r"k: got nan, expected a number in \[0, 2\]"),
    ([[1.0, 2.0]], 1, 0, r"temperature: got 0, expected a positive number"),
    ([[1.0, 2.0]], 1, -1, r"temperature: got -1, expected a positive number"),
    ([[1.0, 2.0]], 1, np.inf, r"temperature: got inf, expected a positive number"),
    ([1.0, 2.0], 1, 1, r"scores: got shape \(2,\).*expected \(rows, n\) of floats"),
])
def test_bad_input_is_told(z: list, k: float, temperature: float, message: str) -> None:
    for name in ("sigmoid", "hard"):
        with pytest.raises(InputError, match=message):
            topk(name).forward(np.array(z), k, temperature)


def test_whole_number_scores_are_refused() -> None:
    with pytest.raises(InputError, match=r"scores: got .*int64, expected \(rows, n\) of floats"):
        SOFT.forward(np.ones((1, 3), np.int64), 1)


def test_an_unknown_operator_is_told_with_the_known_names() -> None:
    with pytest.raises(InputError, match=r"topk: got 'best', expected one of sigmoid, hard"):
        topk("best")
