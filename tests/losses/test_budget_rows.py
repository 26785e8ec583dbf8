"""The further rows of the budget table: values and gradients by hand, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl import losses
from minimidl.errors import InputError

P = np.array([[0.2, 0.4], [0.6, 0.8]])  # mean 0.5


def test_the_hinge_pulls_steadily_above_and_rests_below() -> None:
    value, memory = losses.hinge_usage(P, 0.3)
    assert value == pytest.approx(0.2, rel=1e-14)
    assert losses.hinge_usage_backward(memory).tolist() == [[.25, .25], [.25, .25]]
    for target in (0.5, 0.9):  # at the target and below it
        value, memory = losses.hinge_usage(P, target)
        assert value == 0
        assert not losses.hinge_usage_backward(memory).any()


def test_polarise_by_hand() -> None:
    # (0.16 + 0.24 + 0.24 + 0.16) / 4 = 0.2; (1 - 2 p) / 4
    value, memory = losses.polarise(P)
    assert value == pytest.approx(0.2, rel=1e-14)
    np.testing.assert_allclose(losses.polarise_backward(memory),
                               [[0.15, 0.05], [-0.05, -0.15]], rtol=1e-13)


def test_polarise_is_a_quarter_for_hesitant_and_zero_for_sure_gates() -> None:
    assert losses.polarise(np.full((2, 3), 0.5))[0] == 0.25
    assert losses.polarise(np.array([[0.0, 1.0]]))[0] == 0


def test_the_hard_quadratic_counts_what_is_executed_not_what_is_probable() -> None:
    active = P > 0.7  # 1 of 4; the mean probability is 0.5
    value, memory = losses.hard_quadratic_usage(P, active, 0.5)
    assert value == 0.0625
    # 2 (0.25 - 0.5) / 4, although the mean probability is at the target
    np.testing.assert_allclose(losses.hard_quadratic_usage_backward(memory), -0.125, rtol=1e-15)
    as_floats = losses.hard_quadratic_usage(P, active.astype(np.float64), 0.5)
    assert as_floats[0] == value


def test_the_lagrangian_is_a_price_or_a_reward() -> None:
    for mu in (2.0, -2.0):
        value, memory = losses.lagrangian_usage(P, 0.3, mu)
        assert value == pytest.approx(0.2 * mu, rel=1e-14)
        np.testing.assert_allclose(losses.lagrangian_usage_backward(memory), mu / 4, rtol=1e-15)


def test_the_augmented_lagrangian_by_hand() -> None:
    # mu (m - t) = -0.2, rho / 2 (m - t)^2 = 0.1; gradient (-1 + 5 * 0.2) / 4 = 0
    value, memory = losses.augmented_usage(P, 0.3, -1.0, 5.0)
    assert value == pytest.approx(-0.1, rel=1e-13)
    np.testing.assert_allclose(losses.augmented_usage_backward(memory), 0, atol=1e-16)
    # below the target the square pulls up: (1 + 5 * -0.4) / 4
    _, memory = losses.augmented_usage(P, 0.9, 1.0, 5.0)
    np.testing.assert_allclose(losses.augmented_usage_backward(memory), -0.25, rtol=1e-13)


def test_a_bound_never_rewards() -> None:
    # mu + rho (m - t) = 1 + 5 * -0.4 = -1: -mu^2 / (2 rho) = -0.1, and no pull
    value, memory = losses.augmented_usage(P, 0.9, 1.0, 5.0, at_most=True)
    assert value == pytest.approx(-0.1, rel=1e-14)
    assert not losses.augmented_usage_backward(memory).any()
    # the two branches meet where the pull is 0: m - t = -mu / rho
    inside = losses.augmented_usage(P, 0.7 - 1e-9, 1.0, 5.0, at_most=True)[0]
    outside = losses.augmented_usage(P, 0.7 + 1e-9, 1.0, 5.0, at_most=True)[0]
    assert inside == pytest.approx(outside, abs=1e-12)
    # in danger it is the same as for an equality
    assert (losses.augmented_usage(P, 0.3, 1.0, 5.0, at_most=True)[0]
            == losses.augmented_usage(P, 0.3, 1.0, 5.0)[0])


def test_without_stiffness_the_augmented_term_is_the_lagrangian() -> None:
    plain, memory = losses.lagrangian_usage(P, 0.3, 0.7)
    other, more = losses.augmented_usage(P, 0.3, 0.7, 0.0)
    assert plain == other
    assert np.array_equal(losses.lagrangian_usage_backward(memory),
                          losses.augmented_usage_backward(more))


PAIRS = [("hinge_usage", (0.3,)), ("polarise", ()), ("hard_quadratic_usage", (P > 0.5, 0.3)),
         ("lagrangian_usage", (0.3, 1.5)), ("augmented_usage", (0.3, 1.5, 2.0))]


@pytest.mark.parametrize(("name", "arguments"), PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_are_those_of_the_probabilities(name, arguments, dtype) -> None:
    value, memory = getattr(losses, name)(P.astype(dtype), *arguments)
    grad = getattr(losses, f"{name}_backward")(memory)
    assert isinstance(value, float)
    assert (grad.dtype, grad.shape) == (dtype, P.shape)


@pytest.mark.parametrize(("name", "arguments"), PAIRS)
def test_booleans_are_refused_because_their_gradient_would_be_boolean(name, arguments) -> None:
    with pytest.raises(InputError, match="usage: got dtype bool, expected floats"):
        getattr(losses, name)(P > 0.3, *arguments)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: losses.hinge_usage(P, 1.5), "target: got 1.5"),
    (lambda: losses.hard_quadratic_usage(P, P > 0.5, -1.0), "target: got -1.0"),
    (lambda: losses.hard_quadratic_usage(P, P[:1] > 0.5, 0.5), r"active: got shape \(1, 2\)"),
    (lambda: losses.lagrangian_usage(P, 0.5, np.inf), "multiplier: got inf"),
    (lambda: losses.augmented_usage(P, 0.5, 1.0, -1.0), "stiffness: got -1.0"),
    (lambda: losses.augmented_usage(P, 0.5, -1.0, 1.0, at_most=True), "at least 0 with at_most"),
])
def test_bad_input_is_told(call, words) -> None:
    with pytest.raises(InputError, match=words):
        call()
