"""Layer norm: the formula, what it projects out, and constant rows."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import LayerNorm


def test_by_hand() -> None:
    # (1, 3): mean 2, variance 1; epsilon 3 makes the divisor 2: (-1/2, 1/2), then 2 y + 1
    layer = LayerNorm(2, epsilon=3.0, dtype=np.float64)
    layer.params["scale"][...] = 2
    layer.params["bias"][...] = 1
    output, memory = layer.forward(np.array([[1.0, 3.0]]))
    assert output.tolist() == [[0, 2]]
    # dy = (1, 0): g = (2, 0), mean(g) = 1, mean(g y) = -1/2:
    # dx = ((2, 0) - 1 + (-1/2, 1/2) / 2) / 2 = (3/8, -3/8)
    grad_x, grads = layer.backward(np.array([[1.0, 0.0]]), memory)
    assert grad_x.tolist() == [[0.375, -0.375]]
    assert grads["scale"].tolist() == [-0.5, 0]
    assert grads["bias"].tolist() == [1, 0]


def test_every_row_has_mean_zero_and_variance_one() -> None:
    x = np.random.default_rng(0).normal(3, 5, size=(4, 16))
    y, _ = LayerNorm(16, epsilon=1e-12, dtype=np.float64).forward(x)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-10)


def test_shifting_a_row_changes_nothing_so_its_gradient_sums_to_zero() -> None:
    rng = np.random.default_rng(1)
    layer = LayerNorm(6, dtype=np.float64)
    x = rng.normal(size=(3, 6))
    y, memory = layer.forward(x)
    np.testing.assert_allclose(layer.forward(x + 7)[0], y, atol=1e-12)
    grad_x, _ = layer.backward(rng.normal(size=(3, 6)), memory)
    np.testing.assert_allclose(grad_x.sum(axis=1), 0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_row_stays_finite(dtype: type) -> None:
    layer = LayerNorm(3, dtype=dtype)
    y, memory = layer.forward(np.full((1, 3), 7, dtype))
    assert y.tolist() == [[0, 0, 0]]
    assert np.isfinite(layer.backward(np.ones((1, 3), dtype), memory)[0]).all()


def test_one_unit_is_always_its_bias() -> None:
    layer = LayerNorm(1, dtype=np.float64)
    layer.params["bias"][...] = 0.25
    y, memory = layer.forward(np.array([[5.0], [-5.0]]))
    assert y.tolist() == [[0.25], [0.25]]
    assert not layer.backward(np.ones((2, 1)), memory)[0].any()


def test_bad_arguments_are_told() -> None:
    with pytest.raises(InputError, match=r"n: got 0, expected a width of at least 1"):
        LayerNorm(0)
    with pytest.raises(InputError, match=r"epsilon: got 0, expected a positive number"):
        LayerNorm(3, epsilon=0)
