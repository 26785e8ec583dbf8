"""Activations: values by hand, kinks, both ends, and every slope by differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erf as scipy_erf
from scipy.special import ndtr

from minimidl.errors import InputError
from minimidl.layers import ACTIVATIONS, GELU, ReLU, Sigmoid, Tanh
from minimidl.layers.activations import activation, erf

U = np.linspace(-4, 4, 33) + 0.01  # not on the kink


def slope_at(name: str, u: np.ndarray) -> np.ndarray:
    pair = activation(name)
    return pair.slope(u, pair.value(u))


def test_relu_by_hand_with_its_kink() -> None:
    layer = ReLU()
    output, memory = layer.forward(np.array([[-1.0, 0.0, 2.0]]))
    assert output.tolist() == [[0, 0, 2]]
    assert layer.backward(np.array([[3.0, 3.0, 3.0]]), memory)[0].tolist() == [[0, 0, 3]]


def test_gelu_values() -> None:
    x = np.array([[-3.0, -0.5, 0.0, 1.0, 10.0]])
    np.testing.assert_allclose(GELU().forward(x)[0], x * ndtr(x), rtol=1e-13)
    # 1 * Phi(1) = 0.841345; the tanh form is off in the fourth digit
    assert GELU().forward(np.ones((1, 1)))[0].item() == pytest.approx(0.8413447460685429, rel=1e-14)
    assert GELU("tanh").forward(np.ones((1, 1)))[0].item() == pytest.approx(0.8411919906, rel=1e-9)


def test_tanh_and_sigmoid_by_hand() -> None:
    x = np.array([[math.log(3)]])
    tanh, tanh_memory = Tanh().forward(x)
    sigmoid, sigmoid_memory = Sigmoid().forward(x)
    assert tanh.item() == pytest.approx(0.8, rel=1e-14)  # (9 - 1) / (9 + 1)
    assert sigmoid.item() == pytest.approx(0.75, rel=1e-14)
    one = np.ones((1, 1))
    assert Tanh().backward(one, tanh_memory)[0].item() == pytest.approx(0.36, rel=1e-13)
    assert Sigmoid().backward(one, sigmoid_memory)[0].item() == pytest.approx(3 / 16, rel=1e-14)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_slope_equals_central_differences(name: str) -> None:
    step, value = 1e-6, activation(name).value
    np.testing.assert_allclose(slope_at(name, U), (value(U + step) - value(U - step)) / (2 * step),
                               atol=1e-9)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_everything_is_finite_and_the_dtype_kept(name: str, dtype: type) -> None:
    u = np.array([-1e4, -50, 0, 50, 1e4], dtype)
    value, slope = activation(name).value(u), slope_at(name, u)
    assert value.dtype == slope.dtype == dtype
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    limits = {"tanh": (0, 0), "sigmoid": (0, 0), "linear": (1, 1)}.get(name, (0, 1))
    assert (slope[0], slope[-1]) == limits


def test_the_slope_of_a_saturated_sigmoid_is_small_not_zero() -> None:
    np.testing.assert_allclose(slope_at("sigmoid", np.array([-40.0, 40.0])), math.exp(-40),
                               rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erf_equals_scipy(dtype: type) -> None:
    u = np.linspace(-6, 6, 101).astype(dtype).reshape(1, -1)
    assert erf(u).dtype == dtype
    np.testing.assert_allclose(erf(u), scipy_erf(u), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("layer", [ReLU(), GELU(), GELU("tanh"), Tanh(), Sigmoid()],
                         ids=["relu", "gelu", "gelu-tanh", "tanh", "sigmoid"])
def test_an_elementwise_layer_has_no_parameters_and_any_width(layer: ReLU) -> None:
    for width in (1, 5):
        output, memory = layer.forward(np.ones((2, width), np.float32))
        grad_x, grads = layer.backward(np.ones_like(output), memory)
        assert output.shape == grad_x.shape == (2, width)
        assert grads == {}


def test_bad_names_and_shapes_are_told() -> None:
    with pytest.raises(InputError, match=r"activation: got 'swish', expected one of relu, gelu"):
        activation("swish")
    with pytest.raises(InputError, match=r"form: got 'fast', expected 'exact' or 'tanh'"):
        GELU("fast")
    with pytest.raises(InputError, match=r"x: got shape \(3,\), expected \(batch, features\)"):
        ReLU().forward(np.zeros(3))
    with pytest.raises(InputError, match=r"x: got shape None, expected \(batch, features\)"):
        ReLU().forward([[1.0]])  # type: ignore[arg-type]
