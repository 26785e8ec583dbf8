"""REINFORCE, ARM and DisARM: by hand, and how their variances compare."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.gates import SCORE_FUNCTIONS, logistic
from minimidl.gates.estimators import antithetic_masks, arm, disarm, leave_one_out, reinforce

Z = np.log([[3.0, 1.0]])  # p = 3/4 and 1/2


def test_reinforce_by_hand() -> None:
    mask = np.array([[1.0, 0.0]])
    np.testing.assert_allclose(reinforce(np.array([2.0]), mask, Z), [[0.5, -1.0]])
    np.testing.assert_allclose(reinforce(np.array([2.0]), mask, Z, 4.0), [[-0.5, 1.0]])


def test_antithetic_masks_by_hand() -> None:
    # p = 3/4: u = 0.1 gives (0, 1), 0.5 gives (1, 1), 0.9 gives (1, 0)
    u = np.array([[0.1], [0.5], [0.9]])
    mask, twin = antithetic_masks(np.full((3, 1), np.log(3.0)), u)
    assert mask.ravel().tolist() == [0, 1, 1]
    assert twin.ravel().tolist() == [1, 1, 0]


def test_arm_and_disarm_by_hand() -> None:
    u = np.array([[0.9, 0.1]])
    mask, twin = antithetic_masks(Z, u)  # (1, 0) and (0, 1)
    assert (mask.tolist(), twin.tolist()) == ([[1, 0]], [[0, 1]])
    np.testing.assert_allclose(arm(np.array([5.0]), np.array([2.0]), u), [[1.2, -1.2]])
    np.testing.assert_allclose(
        disarm(np.array([5.0]), np.array([2.0]), mask, twin, Z), [[3 * 3 / 8, -3 / 4]])


@given(z=st.floats(-30, 30), u=st.floats(0.001, 0.999))
def test_the_twin_is_the_mask_of_the_opposite_number(z: float, u: float) -> None:
    scores, uniform = np.array([[z]]), np.array([[u]])
    if abs(u - logistic(scores).item()) > 1e-12:
        assert antithetic_masks(scores, 1 - uniform)[0] == antithetic_masks(scores, uniform)[1]


def test_monte_carlo_means_are_within_four_standard_errors() -> None:
    draws = 20_000
    rows, u = np.tile(Z, (draws, 1)), np.random.default_rng(0).random((draws, 2))

    def loss(b: np.ndarray) -> np.ndarray:
        return np.exp(b[:, 0] - 0.5 * b[:, 1])

    p, q = 0.75, 0.5
    e, h = np.exp(1.0), np.exp(-0.5)
    true = np.array([p * (1 - p) * (e - 1) * (q * h + 1 - q),
                     q * (1 - q) * (h - 1) * (p * e + 1 - p)])
    variances = {}
    for name, estimate in SCORE_FUNCTIONS.items():
        g = estimate(loss, rows, u)
        assert (np.abs(g.mean(axis=0) - true) < 4 * g.std(axis=0) / np.sqrt(draws)).all(), name
        variances[name] = g.var(axis=0).sum()
    assert variances["disarm"] < variances["arm"] < variances["reinforce"]
    assert variances["reinforce-baseline"] < variances["reinforce"]


def test_leave_one_out_never_shows_a_sample_its_own_loss() -> None:
    losses = np.array([1.0, 2.0, 6.0])
    assert leave_one_out(losses).tolist() == [4.0, 3.5, 1.5]
    with pytest.raises(InputError, match="at least two samples"):
        leave_one_out(losses[:1])


def test_a_mean_loss_is_refused() -> None:
    three = np.zeros((3, 2))
    with pytest.raises(InputError, match="one loss per sample"):
        reinforce(np.array([1.0]), three, three)
    with pytest.raises(InputError, match="one loss per sample"):
        arm(np.zeros(3), np.zeros(1), three)
    with pytest.raises(InputError, match="one loss per sample"):
        disarm(np.zeros(1), np.zeros(3), three, three, three)


def test_far_out_scores_give_finite_estimates() -> None:
    z = np.array([[1e4, -1e4]])
    for estimate in SCORE_FUNCTIONS.values():
        g = estimate(lambda b: b.sum(axis=1), z, np.array([[0.3, 0.8]]))
        assert np.isfinite(g).all()
