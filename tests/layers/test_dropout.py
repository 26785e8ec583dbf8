"""Dropout: the mean is kept, evaluation is the identity, and it draws from the rng it is given."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import Dropout


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_inverted_scaling_keeps_the_mean(rate: float) -> None:
    x = np.ones((400, 500))
    y, _ = Dropout(rate).forward(x, training=True, rng=np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-12)
    error = np.sqrt(rate / (1 - rate) / x.size)  # standard error of the mean
    assert y.mean() == pytest.approx(1, abs=4 * error)


def test_evaluation_is_the_identity_on_a_copy() -> None:
    x = np.array([[1.0, -2.0]])
    y, memory = Dropout(0.9).forward(x)
    assert (y == x).all()
    y[...] = 0
    assert x.tolist() == [[1, -2]]
    assert Dropout(0.9).backward(np.array([[3.0, 4.0]]), memory)[0].tolist() == [[3, 4]]


def test_backward_uses_the_factor_of_forward() -> None:
    layer = Dropout(0.5)
    y, memory = layer.forward(np.ones((3, 8)), training=True, rng=np.random.default_rng(2))
    grad_x, grads = layer.backward(np.full((3, 8), 3.0), memory)
    assert (grad_x == 3 * y).all()
    assert grads == {}
    assert 0 < (y == 0).mean() < 1


def test_the_same_rng_draws_the_same_mask_and_no_global_state_is_used() -> None:
    layer, x = Dropout(0.5), np.ones((4, 9))
    one, _ = layer.forward(x, True, np.random.default_rng(7))
    np.random.seed(0)  # noqa: NPY002 - shows that the global generator plays no part
    two, _ = layer.forward(x, True, np.random.default_rng(7))
    other, _ = layer.forward(x, True, np.random.default_rng(8))
    assert (one == two).all()
    assert (one != other).any()


def test_rate_zero_needs_no_rng() -> None:
    assert Dropout(0.0).forward(np.ones((1, 2)), training=True)[0].tolist() == [[1, 1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype: type) -> None:
    layer = Dropout(0.3)
    y, memory = layer.forward(np.ones((2, 3), dtype), True, np.random.default_rng(0))
    assert y.dtype == layer.backward(np.ones_like(y), memory)[0].dtype == dtype


def test_training_without_rng_is_told() -> None:
    with pytest.raises(InputError, match=r"rng: got None, expected a numpy.random.Generator: Drop"):
        Dropout(0.5).forward(np.ones((1, 2)), training=True)


@pytest.mark.parametrize("rate", [-0.1, 1.0, np.nan])
def test_bad_rates_are_told(rate: float) -> None:
    with pytest.raises(InputError, match=rf"rate: got {rate}, expected a number in \[0, 1\)"):
        Dropout(rate)
