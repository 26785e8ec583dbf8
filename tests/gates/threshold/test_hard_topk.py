"""Hard Top-k: exactly k ones, ties by index, and a surrogate that is what the file says it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.errors import InputError
from minimidl.gates import logistic, topk, topk_mask
from minimidl.gates.threshold.hard import middle_cut

HARD = topk("hard")
# whole numbers make ties likely
tied_rows = st.integers(1, 9).flatmap(
    lambda n: arrays(np.float64, (3, n), elements=st.integers(-2, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_k_by_hand(dtype: type) -> None:
    m, _ = HARD.forward(np.array([[0.1, 3, -2, 1], [5, 4, 3, 2]], dtype), 2)
    assert m.dtype == dtype
    assert m.tolist() == [[0, 1, 0, 1], [1, 1, 0, 0]]


def test_ties_at_the_cut_go_to_the_lowest_index() -> None:
    assert topk_mask(np.array([[2.0, 1, 1, 1, 0]]), 2).tolist() == [[True, True, False, False,
                                                                     False]]
    assert topk_mask(np.zeros((1, 4)), 3).tolist() == [[True, True, True, False]]


@given(z=tied_rows, share=st.floats(0, 1))
def test_exactly_k_are_open_and_they_are_the_first_of_a_stable_sort(
    z: np.ndarray, share: float
) -> None:
    k = round(share * z.shape[1])
    mask = topk_mask(z, k)
    assert (mask.sum(axis=1) == k).all()
    expected = np.zeros_like(mask)
    np.put_along_axis(expected, np.argsort(-z, axis=1, kind="stable")[:, :k], True, axis=1)
    assert (mask == expected).all()


@pytest.mark.parametrize(("k", "value"), [(0, 0.0), (3, 1.0)])
def test_none_and_all_have_no_gradient(k: int, value: float) -> None:
    m, memory = HARD.forward(np.array([[1.0, 5.0, -2.0]]), k)
    assert (m == value).all()
    assert all(not np.any(g) for g in HARD.backward(np.ones((1, 3)), memory).values())


def test_one_element() -> None:
    assert HARD.forward(np.array([[-7.0]]), 1)[0].tolist() == [[1]]
    assert HARD.forward(np.array([[-7.0]]), 0)[0].tolist() == [[0]]


def test_forward_does_not_depend_on_the_temperature() -> None:
    z = np.random.default_rng(0).normal(size=(4, 9))
    assert (HARD.forward(z, 3, 0.01)[0] == HARD.forward(z, 3, 100)[0]).all()


def test_the_cut_is_midway_between_the_last_open_and_the_first_closed() -> None:
    z = np.array([[4.0, 1.0, 3.0, -1.0]])
    assert middle_cut(z, topk_mask(z, 2)).tolist() == [[2.0]]  # between 3 and 1


def test_surrogate_by_hand() -> None:
    # k = 1 of (2, 0): the cut is 1, u = (1, -1), both slopes d = s(1) s(-1) = 0.196612
    # g = (1, 0): mean_grad = 1/2, dz = d (1/2, -1/2)
    _, memory = HARD.forward(np.array([[2.0, 0.0]]), 1)
    grads = HARD.backward(np.array([[1.0, 0.0]]), memory)
    np.testing.assert_allclose(grads["scores"], [[0.098306, -0.098306]], atol=1e-6)
    assert grads["k"] == pytest.approx(0.5, abs=1e-15)


def stand_in(z: np.ndarray, budget: float, temperature: float, start: float) -> np.ndarray:
    """The documented stand-in: sigmoid with the cut that keeps its own sum at ``budget``."""
    tau = start
    for _ in range(60):  # Newton from next to the root
        p = logistic((z - tau) / temperature)
        tau = tau + (p.sum() - budget) / (p * (1 - p)).sum() * temperature
    return logistic((z - tau) / temperature)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_surrogate_is_the_derivative_of_the_stand_in(temperature: float, k: int) -> None:
    rng = np.random.default_rng(k)
    z, g, step = rng.normal(size=6), rng.normal(size=6), 1e-5
    mask, memory = HARD.forward(z[None, :], k, temperature)
    cut = middle_cut(z[None, :], mask > 0).item()
    budget = logistic((z - cut) / temperature).sum()  # what the stand-in lets through at the cut
    grads = HARD.backward(g[None, :], memory)

    def loss(scores: np.ndarray, b: float, t: float) -> float:
        return float(g @ stand_in(scores, b, t, cut))

    for i, e in enumerate(step * np.eye(6)):
        slope = (loss(z + e, budget, temperature) - loss(z - e, budget, temperature)) / (2 * step)
        assert grads["scores"][0, i] == pytest.approx(slope, rel=1e-6, abs=1e-8)
    by_k = (loss(z, budget + step, temperature) - loss(z, budget - step, temperature)) / (2 * step)
    by_t = (loss(z, budget, temperature + step) - loss(z, budget, temperature - step)) / (2 * step)
    assert grads["k"] == pytest.approx(by_k, rel=1e-6)
    assert grads["temperature"] == pytest.approx(by_t, rel=1e-6, abs=1e-8)


@given(z=tied_rows, seed=st.integers(0, 9))
def test_the_surrogate_moves_no_budget_and_is_finite_also_at_ties(
    z: np.ndarray, seed: int
) -> None:
    g = np.random.default_rng(seed).normal(size=z.shape)
    _, memory = HARD.forward(z, (z.shape[1] + 1) // 2, 0.5)
    grad = HARD.backward(g, memory)["scores"]
    assert np.isfinite(grad).all()
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-13)


def test_a_gradient_reaches_both_sides_of_the_cut() -> None:
    _, memory = HARD.forward(np.array([[1.0, 0.5, -0.5, -1.0]]), 2)
    grad = HARD.backward(np.array([[0.0, 0.0, 1.0, 0.0]]), memory)["scores"]
    assert grad[0, 2] > 0
    assert (grad[0, [0, 1, 3]] < 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_scores_and_dtype(dtype: type) -> None:
    z = np.array([[1e4, -1e4, 0, 1e4]], dtype)
    m, memory = HARD.forward(z, 2)
    grads = HARD.backward(np.ones_like(z), memory)
    assert m.tolist() == [[1, 0, 0, 1]]
    assert {np.asarray(g).dtype for g in grads.values()} == {np.dtype(dtype)}
    assert all(np.isfinite(g).all() for g in grads.values())


def test_half_a_neuron_is_refused() -> None:
    with pytest.raises(InputError, match=r"k: got 1.5, expected a whole number"):
        HARD.forward(np.zeros((1, 3)), 1.5)
