"""Bias and variance by enumeration: check values, the bias formula, and a judge by differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.gates import ESTIMATORS, SCORE_FUNCTIONS, logistic
from minimidl.gates.estimators import disarm
from minimidl.proof import numeric_gradient
from minimidl.proof.enumeration import (
    bias_variance,
    mean_loss,
    moments,
    pathwise,
    score_function,
    true_gradient,
)
from minimidl.proof.gate_losses import quadratic, small_network

UNBIASED = ["reinforce", "reinforce-baseline", "arm", "disarm"]


def by_name(rows: list[dict]) -> dict[str, dict]:
    return {row["estimator"]: row for row in rows}


def one_gate(a: float, c: float, phi: float) -> dict[str, dict]:
    loss = quadratic(np.array([[a]]), np.array([c]), 2.0)
    return by_name(bias_variance(loss, np.array([phi]), ESTIMATORS, SCORE_FUNCTIONS))


def test_check_values() -> None:
    # design notes, math.md section 2: phi = .6, f = 1.7 b^2 - .4 b
    rows = one_gate(1.7, -0.4, 0.6)
    for name, value in (("identity-probability", 0.410721), ("identity-score", 1.795231),
                        ("reinmax", 0.297420), ("arm", 0.297420), ("disarm", 0.297420),
                        ("reinforce", 0.297420)):
        assert rows[name]["expectation"][0] == pytest.approx(value, abs=1e-6), name
        assert rows[name]["true_gradient"][0] == pytest.approx(0.297420, abs=1e-6)


@given(a=st.floats(-3, 3), c=st.floats(-3, 3), phi=st.floats(-4, 4))
def test_bias_of_straight_through_on_a_quadratic(a: float, c: float, phi: float) -> None:
    p = logistic(np.array(phi)).item()
    rows = one_gate(a, c, phi)
    true = p * (1 - p) * (a + c)

    def bias(name: str) -> float:
        return rows[name]["expectation"][0] - true

    assert bias("identity-probability") == pytest.approx(p * (1 - p) * a * (2 * p - 1), abs=1e-12)
    for name in ["reinmax", *UNBIASED]:
        assert bias(name) == pytest.approx(0, abs=1e-12), name


def test_no_bias_at_one_half_or_without_curvature() -> None:
    for rows in (one_gate(1.7, -0.4, 0.0), one_gate(0.0, -0.4, 0.6)):
        assert rows["identity-probability"]["bias"] < 1e-12
    assert one_gate(1.7, -0.4, 0.6)["identity-probability"]["bias"] > 0.3


def test_variances_of_one_gate_in_closed_form() -> None:
    # f(0) = 0, f(1) = d: REINFORCE d (b - p) b: E g^2 = p d^2 (1-p)^2; ARM by the integral over u
    p, d = logistic(np.array(0.6)).item(), 1.3
    rows = by_name(bias_variance(quadratic(np.array([[1.7]]), np.array([-0.4])), np.array([0.6]),
                                 {}, SCORE_FUNCTIONS))
    mean = p * (1 - p) * d
    assert rows["reinforce"]["variance"][0] == pytest.approx(
        p * d**2 * (1 - p)**2 - mean**2)
    # p > 1/2: the twins differ for u < 1 - p and u > p; there E (u - 1/2)^2 integrates to
    arm = 2 * d**2 * ((0.5)**3 - (p - 0.5)**3) / 3 - mean**2
    assert rows["arm"]["variance"][0] == pytest.approx(arm)
    assert rows["disarm"]["variance"][0] == pytest.approx(
        2 * (1 - p) * (d * p / 2)**2 - mean**2)


@given(seed=st.integers(0, 50), m=st.integers(1, 4))
def test_the_true_gradient_is_that_of_the_mean_loss(seed: int, m: int) -> None:
    loss, logits = small_network(m, seed), np.random.default_rng(seed).normal(size=m)
    numeric = numeric_gradient(lambda z: mean_loss(loss, z), logits)
    np.testing.assert_allclose(true_gradient(loss, logits), numeric, atol=1e-8)


@given(seed=st.integers(0, 50))
def test_the_losses_know_their_gradients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    b = rng.uniform(size=(1, 3))
    matrix = rng.normal(size=(3, 3))
    for loss in (small_network(3, seed), quadratic(matrix + matrix.T, rng.normal(size=3), 1.0)):
        numeric = numeric_gradient(lambda x, f=loss: float(f(x)[0][0]), b)
        np.testing.assert_allclose(loss(b)[1], numeric, atol=1e-8)


@pytest.mark.parametrize("name", UNBIASED)
def test_score_functions_have_no_bias_for_any_loss(name: str) -> None:
    for m in (1, 2, 5):
        loss, logits = small_network(m, m), np.random.default_rng(m).normal(size=m)
        found = moments(score_function(SCORE_FUNCTIONS[name]), loss, logits, twins=True)
        np.testing.assert_allclose(found.mean, true_gradient(loss, logits), atol=1e-13)


@pytest.mark.parametrize("name", [*ESTIMATORS, *UNBIASED])
def test_monte_carlo_agrees_within_four_standard_errors(name: str) -> None:
    loss, logits, draws = small_network(3, 2), np.array([0.7, -0.3, 1.1]), 20_000
    estimate, twins = (pathwise(ESTIMATORS[name]), False) if name in ESTIMATORS else (
        score_function(SCORE_FUNCTIONS[name]), True)
    found = moments(estimate, loss, logits, twins=twins)
    u = np.random.default_rng(6).random((draws, 3))
    g = estimate(loss, np.tile(logits, (draws, 1)), u)
    assert (np.abs(g.mean(axis=0) - found.mean) <= 4 * np.sqrt(found.variance / draws)).all()
    spread_of_square = ((g - found.mean) ** 2).std(axis=0) / np.sqrt(draws)
    assert (np.abs(g.var(axis=0) - found.variance) <= 4 * spread_of_square + 1e-12).all()


def test_disarm_is_arm_averaged_so_its_variance_is_never_larger() -> None:
    for seed in range(5):
        loss, logits = small_network(4, seed), np.random.default_rng(seed).normal(size=4)
        rows = by_name(bias_variance(loss, logits, {}, SCORE_FUNCTIONS))
        assert (np.array(rows["disarm"]["variance"]) <= np.array(rows["arm"]["variance"])).all()


def test_a_colder_concrete_is_less_biased_and_noisier() -> None:
    loss, logits = small_network(4, 1), np.random.default_rng(1).normal(size=4)
    cold, warm = (bias_variance(loss, logits, {"concrete": ESTIMATORS["concrete"]},
                                temperature=t)[0] for t in (0.2, 2.0))
    assert cold["bias"] < warm["bias"]
    assert cold["spread"] > warm["spread"]
    assert cold["error"] == pytest.approx(np.hypot(cold["bias"], cold["spread"]))


def test_a_wrong_estimator_shows_a_bias() -> None:
    def forgets_the_half(loss, z, u):
        b, twin = (u > logistic(-z)).astype(float), (u < logistic(z)).astype(float)
        return 2 * disarm(loss(b), loss(twin), b, twin, z)

    row = bias_variance(small_network(3, 0), np.zeros(3), {}, {"wrong": forgets_the_half})[0]
    assert row["bias"] == pytest.approx(1)


def test_too_many_gates_and_a_temperature_that_changes_the_draw_are_refused() -> None:
    with pytest.raises(InputError, match="from 1 to 10 gates"):
        true_gradient(small_network(11), np.zeros(11))
    with pytest.raises(InputError, match="temperature: got 3"):
        moments(pathwise(ESTIMATORS["reinmax"], 3.0), small_network(2), np.array([1.0, -2.0]))
