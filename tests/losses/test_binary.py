"""Binary cross-entropy on logits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.losses import binary_cross_entropy, binary_cross_entropy_backward
from minimidl.proof.differences import numeric_gradient

LOGITS = np.random.default_rng(1).normal(size=(4, 3))
TARGETS = np.random.default_rng(2).uniform(size=(4, 3))


def test_by_hand() -> None:
    # z = ln 3: p = 3/4; target 1: -ln(3/4), target 0: -ln(1/4), target 1/2: the mean of both
    value, memory = binary_cross_entropy(np.full((1, 3), math.log(3)), np.array([[1, 0, 0.5]]))
    assert value == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, rel=1e-15)
    np.testing.assert_allclose(binary_cross_entropy_backward(memory),
                               np.array([[-.25, .75, .25]]) / 3, rtol=1e-14)


def test_gradient_equals_central_differences() -> None:
    logits = LOGITS.copy()
    _, memory = binary_cross_entropy(logits, TARGETS)
    numeric = numeric_gradient(lambda z: binary_cross_entropy(z, TARGETS)[0], logits)
    np.testing.assert_allclose(binary_cross_entropy_backward(memory), numeric, atol=1e-9)


@pytest.mark.oracle
def test_torch_agrees() -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    z = torch.tensor(LOGITS, requires_grad=True)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(TARGETS))
    loss.backward()
    value, memory = binary_cross_entropy(LOGITS, TARGETS)
    assert value == pytest.approx(loss.item(), rel=1e-14)
    np.testing.assert_allclose(binary_cross_entropy_backward(memory), z.grad.numpy(), atol=1e-15)


def test_extreme_logits() -> None:
    value, memory = binary_cross_entropy(np.array([1e4, -1e4]), np.array([0, 1]))
    assert value == 1e4
    assert binary_cross_entropy_backward(memory).tolist() == [0.5, -0.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype: type) -> None:
    _, memory = binary_cross_entropy(LOGITS.astype(dtype), TARGETS)
    assert binary_cross_entropy_backward(memory).dtype == dtype


@pytest.mark.parametrize(("targets", "message"), [
    (np.full((4, 3), 1.5), r"targets: got values from 1.5 to 1.5, expected numbers in \[0, 1\]"),
    (np.full((4, 3), np.nan), r"targets: got nan at index \(0, 0\), expected finite"),
    (np.zeros(4), r"targets: got shape \(4,\), expected \(4, 3\), the shape of logits"),
])
def test_bad_targets_are_told(targets: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        binary_cross_entropy(LOGITS, targets)


def test_bad_logits_are_told() -> None:
    with pytest.raises(InputError, match=r"logits: got inf at index \(1,\)"):
        binary_cross_entropy(np.array([0, np.inf]), np.zeros(2))
