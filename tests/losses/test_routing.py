"""Routing losses: values and gradients worked out by hand."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.losses import (
    importance_cv,
    importance_cv_backward,
    load_balance,
    load_balance_backward,
    z_loss,
    z_loss_backward,
)

P = np.array([[0.75, 0.25], [0.5, 0.5], [0.875, 0.125], [0.375, 0.625]])
CHOSEN = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)


def test_load_balance_by_hand():
    value, memory = load_balance(P, CHOSEN)
    # f = (3/4, 1/4), mean P = (5/8, 3/8): 2 (15/32 + 3/32)
    assert value == pytest.approx(9 / 8, rel=1e-15)
    np.testing.assert_allclose(load_balance_backward(memory), [[3 / 8, 1 / 8]] * 4, rtol=1e-15)


def test_load_balance_is_1_where_all_is_even_and_E_where_one_does_everything():
    even = np.full((6, 3), 1 / 3)
    assert load_balance(even, np.eye(3, dtype=bool)[[0, 1, 2, 0, 1, 2]])[0] == pytest.approx(1)
    sure = np.tile([1.0, 0, 0], (6, 1))
    assert load_balance(sure, sure > 0)[0] == pytest.approx(3)


def test_top_k_shares_are_divided_by_all_assignments():
    both = np.ones((4, 2), bool)
    value, memory = load_balance(P, both)  # f = (1/2, 1/2): the mean of P sums to 1
    assert value == pytest.approx(1, rel=1e-15)
    np.testing.assert_allclose(load_balance_backward(memory), 0.25)


def test_the_balance_gradient_of_the_logits_is_the_known_one():
    _, memory = load_balance(P, CHOSEN)
    g = load_balance_backward(memory)
    through_softmax = P * (g - (g * P).sum(axis=1, keepdims=True))
    f = np.array([0.75, 0.25])
    np.testing.assert_allclose(
        through_softmax, 2 / 4 * P * (f - (P * f).sum(axis=1, keepdims=True)), atol=1e-16)
    assert (through_softmax[:, 0] > 0).all()  # descending lowers the crowded expert


def test_z_loss_by_hand():
    scores = np.log(np.array([[1.0, 3.0], [2.0, 2.0]]))  # LSE = ln 4 in both rows
    value, memory = z_loss(scores)
    assert value == pytest.approx(np.log(4) ** 2, rel=1e-15)
    np.testing.assert_allclose(
        z_loss_backward(memory), np.log(4) * np.array([[0.25, 0.75], [0.5, 0.5]]), rtol=1e-15)


def test_z_loss_of_large_logits_does_not_overflow():
    value, memory = z_loss(np.array([[1000.0, 0.0]], np.float32))
    assert value == pytest.approx(1e6)
    assert z_loss_backward(memory).tolist() == [[2000.0, 0.0]]


def test_importance_by_hand():
    gate = np.array([[1.0, 0, 0.5], [1.0, 0.5, 0]])  # I = (2, 1/2, 1/2), mean 1, variance 1/2
    value, memory = importance_cv(gate)
    assert value == pytest.approx(0.5, rel=1e-15)
    # 2/3 ((I - 1) - 1/2) = (1/3, -2/3, -2/3)
    np.testing.assert_allclose(importance_cv_backward(memory), [[1 / 3, -2 / 3, -2 / 3]] * 2)


def test_importance_does_not_see_the_scale_and_is_0_where_all_is_even():
    gate = np.random.default_rng(0).random((5, 4))
    value, memory = importance_cv(gate)
    assert importance_cv(3 * gate)[0] == pytest.approx(value, rel=1e-12)
    assert np.vdot(importance_cv_backward(memory)[0], gate.sum(axis=0)) == pytest.approx(0)
    even, memory = importance_cv(np.full((5, 4), 0.3))
    assert even == pytest.approx(0, abs=1e-30)
    np.testing.assert_allclose(importance_cv_backward(memory), 0, atol=1e-15)


def test_where_everything_was_dropped_there_is_nothing_to_balance():
    value, memory = importance_cv(np.zeros((3, 2)))
    assert value == 0
    assert not importance_cv_backward(memory).any()
    value, memory = load_balance(P, np.zeros((4, 2), bool))
    assert value == 0
    assert not load_balance_backward(memory).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_keep_the_dtype(dtype):
    p = P.astype(dtype)
    for forward, backward, arguments in (
            (load_balance, load_balance_backward, (p, CHOSEN)), (z_loss, z_loss_backward, (p,)),
            (importance_cv, importance_cv_backward, (p,))):
        value, memory = forward(*arguments)
        assert isinstance(value, float)
        assert backward(memory).dtype == dtype
        assert backward(memory).shape == p.shape


def test_bad_input_is_told():
    with pytest.raises(InputError, match=r"dispatched: got float64 \(4, 2\), expected boolean"):
        load_balance(P, P)
    with pytest.raises(InputError, match=r"dispatched: got bool \(3, 2\), expected boolean \(4"):
        load_balance(P, CHOSEN[:3])
    with pytest.raises(InputError, match=r"scores: got int64 \(1, 2\), expected floats"):
        z_loss(np.array([[1, 2]]))
    with pytest.raises(InputError, match=r"gate: got float64 \(0, 2\)"):
        importance_cv(np.zeros((0, 2)))
