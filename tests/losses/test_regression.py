"""Mean squared error and Huber's loss."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.losses import LOSSES, huber, huber_backward, mean_squared_error
from minimidl.losses import mean_squared_error_backward as mse_backward
from minimidl.proof.differences import numeric_gradient

Y = np.random.default_rng(1).normal(size=(4, 3)) * 2
T = np.random.default_rng(2).normal(size=(4, 3))


def test_mean_squared_error_by_hand() -> None:
    value, memory = mean_squared_error(np.array([[1.0, 4.0]]), np.array([[2, 2]]))
    assert value == 2.5  # (1 + 4) / 2
    assert mse_backward(memory).tolist() == [[-1, 2]]  # 2 e / 2


def test_huber_by_hand() -> None:
    # delta 2, errors (1, -2, 5): 1/2, 2 (the seam), 2 (5 - 1) = 8; mean 3.5
    value, memory = huber(np.array([1.0, -2.0, 5.0]), np.zeros(3), delta=2)
    assert value == 3.5
    np.testing.assert_allclose(huber_backward(memory), np.array([1, -2, 2]) / 3, rtol=1e-15)


def test_huber_is_half_the_square_when_delta_is_large() -> None:
    assert huber(Y, T, delta=100)[0] == pytest.approx(mean_squared_error(Y, T)[0] / 2, rel=1e-14)


@pytest.mark.parametrize("name", ["mse", "huber"])
def test_gradient_equals_central_differences(name: str) -> None:
    loss, predictions = LOSSES[name], Y.copy()
    assert np.abs(np.abs(Y - T) - 1).min() > 1e-3  # away from Huber's seam
    _, memory = loss.forward(predictions, T)
    numeric = numeric_gradient(lambda y: loss.forward(y, T)[0], predictions)
    np.testing.assert_allclose(loss.backward(memory), numeric, atol=1e-8)


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "theirs"), [("mse", "mse_loss"), ("huber", "huber_loss")])
def test_torch_agrees(name: str, theirs: str) -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    y = torch.tensor(Y, requires_grad=True)
    loss = getattr(torch.nn.functional, theirs)(y, torch.tensor(T))
    loss.backward()
    value, memory = LOSSES[name].forward(Y, T)
    assert value == pytest.approx(loss.item(), rel=1e-14)
    np.testing.assert_allclose(LOSSES[name].backward(memory), y.grad.numpy(), atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["mse", "huber"])
def test_dtype_is_kept_also_with_float64_targets(name: str, dtype: type) -> None:
    _, memory = LOSSES[name].forward(Y.astype(dtype), T)
    assert LOSSES[name].backward(memory).dtype == dtype


@pytest.mark.parametrize("name", ["mse", "huber"])
def test_bad_input_is_told(name: str) -> None:
    forward = LOSSES[name].forward
    with pytest.raises(InputError, match=r"targets: got shape \(4,\), expected \(4, 3\)"):
        forward(Y, T[:, 0])
    with pytest.raises(InputError, match=r"predictions: got nan at index \(0, 0\)"):
        forward(np.full((4, 3), np.nan), T)
    with pytest.raises(InputError, match=r"targets: got inf at index \(0, 0\)"):
        forward(Y, np.full((4, 3), np.inf))


@pytest.mark.parametrize("delta", [0, -1.0, np.nan])
def test_bad_delta_is_told(delta: float) -> None:
    with pytest.raises(InputError, match=rf"delta: got {delta}, expected a positive number"):
        huber(Y, T, delta)
