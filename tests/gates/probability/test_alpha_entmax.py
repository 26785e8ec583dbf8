"""Alpha-entmax: the root, the derivative in alpha, and the end at 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from minimidl.errors import InputError
from minimidl.gates.probability import AlphaEntmax, Softmax
from minimidl.gates.probability.alpha_entmax import NEAR_ONE, alpha_derivative

rows = st.integers(2, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-4, 4, allow_subnormal=False)))
Z = np.random.default_rng(8).normal(size=(4, 7))
G = np.random.default_rng(9).normal(size=Z.shape)


def grad_alpha(alpha: float, z: np.ndarray = Z, g: np.ndarray = G) -> float:
    op = AlphaEntmax(alpha)
    return float(op.backward(g, op.forward(z)[1])["alpha"])


@given(z=rows, alpha=st.floats(1.01, 2))
def test_root_finding_by_scipy_is_the_judge(z: np.ndarray, alpha: float) -> None:
    p, power = AlphaEntmax(alpha).forward(z)[0], 1 / (alpha - 1)
    for row, answer in zip((alpha - 1) * z, p, strict=True):
        def excess(tau: float, row: np.ndarray = row) -> float:
            return float((np.maximum(row - tau, 0) ** power).sum() - 1)

        tau = brentq(excess, row.max() - 1.001, row.max(), xtol=1e-15, rtol=1e-14)
        np.testing.assert_allclose(answer, np.maximum(row - tau, 0) ** power, atol=1e-11)


@given(z=rows, alpha=st.floats(1.02, 1.98), seed=st.integers(0, 99))
def test_the_derivative_in_alpha_equals_central_differences(
    z: np.ndarray, alpha: float, seed: int
) -> None:
    g, step, op = np.random.default_rng(seed).normal(size=z.shape), 1e-5, AlphaEntmax()
    p, memory = op.forward(z, alpha=alpha)
    above, below = (op.forward(z, alpha=alpha + sign * step)[0] for sign in (1, -1))
    assume(((p == 0) | (p > 1e-3)).all())  # a margin to the edge of the support
    assume(((above > 0) == (p > 0)).all() and ((below > 0) == (p > 0)).all())
    slope = (g * (above - below)).sum() / (2 * step)
    assert op.backward(g, memory)["alpha"] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_changing_alpha_moves_no_sum() -> None:
    for alpha in (1.0, 1.002, 1.3, 2.0):
        p = AlphaEntmax(alpha).forward(Z)[0]
        np.testing.assert_allclose(alpha_derivative(p, alpha).sum(axis=1), 0, atol=1e-9)


def test_at_one_the_derivative_is_the_limit() -> None:
    # from the right, the first-order error of the one-sided slope removed (Richardson)
    start = Softmax().forward(Z)[0]
    near, far = ((G * (AlphaEntmax(1 + e).forward(Z)[0] - start)).sum() / e
                 for e in (0.002, 0.004))
    assert grad_alpha(1.0) == pytest.approx(2 * near - far, rel=1e-3)


def test_at_one_by_hand() -> None:
    # p = (3/4, 1/4): dp = -p/2 ((ln p)^2 - mean), of two entries -p q / 2 ((ln p)^2 - (ln q)^2)
    p = np.array([[0.75, 0.25]])
    change = -3 / 32 * (np.log(0.75) ** 2 - np.log(0.25) ** 2)
    np.testing.assert_allclose(alpha_derivative(p, 1.0), [[change, -change]], atol=1e-15)


def test_the_switch_to_softmax_is_a_small_step() -> None:
    before, after = 1 + NEAR_ONE * (1 - 1e-9), 1 + NEAR_ONE * (1 + 1e-9)
    step = AlphaEntmax(after).forward(Z)[0] - AlphaEntmax(before).forward(Z)[0]
    assert (AlphaEntmax(before).forward(Z)[0] == Softmax().forward(Z)[0]).all()
    assert 0 < np.abs(step).max() < NEAR_ONE
    assert grad_alpha(after) == pytest.approx(grad_alpha(before), rel=0.05)


def test_next_to_the_switch_float32_keeps_three_digits_of_the_derivative() -> None:
    # 1 / (alpha - 1)^2 is 1e6 there: without care rounding errors alone would give 0.1
    low = grad_alpha(1.0011, Z.astype(np.float32), G.astype(np.float32))
    assert low == pytest.approx(grad_alpha(1.0011), rel=1e-3)


def test_one_alpha_for_the_call_or_one_for_life() -> None:
    p, memory = AlphaEntmax(1.7).forward(Z)
    q, by_call = AlphaEntmax().forward(Z, alpha=1.7)
    assert (p == q).all()
    first, second = AlphaEntmax(1.7).backward(G, memory), AlphaEntmax().backward(G, by_call)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert first["alpha"].shape == ()


def test_a_larger_alpha_opens_no_more() -> None:
    z = np.random.default_rng(2).normal(size=(6, 40))
    sizes = [(AlphaEntmax(a).forward(z)[0] > 0).sum(axis=1) for a in (1, 1.25, 1.5, 1.75, 2)]
    assert (np.diff(sizes, axis=0) <= 0).all()
    assert (sizes[0] == 40).all()
    assert (sizes[-1] < sizes[1]).all()


@pytest.mark.parametrize("alpha", [0.99, 2.01, np.nan, np.inf])
def test_alpha_outside_its_range_is_told(alpha: float) -> None:
    with pytest.raises(InputError, match=rf"alpha: got {alpha}, expected a number in \[1, 2\]"):
        AlphaEntmax(alpha)
    with pytest.raises(InputError, match="alpha: got"):
        AlphaEntmax().forward(Z, alpha=alpha)
