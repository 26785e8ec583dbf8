"""What every map onto the simplex must do, whatever its name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.errors import InputError
from minimidl.gates import SIMPLEX, simplex
from minimidl.gates.probability import AlphaEntmax, Probability

MEMBERS: list[Probability] = [*SIMPLEX.values(), *map(AlphaEntmax, (1, 1.02, 1.7, 2))]
SPARSE = [op for op in MEMBERS if op is not SIMPLEX["softmax"] and getattr(op, "alpha", 2) > 1]
members = st.sampled_from(MEMBERS)
rows = st.integers(1, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-5, 5, allow_subnormal=False)))
temperatures = st.floats(0.2, 4)
each = pytest.mark.parametrize(
    "op", MEMBERS, ids=lambda op: f"{type(op).__name__}{getattr(op, 'alpha', '')}")
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def answer(op: Probability, z: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    return op.forward(z, temperature)[0]


@given(op=members, z=rows, temperature=temperatures)
def test_rows_are_probabilities(op: Probability, z: np.ndarray, temperature: float) -> None:
    p = answer(op, z, temperature)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-13)


@given(op=members, z=rows, shift=st.floats(-100, 100), temperature=temperatures)
def test_a_shift_changes_nothing_and_temperature_is_a_scale(
    op: Probability, z: np.ndarray, shift: float, temperature: float
) -> None:
    np.testing.assert_allclose(answer(op, z + shift), answer(op, z), atol=1e-11)
    np.testing.assert_allclose(answer(op, z, temperature), answer(op, z / temperature), atol=1e-11)


@given(op=members, z=rows, seed=st.integers(0, 99))
def test_order_is_kept_and_a_permutation_permutes(
    op: Probability, z: np.ndarray, seed: int
) -> None:
    p, order = answer(op, z), np.argsort(z, axis=1)
    assert (np.diff(np.take_along_axis(p, order, axis=1), axis=1) >= 0).all()
    mixed = np.random.default_rng(seed).permutation(z.shape[1])
    np.testing.assert_allclose(answer(op, z[:, mixed]), p[:, mixed], atol=1e-12)


@given(op=members, z=rows, temperature=temperatures)
def test_jacobian_is_symmetric_positive_and_moves_no_sum(
    op: Probability, z: np.ndarray, temperature: float
) -> None:
    _, memory = op.forward(z[:1], temperature)
    slopes = np.vstack([op.backward(e[None, :], memory)["scores"] for e in np.eye(z.shape[1])])
    np.testing.assert_allclose(slopes, slopes.T, atol=1e-13)
    np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-12)
    assert np.linalg.eigvalsh(slopes).min() >= -1e-12


@given(op=members, z=rows, temperature=st.floats(0.5, 3), seed=st.integers(0, 99))
def test_gradients_equal_central_differences_away_from_kinks(
    op: Probability, z: np.ndarray, temperature: float, seed: int
) -> None:
    g, step = np.random.default_rng(seed).normal(size=z.shape), 1e-6
    p, memory = op.forward(z, temperature)
    # Near the edge of the support the slope breaks (alpha = 2) or bends sharply.
    assume(((p == 0) | (p > 1e-3)).all())
    for bump in np.eye(z.shape[1]):
        for sign in (-1000, 1000):
            assume(((op.forward(z + sign * step * bump, temperature)[0] > 0) == (p > 0)).all())
    grads = op.backward(g, memory)
    np.testing.assert_allclose(grads["scores"].sum(axis=1), 0, atol=1e-12)
    for entry in np.ndindex(z.shape):
        e = np.zeros_like(z)
        e[entry] = step
        slope = (g * (answer(op, z + e, temperature) - answer(op, z - e, temperature))).sum()
        assert grads["scores"][entry] == pytest.approx(slope / (2 * step), rel=1e-5, abs=1e-6)
    by_t = (g * (answer(op, z, temperature + step) - answer(op, z, temperature - step))).sum()
    assert grads["temperature"] == pytest.approx(by_t / (2 * step), rel=1e-5, abs=1e-6)


@each
@both
def test_cold_the_best_take_all_and_ties_share(op: Probability, dtype: type) -> None:
    z = np.array([[3, -1, 0.5, 2], [1, 1, 0, 1]], dtype)
    p, memory = op.forward(z, 1e-4)
    np.testing.assert_allclose(p, [[1, 0, 0, 0], [1 / 3, 1 / 3, 0, 1 / 3]], atol=1e-6)
    grads = op.backward(np.array([[1, 2, 3, 4], [0, 0, 5, 0]], dtype), memory)
    assert not grads["scores"].any()  # alone, or among equals with equal gradients
    assert grads["temperature"] == 0


@each
def test_hot_all_get_the_same(op: Probability) -> None:
    np.testing.assert_allclose(answer(op, np.array([[3.0, -1, 0.5, 2]]), 1e9), 0.25, atol=1e-8)


@each
@both
def test_one_element_has_all_and_equal_rows_share_equally(op: Probability, dtype: type) -> None:
    p, memory = op.forward(np.array([[-3], [8]], dtype))
    assert (p == 1).all()
    assert not op.backward(np.ones_like(p), memory)["scores"].any()
    equal, memory = op.forward(np.full((1, 4), 7, dtype))
    np.testing.assert_allclose(equal, 0.25, rtol=8 * np.finfo(dtype).eps)
    pull = op.backward(np.array([[1, 0, 0, 0]], dtype), memory)["scores"]
    # s = (1/4)^(2 - alpha) everywhere: dz = s (g - mean g)
    slope = memory["slope"][0, 0]
    np.testing.assert_allclose(pull, slope * np.array([[.75, -.25, -.25, -.25]]), rtol=1e-5)


@each
@both
def test_scores_of_ten_thousand_and_beyond_are_no_trouble(op: Probability, dtype: type) -> None:
    for size, temperature in ((1e4, 1.0), (3e38, 1e-30)):
        p, memory = op.forward(np.array([[size, -size, 0, size / 2]], dtype), temperature)
        np.testing.assert_allclose(p, [[1, 0, 0, 0]], atol=1e-6)
        grads = op.backward(np.array([[1, 2, 3, 4]], dtype), memory)
        assert all(np.isfinite(g).all() for g in grads.values())


@each
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_float32_agrees_with_float64_and_stays_float32(
    op: Probability, temperature: float
) -> None:
    z, g = np.random.default_rng(3).normal(size=(2, 4, 300))
    p, memory = op.forward(z, temperature)
    p32, memory32 = op.forward(z.astype(np.float32), temperature)
    grads, grads32 = op.backward(g, memory), op.backward(g.astype(np.float32), memory32)
    assert p32.dtype == np.float32
    assert {np.asarray(value).dtype for value in grads32.values()} == {np.dtype(np.float32)}
    assert all(np.shape(grads32[name]) == np.shape(grads[name]) for name in grads)
    np.testing.assert_allclose(p32, p, atol=1e-6)
    for name in grads:
        np.testing.assert_allclose(grads32[name], grads[name], rtol=1e-4, atol=1e-5)


@each
def test_the_same_call_gives_the_same_bits_and_leaves_its_input_alone(op: Probability) -> None:
    z, g = np.random.default_rng(5).normal(size=(2, 3, 20))
    before = z.copy(), g.copy()
    (p, memory), (again, _) = op.forward(z, 0.7), op.forward(z, 0.7)
    first, second = op.backward(g, memory), op.backward(g, memory)
    assert (p == again).all()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert np.array_equal(before, (z, g))


@pytest.mark.parametrize("op", SPARSE, ids=lambda op: f"{type(op).__name__}")
def test_sparse_members_answer_exact_zeros_that_feel_nothing(op: Probability) -> None:
    z = np.array([[0.0, -0.1, -60.0]])
    p, memory = op.forward(z)
    assert p[0, 2] == 0
    assert (p[0, :2] > 0).all()
    pull = op.backward(np.array([[1.0, 2.0, 300.0]]), memory)["scores"]
    assert pull[0, 2] == 0
    np.testing.assert_array_equal(
        pull, op.backward(np.array([[1.0, 2.0, -7.0]]), memory)["scores"])


def test_softmax_answers_no_zeros() -> None:
    assert (answer(simplex("softmax"), np.array([[0.0, -0.1, -60.0]])) > 0).all()


@each
@pytest.mark.parametrize(("z", "temperature", "message"), [
    ([[1.0, np.nan]], 1, r"scores: got nan at index \(0, 1\), expected finite"),
    ([[np.inf, 0.0]], 1, r"scores: got inf at index \(0, 0\), expected finite"),
    ([[1.0, 2.0]], 0, "temperature: got 0, expected a positive number"),
    ([[1.0, 2.0]], -1, "temperature: got -1, expected a positive number"),
    ([[1.0, 2.0]], np.nan, "temperature: got nan, expected a positive number"),
    ([[1.0, 2.0]], np.inf, "temperature: got inf, expected a positive number"),
    ([1.0, 2.0], 1, r"scores: got shape \(2,\).*expected \(rows, n\) of floats"),
    ([[]], 1, r"scores: got shape \(1, 0\).*n at least 1"),
    ([[1, 2]], 1, r"scores: got .*int64, expected \(rows, n\) of floats"),
])
def test_bad_input_is_told(
    op: Probability, z: list, temperature: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        op.forward(np.array(z), temperature)


def test_a_temperature_that_float32_cannot_hold_is_told() -> None:
    with pytest.raises(InputError, match="temperature: got 1e-60"):
        simplex("softmax").forward(np.ones((1, 2), np.float32), 1e-60)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"simplex: got 'max', expected one of softmax, sparsemax"):
        simplex("max")
