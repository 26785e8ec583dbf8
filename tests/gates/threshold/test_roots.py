"""The shared root finder: fast where Newton is good, safe where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from minimidl.gates.threshold.roots import MAX_STEPS, cut_by_newton


def counted(f, slope):
    calls = []

    def pair(u):
        calls.append(1)
        return f(u), slope(u)

    return pair, calls


def test_a_straight_line_is_one_step_and_its_confirmation() -> None:
    # F(u) = (u + 10) / 20 on [-10, 10]: sum of F(z - tau) = 1.5 for z = (1, 0, -1): tau = 0
    pair, calls = counted(lambda u: (u + 10) / 20, lambda u: np.full_like(u, 1 / 20))
    tau = cut_by_newton(pair, np.array([[1.0, 0, -1]]), 1.5, 0.0, 0.0)
    assert tau.shape == (1, 1)
    assert abs(tau.item()) < 1e-15
    assert len(calls) <= 2


def test_a_slope_that_lies_ends_in_bisection_not_in_the_wrong_place() -> None:
    # the slope is a thousand times too large: every Newton step is far too short
    def f(u: np.ndarray) -> np.ndarray:
        return 0.5 + np.arctan(u) / np.pi

    pair, calls = counted(f, lambda u: 1000 / (1 + u * u))
    z = np.array([[3.0, 0.0, -1.0, -1.5], [90.0, 0.0, -0.1, -70.0]])
    tau = cut_by_newton(pair, z, 1.3, -200.0, 200.0)
    for row, got in zip(z, tau[:, 0], strict=True):
        judged = brentq(lambda t, row=row: f(row - t).sum() - 1.3, -300, 300, xtol=1e-14)
        assert got == pytest.approx(judged, abs=1e-11)
    assert 20 < len(calls) < MAX_STEPS


def test_a_plateau_that_meets_the_budget_is_kept_while_other_rows_still_search() -> None:
    # first row: solved at once on a plateau (no slope); second row: needs many steps
    pair, _ = counted(lambda u: np.clip(u, 0, 1) ** 5,
                      lambda u: np.where((u > 0) & (u < 1), 5 * np.clip(u, 0, 1) ** 4, 0))
    z = np.array([[8.0, 0.0, -8.0, -9.0], [0.3, 0.0, -0.2, -0.4]])
    tau = cut_by_newton(pair, z, 2.0, 0.5 ** 0.2, 0.5 ** 0.2)
    np.testing.assert_allclose((np.clip(z - tau, 0, 1) ** 5).sum(axis=1), 2, atol=1e-14)
