"""The hard Top-k with every surrogate: one forward, many honest stand-ins for its derivative."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.gates import HardTopK, topk

SURROGATES = ("sigmoid", "lapsum", "capped-simplex", "pnorm", "normal")
every_surrogate = pytest.mark.parametrize("surrogate", SURROGATES)


@every_surrogate
def test_the_forward_is_the_same_whatever_the_surrogate(surrogate: str) -> None:
    z = np.random.default_rng(0).normal(size=(5, 9))
    assert (HardTopK(surrogate).forward(z, 4)[0] == topk("hard").forward(z, 4)[0]).all()


def test_sigmoid_is_the_default() -> None:
    assert HardTopK().surrogate == topk("hard").surrogate == "sigmoid"


@every_surrogate
def test_the_stand_in_is_one_half_at_the_middle_cut(surrogate: str) -> None:
    member = HardTopK(surrogate).member
    assert member.cdf(np.array([member.middle]))[0] == pytest.approx(0.5, abs=1e-15)


@pytest.mark.parametrize(("surrogate", "slopes"), [
    # scores (1, -1) at T = 4: u = (1/4, -1/4), moved to where F = 1/2
    ("lapsum", [np.exp(-0.25) / 2] * 2),
    ("capped-simplex", [1, 1]),
    ("pnorm", [3 * (0.5 ** (1 / 3) + 0.25) ** 2 * (0.5 ** (1 / 3) < 0.75),
               3 * (0.5 ** (1 / 3) - 0.25) ** 2]),
    ("normal", [np.exp(-1 / 32) / np.sqrt(2 * np.pi)] * 2),
])
def test_surrogate_gradients_by_hand(surrogate: str, slopes: list[float]) -> None:
    operator = HardTopK(surrogate)
    _, memory = operator.forward(np.array([[1.0, -1.0]]), 1, 4.0)
    grads = operator.backward(np.array([[1.0, 0.0]]), memory)
    d = np.array(slopes)
    mean = d[0] / d.sum()
    np.testing.assert_allclose(grads["scores"], [d * (np.array([1, 0]) - mean) / 4], atol=1e-15)
    assert grads["k"] == pytest.approx(mean, rel=1e-13)


@every_surrogate
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1e-9, 1e-3, 1.0, 1e6])
def test_no_budget_moves_and_nothing_overflows(
    surrogate: str, dtype: type, temperature: float
) -> None:
    rng = np.random.default_rng(1)
    z, g = rng.normal(size=(4, 8)).astype(dtype), rng.normal(size=(4, 8)).astype(dtype)
    z[0], z[1, 0] = 0.5, 1e4  # a row of ties, and a giant
    operator = HardTopK(surrogate)
    grads = operator.backward(g, operator.forward(z, 3, temperature)[1])
    assert {np.asarray(grad).dtype for grad in grads.values()} == {np.dtype(dtype)}
    assert all(np.isfinite(grad).all() for grad in grads.values())
    largest = max(1e-30, np.abs(grads["scores"]).max())
    np.testing.assert_allclose(grads["scores"].sum(axis=1) / largest, 0,
                               atol=1e-5 if dtype is np.float32 else 1e-13)


@pytest.mark.parametrize("surrogate", ["capped-simplex", "pnorm"])
def test_a_surrogate_with_exact_zeros_is_silent_where_the_gap_is_wide(surrogate: str) -> None:
    operator = HardTopK(surrogate)
    z = np.array([[3.0, 2.0, -2.0, -3.0]])
    near, far = (operator.backward(np.array([[1.0, 2.0, 3.0, 4.0]]),
                                   operator.forward(z, 2, t)[1])["scores"] for t in (9.0, 1.0))
    assert near.any()
    assert not far.any()


def test_an_unknown_surrogate_is_told_with_the_known_names() -> None:
    with pytest.raises(InputError, match=r"surrogate: got 'softmax', expected one of sigmoid, lap"):
        HardTopK("softmax")
