"""Numbers that fit on paper, kinks, and two algorithms for one answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.gates import simplex, topk
from minimidl.gates.probability import AlphaEntmax

rows = st.integers(1, 12).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-4, 4, allow_subnormal=False)))


def forward_backward(name: str, z: list, g: list) -> tuple[np.ndarray, dict]:
    op = simplex(name)
    p, memory = op.forward(np.array([z], dtype=float))
    return p[0], op.backward(np.array([g], dtype=float), memory)


def test_softmax_of_two() -> None:
    # p = (3/4, 1/4); g = (1, 0): dz = p (g - 3/4) = 3/16 (1, -1); dT = -<dz, z>
    p, grads = forward_backward("softmax", [math.log(3), 0], [1, 0])
    np.testing.assert_allclose(p, [0.75, 0.25], atol=1e-15)
    np.testing.assert_allclose(grads["scores"], [[3 / 16, -3 / 16]], atol=1e-15)
    assert grads["temperature"] == pytest.approx(-3 / 16 * math.log(3), abs=1e-15)


def test_sparsemax_of_three() -> None:
    # tau = (1 + 1/2 - 1) / 2 = 1/4; support 2; dz = g - mean on the support; dT = -<dz, z>
    p, grads = forward_backward("sparsemax", [1, 0.5, -1], [1, 0, 9])
    np.testing.assert_allclose(p, [0.75, 0.25, 0], atol=1e-15)
    np.testing.assert_allclose(grads["scores"], [[0.5, -0.5, 0]], atol=1e-15)
    assert grads["temperature"] == pytest.approx(-0.25, abs=1e-15)


def test_entmax15_of_two() -> None:
    # 0.8^2 + 0.6^2 = 1 and 0.8 - 0.6 = z_1 / 2 - z_2 / 2: scores 0.4 apart answer 0.64 and 0.36.
    # s = (4/5, 3/5), mean g = 4/7: dz_1 = 4/5 * 3/7 = 12/35
    p, grads = forward_backward("entmax15", [0.4, 0], [1, 0])
    np.testing.assert_allclose(p, [0.64, 0.36], atol=1e-15)
    np.testing.assert_allclose(grads["scores"], [[12 / 35, -12 / 35]], atol=1e-15)


@pytest.mark.parametrize(("name", "gap"), [("sparsemax", 1), ("entmax15", 2)])
def test_how_far_apart_two_scores_must_be_for_an_exact_zero(name: str, gap: float) -> None:
    op = simplex(name)
    assert op.forward(np.array([[0, -gap - 1e-9]]))[0].tolist() == [[1, 0]]
    assert op.forward(np.array([[0, -gap + 1e-3]]))[0][0, 1] > 0


def test_at_its_kink_sparsemax_answers_a_one_sided_derivative() -> None:
    # z_2 sits exactly on tau: closed, so nothing moves. A margin to either side the slope is
    # 0 (closed) or 1/2 (open): central differences at the kink would say 1/4.
    assert not forward_backward("sparsemax", [1, 0], [1, 0])[1]["scores"].any()
    assert not forward_backward("sparsemax", [1, -1e-3], [1, 0])[1]["scores"].any()
    _, opened = forward_backward("sparsemax", [1, 1e-3], [1, 0])
    np.testing.assert_allclose(opened["scores"], [[0.5, -0.5]], atol=1e-15)


@given(z=rows, temperature=st.floats(0.1, 5))
def test_sparsemax_is_the_capped_simplex_with_one_to_share(
    z: np.ndarray, temperature: float
) -> None:
    g = np.random.default_rng(0).normal(size=z.shape)
    mine, capped = simplex("sparsemax"), topk("capped-simplex")
    p, memory = mine.forward(z, temperature)
    q, capped_memory = capped.forward(z, 1, temperature)
    np.testing.assert_allclose(p, q, atol=1e-12)
    # k = n = 1 counts as nothing to choose; entries within rounding of 0 or 1 lie on a kink
    if z.shape[1] > 1 and not (((q < 1e-9) & (p > 0)) | ((p < 1e-9) & (q > 0))
                               | (np.abs(q - 1) < 1e-9)).any():
        grads, twin = mine.backward(g, memory), capped.backward(g, capped_memory)
        np.testing.assert_allclose(grads["scores"], twin["scores"], atol=1e-10)
        np.testing.assert_allclose(grads["temperature"], twin["temperature"], atol=1e-9)


@given(z=rows, temperature=st.floats(0.1, 5))
def test_newton_agrees_with_the_closed_forms(z: np.ndarray, temperature: float) -> None:
    for alpha, name in ((2, "sparsemax"), (1.5, "entmax15"), (1, "softmax")):
        p, _ = AlphaEntmax(alpha).forward(z, temperature)
        np.testing.assert_allclose(p, simplex(name).forward(z, temperature)[0], atol=1e-13)


def bisect(z: np.ndarray, alpha: float) -> np.ndarray:
    """A second algorithm: halve the bracket [max - 1, max - n^(1 - alpha)] of the cut."""
    x, power = (alpha - 1) * z, 1 / (alpha - 1)
    low = x.max(axis=1, keepdims=True) - 1
    high = low + 1 - z.shape[1] ** (1 - alpha)
    for _ in range(60):
        middle = (low + high) / 2
        above = (np.maximum(x - middle, 0) ** power).sum(axis=1, keepdims=True) >= 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0) ** power


@given(z=rows, alpha=st.floats(1.002, 2))
def test_newton_agrees_with_bisection(z: np.ndarray, alpha: float) -> None:
    np.testing.assert_allclose(AlphaEntmax(alpha).forward(z)[0], bisect(z, alpha), atol=2e-12)


@pytest.mark.parametrize("alpha", [1.001, 1.25, 1.9, 2])
def test_newton_is_done_in_time_on_rows_made_to_be_slow(alpha: float) -> None:
    # all equal; crowded just under the best; crowded just above the start; evenly spread
    spread = np.geomspace(1e-12, 1, 5000)
    z = np.vstack([0 * spread, -spread, spread - 1, -np.linspace(0, 1, 5000)]) / (alpha - 1)
    np.testing.assert_allclose(AlphaEntmax(alpha).forward(z)[0], bisect(z, alpha), atol=2e-12)


def test_wide_rows_with_wild_scores_lose_no_digits() -> None:
    # Sums of squares of 1e4 would cancel in the closed form of entmax-1.5 if tau's floor were
    # not used; Newton's method has no such sums.
    z = np.random.default_rng(1).normal(size=(2, 3000)) * 1e4
    z[:, :40] = z.max() + np.linspace(0, 1.5, 40)
    for alpha, name in ((2, "sparsemax"), (1.5, "entmax15")):
        p = simplex(name).forward(z)[0]
        np.testing.assert_allclose(p, AlphaEntmax(alpha).forward(z)[0], atol=1e-11)
        assert 1 < (p > 0).sum(axis=1).max() <= 40
