"""Perturbed Top-k: sums to k, agrees with closed forms, and its baseline pays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from scipy.stats import norm

from minimidl.errors import InputError
from minimidl.gates import topk
from minimidl.gates.sampling import PerturbedTopK

NOISES = ["gaussian", "gumbel"]
DRAWS = 20_000


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(z=arrays(np.float64, (2, 5), elements=st.floats(-1e4, 1e4)), k=st.integers(0, 5),
       noise=st.sampled_from(NOISES), seed=st.integers(0, 9))
def test_rows_sum_to_k_and_shift_changes_nothing(
    z: np.ndarray, k: int, noise: str, seed: int
) -> None:
    operator = PerturbedTopK(noise, 10)
    p, _ = operator.forward(z, k, 1.0, rng(seed))
    np.testing.assert_allclose(p.sum(axis=1), k, atol=1e-12)
    assert ((p >= 0) & (p <= 1)).all()


def estimates(noise: str, z: np.ndarray, k: int, temperature: float, g: np.ndarray) -> tuple:
    """Value and gradient of many single draws, one row per draw."""
    operator = PerturbedTopK(noise, 1)
    p, memory = operator.forward(np.tile(z, (DRAWS, 1)), k, temperature, rng(11))
    return p, operator.backward(np.tile(g, (DRAWS, 1)), memory)["scores"]


def assert_within_four_standard_errors(draws: np.ndarray, expected: np.ndarray) -> None:
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - expected) <= 4 * error + 1e-12).all()
    assert error.max() < 0.05, "too noisy to say anything"


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_gaussian_noise_two_scores(temperature: float) -> None:
    gap, scale, g = 0.7, temperature * np.sqrt(2), np.array([1.3, -0.4])
    p, grad = estimates("gaussian", np.array([gap, 0.0]), 1, temperature, g)
    share, slope = norm.cdf(gap / scale), norm.pdf(gap / scale) / scale
    assert_within_four_standard_errors(p, np.array([share, 1 - share]))
    assert_within_four_standard_errors(grad, slope * (g[0] - g[1]) * np.array([1, -1]))


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_gumbel_noise_and_one_choice_is_a_softmax(temperature: float) -> None:
    z, g = np.array([0.5, -0.2, 0.0, 0.9]), np.array([1.3, -0.4, 0.2, 0.6])
    p, grad = estimates("gumbel", z, 1, temperature, g)
    share = softmax(z / temperature)
    assert_within_four_standard_errors(p, share)
    assert_within_four_standard_errors(grad, share * (g - share @ g) / temperature)


@pytest.mark.parametrize("noise", NOISES)
def test_the_baseline_leaves_the_mean_and_lowers_the_variance(noise: str) -> None:
    z, g = np.array([2.0, 0.0, -1.0]), np.array([1.0, 2.0, 3.0])
    operator = PerturbedTopK(noise, 1)
    _, memory = operator.forward(np.tile(z, (DRAWS, 1)), 1, 0.7, rng(3))
    rows = np.tile(g, (DRAWS, 1))
    with_baseline = operator.backward(rows, memory)["scores"]
    without = operator.backward(rows, memory | {"plain": np.zeros_like(memory["plain"])})["scores"]
    assert with_baseline.var(axis=0).sum() < 0.5 * without.var(axis=0).sum()
    assert_within_four_standard_errors(with_baseline - without, np.zeros(3))


@pytest.mark.parametrize("noise", NOISES)
def test_cold_it_is_the_hard_choice_and_hot_it_is_uniform(noise: str) -> None:
    z = np.array([[3.0, 1.0, 2.0, -1.0]])
    operator = PerturbedTopK(noise, 4000)
    assert operator.forward(z, 2, 1e-3, rng())[0].tolist() == [[1, 0, 1, 0]]
    assert np.abs(operator.forward(z, 2, 1e6, rng())[0] - 0.5).max() < 4 * 0.5 / np.sqrt(4000)


def test_backward_twice_is_bitwise_the_same() -> None:
    z = rng(1).normal(size=(3, 6))
    p, memory = topk("perturbed").forward(z, 2, 1.0, rng(2))
    first, second = (topk("perturbed").backward(p, memory) for _ in range(2))
    assert (first["scores"] == second["scores"]).all()
    assert first["temperature"] == second["temperature"]


@pytest.mark.parametrize("noise", NOISES)
def test_float32_agrees_with_float64(noise: str) -> None:
    z, operator = rng(1).normal(size=(3, 6)), PerturbedTopK(noise, 50)
    p, memory = operator.forward(z, 2, 0.5, rng(2))
    small, small_memory = operator.forward(z.astype(np.float32), 2, 0.5, rng(2))
    np.testing.assert_allclose(small, p, atol=1e-6)
    for name, grad in operator.backward(p, memory).items():
        other = operator.backward(small, small_memory)[name]
        assert other.dtype == small.dtype == np.float32
        np.testing.assert_allclose(other, grad, atol=1e-4)


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="noise: got 'cauchy'"):
        PerturbedTopK("cauchy")
    with pytest.raises(InputError, match="samples: got 0"):
        PerturbedTopK(samples=0)
