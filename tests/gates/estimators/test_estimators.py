"""Estimators for thresholded gates: hard forward, the slope that the card names, one interface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from minimidl.errors import InputError
from minimidl.gates import ESTIMATORS, estimator, logistic
from minimidl.gates.estimators import CategoricalReinMax, Clipped

NAMES = ["identity-probability", "identity-score", "clipped", "threshold-surrogate", "concrete",
         "reinmax"]
STOCHASTIC = {"concrete", "reinmax"}
scores = arrays(np.float64, (2, 4), elements=st.floats(-1e4, 1e4))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class Fixed:
    """A generator that draws one uniform number, over and over."""

    def __init__(self, u: float) -> None:
        self.u = u

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.u)


def slope(name: str, z: float, cut: float = 0.0, temperature: float = 1.0, draw: object = None
          ) -> float:
    one = np.array([[z]])
    _, memory = estimator(name).forward(one, cut, temperature, draw)
    return estimator(name).backward(np.ones_like(one), memory).item()


def test_every_name_is_there_and_says_whether_it_draws() -> None:
    assert sorted(ESTIMATORS) == sorted(NAMES)
    assert {name for name in NAMES if estimator(name).stochastic} == STOCHASTIC
    with pytest.raises(InputError, match="estimator: got 'straight', expected one of identity-"):
        estimator("straight")


@pytest.mark.parametrize("name", NAMES)
@given(z=scores, cut=st.floats(-3, 3), temperature=st.floats(0.01, 5))
def test_without_a_generator_the_mask_is_the_threshold(
    name: str, z: np.ndarray, cut: float, temperature: float
) -> None:
    mask, memory = estimator(name).forward(z, cut, temperature)
    assert (mask == (z > cut)).all()
    assert (memory["open"] == (mask == 1)).all()
    grad = estimator(name).backward(np.ones_like(z), memory)
    assert np.isfinite(grad).all()
    assert (grad >= 0).all()  # opening a gate is never punished for being opened


@pytest.mark.parametrize("name", sorted(set(NAMES) - STOCHASTIC))
def test_those_that_do_not_draw_ignore_the_generator(name: str) -> None:
    z, generator = rng(1).normal(size=(3, 5)), rng(2)
    with_rng, _ = estimator(name).forward(z, 0.2, 0.5, generator)
    assert (with_rng == estimator(name).forward(z, 0.2, 0.5)[0]).all()
    assert generator.random() == rng(2).random()


def test_slopes_by_hand() -> None:
    # z = ln 3: p = 3/4, p (1 - p) = 3/16; T = 2 halves the score: z = 2 ln 3
    z = np.log(3.0)
    assert slope("identity-probability", z) == pytest.approx(3 / 16)
    assert slope("identity-probability", 2 * z, temperature=2.0) == pytest.approx(3 / 32)
    assert slope("identity-probability", z, cut=z) == pytest.approx(3 / 16)  # the cut is not seen
    assert slope("threshold-surrogate", 2 * z, cut=z) == pytest.approx(3 / 16)
    assert slope("threshold-surrogate", z, cut=z) == pytest.approx(1 / 4)  # steepest at the cut
    assert slope("identity-score", 55.0) == 1
    assert [slope("clipped", z, cut=1.0) for z in (-0.01, 0.0, 2.0, 2.01)] == [0, 1, 1, 0]
    _, memory = Clipped(3.0).forward(np.array([[2.9]]))
    assert memory["slope"].item() == 1
    # Concrete at u = 3/4 adds ln 3; ReinMax: half the chance of what did not happen
    assert slope("concrete", 0.0, draw=Fixed(0.75)) == pytest.approx(3 / 16)
    assert slope("reinmax", z, draw=Fixed(0.9)) == pytest.approx(1 / 8)  # open: (1 - p) / 2
    assert slope("reinmax", z, draw=Fixed(0.1)) == pytest.approx(3 / 8)  # closed: p / 2
    assert slope("reinmax", 2 * z, temperature=2.0, draw=Fixed(0.9)) == pytest.approx(1 / 16)


@pytest.mark.parametrize(("name", "temperature", "probability"), [
    ("concrete", 0.2, logistic(np.array(0.7))), ("concrete", 3.0, logistic(np.array(0.7))),
    ("reinmax", 2.0, logistic(np.array(0.35)))])
def test_drawn_masks_have_the_promised_probability(
    name: str, temperature: float, probability: float
) -> None:
    draws = 20_000
    mask, _ = estimator(name).forward(np.full((draws, 1), 1.2), 0.5, temperature, rng(4))
    assert np.isin(mask, (0, 1)).all()
    assert abs(mask.mean() - probability) < 4 * np.sqrt(probability * (1 - probability) / draws)


@pytest.mark.parametrize("name", NAMES)
def test_no_promotion_and_the_same_gradient_as_often_as_one_likes(name: str) -> None:
    z = rng(1).normal(size=(4, 5)).astype(np.float32)
    mask, memory = estimator(name).forward(z, 0.3, 0.7, rng(2))
    again, _ = estimator(name).forward(z, 0.3, 0.7, rng(2))
    first, second = (estimator(name).backward(z, memory) for _ in range(2))
    assert mask.dtype == first.dtype == np.float32
    assert (mask == again).all()
    assert (first == second).all()
    wide_mask, wide = estimator(name).forward(z.astype(float), 0.3, 0.7, rng(2))
    assert (wide_mask == mask).all()
    np.testing.assert_allclose(first, estimator(name).backward(z.astype(float), wide), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_refused(name: str) -> None:
    z = np.zeros((2, 3))
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match="scores"):
            estimator(name).forward(z + bad)
    with pytest.raises(InputError, match="temperature"):
        estimator(name).forward(z, 0.0, 0.0)
    with pytest.raises(InputError, match="cut: got nan"):
        estimator(name).forward(z, np.nan)
    with pytest.raises(InputError, match="width: got 0"):
        Clipped(0)


def test_categorical_reinmax_draws_one_hot_rows_in_proportion() -> None:
    gate, weight, draws = CategoricalReinMax(), np.array([1.0, 2.0, 5.0]), 20_000
    one_hot, memory = gate.forward(np.tile(np.log(weight), (draws, 1)), 1.0, rng(3))
    assert (one_hot.sum(axis=1) == 1).all()
    share = weight / 8
    assert (np.abs(one_hot.mean(axis=0) - share) < 4 * np.sqrt(share * (1 - share) / draws)).all()
    grad = gate.backward(rng(4).normal(size=one_hot.shape), memory)
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-12)  # a softmax feels no shift
    with pytest.raises(InputError, match="rng: got None"):
        gate.forward(np.zeros((1, 3)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_categorical_reinmax_is_the_formula_of_the_paper(temperature: float) -> None:
    def jacobian(q: np.ndarray) -> np.ndarray:
        return np.diag(q) - np.outer(q, q)

    z, g, gate = rng(5).normal(size=(1, 4)), rng(6).normal(size=(1, 4)), CategoricalReinMax()
    one_hot, memory = gate.forward(z, temperature, rng(7))
    middle = (one_hot[0] + softmax(z[0] / temperature)) / 2
    expected = 2 * jacobian(middle) @ g[0] - 0.5 * jacobian(softmax(z[0])) @ g[0]
    np.testing.assert_allclose(gate.backward(g, memory)[0], expected, atol=1e-14)


def test_two_categories_are_the_bernoulli_gate_in_the_mean() -> None:
    # one of two with logits (z, 0) is a gate; both are exact for a quadratic, so the means agree
    z, gate = 0.8, CategoricalReinMax()
    p = logistic(np.array(z)).item()

    def quadratic_slope(b: np.ndarray) -> np.ndarray:
        return np.stack([3 * b[:, 0] - 1, np.zeros(len(b))], axis=1)  # f = 1.5 b^2 - b

    mean = 0.0
    for chance, u in ((p, (0.99, 0.01)), (1 - p, (0.01, 0.99))):
        class Pair:
            def random(self, shape: tuple[int, ...], u: tuple[float, float] = u) -> np.ndarray:
                return np.array([u])

        drawn, memory = gate.forward(np.array([[z, 0.0]]), 1.0, Pair())
        mean += chance * gate.backward(quadratic_slope(drawn), memory)[0, 0]
    assert mean == pytest.approx(p * (1 - p) * 0.5)
