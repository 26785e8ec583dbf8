"""Budgets: each value by hand, each gradient by differences, and no dependence on the width."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl import losses
from minimidl.errors import InputError
from minimidl.proof.differences import numeric_gradient

P = np.array([[0.2, 0.4], [0.6, 0.8]])  # mean 0.5


def test_mean_usage_by_hand() -> None:
    value, memory = losses.mean_usage(P)
    assert value == pytest.approx(0.5, rel=1e-15)
    assert losses.mean_usage_backward(memory).tolist() == [[.25, .25], [.25, .25]]


def test_quadratic_by_hand_on_both_sides() -> None:
    value, memory = losses.quadratic_usage(P, 0.3)
    assert value == pytest.approx(0.04, rel=1e-14)
    np.testing.assert_allclose(losses.quadratic_usage_backward(memory), 0.1, rtol=1e-14)
    _, memory = losses.quadratic_usage(P, 0.9)  # below the target it pulls up
    np.testing.assert_allclose(losses.quadratic_usage_backward(memory), -0.2, rtol=1e-14)


def test_keep_alive_by_hand() -> None:
    value, memory = losses.keep_alive(P, 0.6)
    assert value == pytest.approx(0.01, rel=1e-12)
    np.testing.assert_allclose(losses.keep_alive_backward(memory), -0.05, rtol=1e-12)


@pytest.mark.parametrize("floor", [0.0, 0.3, 0.5])
def test_keep_alive_is_off_at_and_above_the_floor(floor: float) -> None:
    value, memory = losses.keep_alive(P, floor)
    assert value == 0
    assert not losses.keep_alive_backward(memory).any()


def test_cost_weighted_by_hand() -> None:
    # layer 0: mean 0.5, cost 3; layer 2: mean 0.1, cost 1: (1.5 + 0.1) / 4 = 0.4
    usages = {"0": P, "2": np.full((2, 5), 0.1)}
    value, memory = losses.cost_weighted_usage(usages, {"0": 3.0, "2": 1.0})
    assert value == pytest.approx(0.4, rel=1e-14)
    grads = losses.cost_weighted_usage_backward(memory)
    np.testing.assert_allclose(grads["0"], np.full((2, 2), 3 / 16), rtol=1e-14)
    np.testing.assert_allclose(grads["2"], np.full((2, 5), 1 / 40), rtol=1e-14)


@pytest.mark.parametrize(("name", "arguments"), [
    ("mean_usage", ()), ("quadratic_usage", (0.3,)), ("quadratic_usage", (0.7,)),
    ("keep_alive", (0.6,)), ("keep_alive", (0.4,)),
])
def test_gradients_equal_central_differences(name: str, arguments: tuple[float, ...]) -> None:
    forward, backward = getattr(losses, name), getattr(losses, f"{name}_backward")
    p = P.copy()
    _, memory = forward(p, *arguments)
    np.testing.assert_allclose(
        backward(memory), numeric_gradient(lambda q: forward(q, *arguments)[0], p), atol=1e-9)


@pytest.mark.parametrize(("name", "arguments"), [
    ("mean_usage", ()), ("quadratic_usage", (0.3,)), ("keep_alive", (0.9,))])
def test_value_does_not_depend_on_width_or_batch(name: str, arguments: tuple[float, ...]) -> None:
    forward = getattr(losses, name)
    wide = np.tile(P, (3, 50))
    assert forward(wide, *arguments)[0] == pytest.approx(forward(P, *arguments)[0], rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "arguments"), [
    ("mean_usage", ()), ("quadratic_usage", (0.3,)), ("keep_alive", (0.9,))])
def test_dtype_and_shape_are_those_of_the_probabilities(
    name: str, arguments: tuple[float, ...], dtype: type
) -> None:
    value, memory = getattr(losses, name)(P.astype(dtype), *arguments)
    grad = getattr(losses, f"{name}_backward")(memory)
    assert isinstance(value, float)
    assert grad.dtype == dtype
    assert grad.shape == P.shape


def test_the_executed_mask_may_be_given_as_zeros_and_ones() -> None:
    value, memory = losses.quadratic_usage((P > 0.3).astype(np.float64), 0.5)
    assert value == 0.0625
    np.testing.assert_allclose(losses.quadratic_usage_backward(memory), 0.125)


@pytest.mark.parametrize(("name", "arguments"), [
    ("mean_usage", ()), ("quadratic_usage", (0.3,)), ("keep_alive", (0.9,))])
def test_a_boolean_mask_is_refused_because_its_gradient_would_be_boolean(
    name: str, arguments: tuple[float, ...]
) -> None:
    with pytest.raises(InputError, match=r"usage: got dtype bool, expected floats"):
        getattr(losses, name)(P > 0.3, *arguments)


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_bad_targets_and_floors_are_told(bad: float) -> None:
    with pytest.raises(InputError, match=rf"target: got {bad}, expected a share in \[0, 1\]"):
        losses.quadratic_usage(P, bad)
    with pytest.raises(InputError, match=rf"floor: got {bad}, expected a share in \[0, 1\]"):
        losses.keep_alive(P, bad)


def test_bad_costs_are_told() -> None:
    with pytest.raises(InputError, match=r"costs: got \['1'\], expected one cost for each .*'0'"):
        losses.cost_weighted_usage({"0": P}, {"1": 1.0})
    with pytest.raises(InputError, match=r"costs: got {'0': 0.0}, expected positive numbers"):
        losses.cost_weighted_usage({"0": P}, {"0": 0.0})
