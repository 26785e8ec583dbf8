"""The threshold family: the laws that every member obeys, whatever its distribution function."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.errors import InputError
from minimidl.gates import PNormTopK, topk
from minimidl.gates.threshold.base import ThresholdTopK

FAMILY: dict[str, ThresholdTopK] = {
    name: topk(name) for name in ("sigmoid", "lapsum", "capped-simplex", "pnorm", "normal")}
FAMILY |= {"pnorm 1.5": PNormTopK(1.5), "pnorm 3": PNormTopK(3)}
SYMMETRIC = ("sigmoid", "lapsum", "capped-simplex", "normal")
# The largest slope of F: no Jacobian has a norm above STEEPEST / T.
STEEPEST = {"sigmoid": 1 / 4, "lapsum": 1 / 2, "capped-simplex": 1, "pnorm": 3, "pnorm 1.5": 2,
            "normal": 1 / math.sqrt(2 * math.pi)}
SATURATING = ("capped-simplex", "pnorm", "pnorm 1.5", "pnorm 3")
every_member = pytest.mark.parametrize("name", FAMILY)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

rows = st.integers(2, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-8, 8, allow_subnormal=False)))
shares = st.floats(0.02, 0.98)  # k as a share of n
temperatures = st.floats(0.2, 4)


def soft(name: str, z: np.ndarray, k: float, temperature: float = 1.0) -> np.ndarray:
    return FAMILY[name].forward(z, k, temperature)[0]


def gradients(name: str, z: np.ndarray, k: float, temperature: float, g: np.ndarray) -> dict:
    operator = FAMILY[name]
    return operator.backward(g, operator.forward(z, k, temperature)[1])


@every_member
@given(z=rows, share=shares, temperature=temperatures)
def test_each_row_sums_to_k_and_stays_inside_zero_and_one(
    name: str, z: np.ndarray, share: float, temperature: float
) -> None:
    p = soft(name, z, share * z.shape[1], temperature)
    np.testing.assert_allclose(p.sum(axis=1), share * z.shape[1], rtol=1e-12)
    assert ((p >= 0) & (p <= 1)).all()


@every_member
@given(z=rows, share=shares, shift=st.floats(-100, 100))
def test_adding_a_number_to_all_scores_changes_nothing(
    name: str, z: np.ndarray, share: float, shift: float
) -> None:
    # the shifted scores are rounded; where F has a vertical tangent (pnorm 3) p feels the root
    exact = 1e-6 if name == "pnorm 3" else 1e-11
    k = share * z.shape[1]
    np.testing.assert_allclose(soft(name, z + shift, k), soft(name, z, k), atol=exact)


@every_member
@given(z=rows, share=shares, seed=st.integers(0, 99))
def test_order_is_kept_and_a_permutation_of_scores_permutes_the_answer(
    name: str, z: np.ndarray, share: float, seed: int
) -> None:
    k = share * z.shape[1]
    p = soft(name, z, k)
    in_order = np.take_along_axis(p, np.argsort(z, axis=1), axis=1)
    assert (np.diff(in_order, axis=1) >= 0).all()
    order = np.random.default_rng(seed).permutation(z.shape[1])
    exact = 1e-6 if name == "pnorm 3" else 1e-12
    np.testing.assert_allclose(soft(name, z[:, order], k), p[:, order], atol=exact)


@every_member
@given(z=rows, share=shares, temperature=temperatures)
def test_temperature_is_a_scale_of_the_scores(
    name: str, z: np.ndarray, share: float, temperature: float
) -> None:
    k = share * z.shape[1]
    exact = 1e-6 if name == "pnorm 3" else 1e-12
    np.testing.assert_allclose(soft(name, z, k, temperature), soft(name, z / temperature, k),
                               atol=exact)


@pytest.mark.parametrize("name", SYMMETRIC)
@given(z=rows, share=shares)
def test_choosing_k_is_leaving_n_minus_k_of_the_negated(
    name: str, z: np.ndarray, share: float
) -> None:
    n = z.shape[1]
    np.testing.assert_allclose(soft(name, z, share * n), 1 - soft(name, -z, n - share * n),
                               atol=1e-12)


def test_a_lopsided_member_has_no_complement() -> None:
    # F(u) = u^3 on (0, 1): the law above is a law of symmetric F, and this F is not
    z = np.array([[0.0, 0.2, 0.5]])
    assert np.abs(soft("pnorm", z, 1) - (1 - soft("pnorm", -z, 2))).max() > 0.01


@every_member
@given(z=rows, share=shares, temperature=temperatures)
def test_jacobian_is_symmetric_positive_bounded_and_moves_no_budget(
    name: str, z: np.ndarray, share: float, temperature: float
) -> None:
    operator, n = FAMILY[name], z.shape[1]
    _, memory = operator.forward(z[:1], share * n, temperature)
    slopes = np.vstack([operator.backward(e[None, :], memory)["scores"] for e in np.eye(n)])
    scale = max(1.0, np.abs(slopes).max())  # pnorm 3 has infinite slope where a gate opens
    np.testing.assert_allclose(slopes, slopes.T, atol=1e-12 * scale)
    np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-12 * scale)
    eigenvalues = np.linalg.eigvalsh(slopes)
    assert eigenvalues.min() >= -1e-12 * scale
    assert eigenvalues.max() <= STEEPEST.get(name, np.inf) / temperature * (1 + 1e-12)


@every_member
def test_hot_is_the_same_share_for_all_and_the_budget_pays_the_mean(name: str) -> None:
    z, g = np.array([[3.0, -1.0, 0.5, 2.0]]), np.array([[1.0, 2.0, 3.0, -4.0]])
    np.testing.assert_allclose(soft(name, z, 1, 1e9), 0.25, atol=1e-8)
    assert gradients(name, z, 1, 1e9, g)["k"] == pytest.approx(0.5, abs=1e-7)  # mean of g


@every_member
@given(z=rows, seed=st.integers(0, 99))
def test_gradient_of_the_scores_sums_to_zero(name: str, z: np.ndarray, seed: int) -> None:
    g = np.random.default_rng(seed).normal(size=z.shape)
    grad = gradients(name, z, 0.4 * z.shape[1], 0.7, g)["scores"]
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-11 * max(1.0, np.abs(grad).max()))


@every_member
@both_dtypes
def test_ties_at_the_cut_share_what_is_left(name: str, dtype: type) -> None:
    # one slot is left for three equal scores, each takes a third
    p = soft(name, np.array([[2, 1, 1, 1, 0]], dtype), 2, 1e-3)
    np.testing.assert_allclose(p, [[1, 1 / 3, 1 / 3, 1 / 3, 0]], atol=1e-6)


@every_member
@both_dtypes
def test_equal_rows_share_equally(name: str, dtype: type) -> None:
    p = soft(name, np.full((2, 4), 7, dtype), 1.5)
    np.testing.assert_allclose(p, 0.375, rtol=8 * np.finfo(dtype).eps)
    grads = gradients(name, np.full((1, 4), 7, dtype), 1.5, 1.0, np.array([[1, 0, 0, 0]], dtype))
    # d is equal everywhere: dz is proportional to g minus its mean, and dk is that mean
    np.testing.assert_allclose(grads["scores"] / grads["scores"][0, 0], [[1, -1/3, -1/3, -1/3]],
                               rtol=1e-5)
    assert grads["k"] == pytest.approx(0.25, rel=1e-6)


@every_member
@pytest.mark.parametrize(("k", "value"), [(0, 0.0), (3, 1.0)])
def test_nothing_or_everything_is_chosen_without_gradients(
    name: str, k: float, value: float
) -> None:
    z = np.array([[1.0, 5.0, -2.0]])
    assert (soft(name, z, k) == value).all()
    assert all(not np.any(g) for g in gradients(name, z, k, 1.0, np.ones((1, 3))).values())


@every_member
@pytest.mark.parametrize("k", [0, 1e-6, 0.3, 1])
def test_one_element_takes_the_whole_budget(name: str, k: float) -> None:
    z = np.array([[-3.0], [8.0]])
    np.testing.assert_allclose(soft(name, z, k), k, rtol=1e-9)
    assert np.abs(gradients(name, z, k, 1.0, np.ones((2, 1)))["scores"]).max() < 1e-10


@every_member
@both_dtypes
def test_cold_is_hard_and_its_gradients_are_zero_not_nan(name: str, dtype: type) -> None:
    z, g = np.array([[3, -1, 0.5, 2]], dtype), np.array([[1, 2, 3, 4]], dtype)
    assert soft(name, z, 2, 1e-4).tolist() == [[1, 0, 0, 1]]
    assert all(not np.any(grad) for grad in gradients(name, z, 2, 1e-4, g).values())


@every_member
@both_dtypes
@pytest.mark.parametrize("temperature", [1e-8, 1e-30])
def test_colder_than_the_last_digit_warns_and_stays_hard_and_finite(
    name: str, dtype: type, temperature: float
) -> None:
    z, g = np.array([[3, -1, 0.5, 2], [1, 1, 0, 0]], dtype), np.ones((2, 4), dtype)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        p, memory = FAMILY[name].forward(z, 1.5, temperature)
    reach = 3  # from 2, the second best of the first row, to -1
    expected = dtype is np.float32 or temperature < 1e-15
    assert [str(w.message) for w in told if "too low" in str(w.message)][:1] == (
        [f"temperature {temperature:g} is too low for {np.dtype(dtype)} scores that spread over "
         f"{reach:g}: gradients are mostly rounding (raise it or use float64)"] if expected else [])
    np.testing.assert_allclose(p, [[1, 0, 0, 0.5], [0.75, 0.75, 0, 0]], atol=1e-5)
    assert all(np.isfinite(grad).all() for grad in FAMILY[name].backward(g, memory).values())


def test_a_large_common_offset_is_no_reason_to_warn() -> None:
    z = np.array([[1e6, 1e6 + 1, 1e6 + 2]], np.float32)  # warnings are errors in this suite
    np.testing.assert_allclose(soft("sigmoid", z, 1, 1e-3), [[0, 0, 1]], atol=1e-6)
    with pytest.warns(RuntimeWarning, match=r"temperature 1e-06 is too low for float32"):
        soft("sigmoid", z, 1, 1e-6)


@every_member
@both_dtypes
def test_scores_of_ten_thousand_are_no_trouble(name: str, dtype: type) -> None:
    z = np.array([[1e4, -1e4, 0, 5e3, -5e3]], dtype)
    np.testing.assert_allclose(soft(name, z, 2), [[1, 0, 0, 1, 0]], atol=20 * np.finfo(dtype).eps)
    grads = gradients(name, z, 2, 1.0, np.ones_like(z))
    assert all(np.isfinite(g).all() for g in grads.values())
    between = soft(name, z, 2.5)  # the half unit that is left goes to the third best
    np.testing.assert_allclose(between, [[1, 0, 0.5, 1, 0]], atol=2e-6)


@every_member
def test_a_budget_far_from_the_middle_is_met(name: str) -> None:
    z = np.random.default_rng(0).normal(size=(3, 50))
    for k in (1e-6, 1e-3, 50 - 1e-3, 50 - 1e-6):
        p = soft(name, z, k)
        np.testing.assert_allclose(p.sum(axis=1), k, rtol=1e-9)
        np.testing.assert_allclose((1 - p).sum(axis=1), 50 - k, rtol=1e-7)


@every_member
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_float32_agrees_with_float64_and_stays_float32(name: str, temperature: float) -> None:
    z = np.random.default_rng(3).normal(size=(4, 300))
    g = np.random.default_rng(4).normal(size=z.shape)
    # the same numbers in both precisions, or a kink may fall on either side of a score
    z, g = z.astype(np.float32).astype(np.float64), g.astype(np.float32).astype(np.float64)
    p, p32 = soft(name, z, 90, temperature), soft(name, z.astype(np.float32), 90, temperature)
    grads = gradients(name, z, 90, temperature, g)
    grads32 = gradients(name, z.astype(np.float32), 90, temperature, g.astype(np.float32))
    assert p32.dtype == np.float32
    assert {np.asarray(value).dtype for value in grads32.values()} == {np.dtype(np.float32)}
    exact = 1e-3 if name == "pnorm 3" else 1e-5
    np.testing.assert_allclose(p32, p, atol=exact)
    np.testing.assert_allclose(p32.sum(axis=1, dtype=np.float64), 90, atol=1e-3)
    if name != "pnorm 3":  # its slope has no bound
        np.testing.assert_allclose(grads32["scores"], grads["scores"], atol=1e-4)


@every_member
def test_the_same_call_gives_the_same_bits_and_leaves_its_input_alone(name: str) -> None:
    z = np.random.default_rng(5).normal(size=(3, 20))
    before = z.copy()
    first, second = (gradients(name, z, 4.5, 0.7, np.ones_like(z)) for _ in range(2))
    assert (soft(name, z, 4.5, 0.7) == soft(name, z, 4.5, 0.7)).all()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert (z == before).all()


@pytest.mark.parametrize("name", SATURATING)
def test_saturating_members_reach_zero_and_one_exactly(name: str) -> None:
    p = soft(name, np.array([[3.0, 0.2, 0.0, -3.0]]), 1.5)
    assert p[0, 0] == 1
    assert p[0, 3] == 0
    assert 0 < p[0, 2] < p[0, 1] < 1


@every_member
def test_a_row_does_not_depend_on_the_other_rows(name: str) -> None:
    z = np.random.default_rng(6).normal(size=(4, 9)) * np.array([[1], [1e-3], [50], [1e4]])
    together = soft(name, z, 3.3, 0.5)
    alone = np.vstack([soft(name, row[None, :], 3.3, 0.5) for row in z])
    np.testing.assert_allclose(together, alone, atol=1e-6 if name == "pnorm 3" else 1e-12)


@every_member
def test_no_rows_are_no_trouble(name: str) -> None:
    assert soft(name, np.zeros((0, 4)), 2).shape == (0, 4)


@every_member
@pytest.mark.parametrize(("z", "k", "temperature", "message"), [
    ([[1.0, np.nan]], 1, 1, r"scores: got nan at index \(0, 1\), expected finite"),
    ([[np.inf, 0.0]], 1, 1, r"scores: got inf at index \(0, 0\), expected finite"),
    ([[1.0, 2.0]], 2.5, 1, r"k: got 2.5, expected a number in \[0, 2\]"),
    ([[1.0, 2.0]], 1, 0, r"temperature: got 0, expected a positive number"),
])
def test_bad_input_is_told(
    name: str, z: list, k: float, temperature: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        soft(name, np.array(z), k, temperature)


@pytest.mark.parametrize("exponent", [1, 0.5, -2, np.nan, np.inf])
def test_an_exponent_that_is_no_exponent_is_told(exponent: float) -> None:
    with pytest.raises(InputError, match=r"exponent: got .*, expected a finite number above 1"):
        PNormTopK(exponent)


@every_member
@given(z=rows, share=st.floats(0.1, 0.9), temperature=st.floats(0.5, 3))
def test_more_budget_opens_every_gate_a_little(
    name: str, z: np.ndarray, share: float, temperature: float
) -> None:
    n = z.shape[1]
    more, less = soft(name, z, share * n + 0.05, temperature), soft(name, z, share * n, temperature)
    assume(np.isfinite(more).all())
    assert (more >= less - 1e-12).all()
