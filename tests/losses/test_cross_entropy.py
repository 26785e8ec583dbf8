"""Softmax cross-entropy: numbers by hand, differences, torch, and labels that are not labels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.losses import LOSSES, cross_entropy, cross_entropy_backward, log_softmax
from minimidl.proof.differences import numeric_gradient

LOGITS = np.random.default_rng(0).normal(size=(5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0])


def test_by_hand() -> None:
    # softmax(ln 3, 0) = (3/4, 1/4); label 0: -ln(3/4); label 1: -ln(1/4); mean of the two
    logits = np.array([[math.log(3), 0.0], [math.log(3), 0.0]])
    value, memory = cross_entropy(logits, np.array([0, 1]))
    assert value == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, rel=1e-15)
    np.testing.assert_allclose(cross_entropy_backward(memory), [[-.125, .125], [.375, -.375]],
                               rtol=1e-14)


def test_class_weights_by_hand() -> None:
    # weights 1 and 3 on the two samples above: (ln(4/3) + 3 ln 4) / 4, rows weigh 1/4 and 3/4
    logits = np.array([[math.log(3), 0.0], [math.log(3), 0.0]])
    value, memory = cross_entropy(logits, np.array([0, 1]), np.array([1, 3]))
    assert value == pytest.approx((math.log(4 / 3) + 3 * math.log(4)) / 4, rel=1e-14)
    np.testing.assert_allclose(cross_entropy_backward(memory),
                               [[-1 / 16, 1 / 16], [9 / 16, -9 / 16]], rtol=1e-14)


def test_label_smoothing_by_hand() -> None:
    # s = 0.2, 2 classes: q = (0.9, 0.1); p = (3/4, 1/4)
    value, memory = cross_entropy(np.array([[math.log(3), 0.0]]), np.array([0]),
                                  label_smoothing=0.2)
    assert value == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4), rel=1e-14)
    np.testing.assert_allclose(cross_entropy_backward(memory), [[-0.15, 0.15]], rtol=1e-13)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_gradient_equals_central_differences(weights: np.ndarray | None, smoothing: float) -> None:
    logits = LOGITS.copy()
    _, memory = cross_entropy(logits, LABELS, weights, smoothing)
    numeric = numeric_gradient(lambda z: cross_entropy(z, LABELS, weights, smoothing)[0], logits)
    np.testing.assert_allclose(cross_entropy_backward(memory), numeric, atol=1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_torch_agrees(weights: np.ndarray | None, smoothing: float) -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    z = torch.tensor(LOGITS, requires_grad=True)
    weight = None if weights is None else torch.tensor(weights)
    labels = torch.tensor(LABELS)
    if weight is None or smoothing == 0.0:
        loss = torch.nn.functional.cross_entropy(z, labels, weight, label_smoothing=smoothing)
    else:  # torch weighs each smoothed target by its own class, we weigh the sample: written out
        q = (1 - smoothing) * torch.nn.functional.one_hot(labels, 4).double() + smoothing / 4
        each = -(q * torch.log_softmax(z, 1)).sum(1)
        loss = (weight[labels] * each).sum() / weight[labels].sum()
    loss.backward()
    value, memory = cross_entropy(LOGITS, LABELS, weights, smoothing)
    assert value == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(cross_entropy_backward(memory), z.grad.numpy(), atol=1e-14)


def test_extreme_logits_neither_overflow_nor_give_nan() -> None:
    logits = np.array([[1e4, -1e4, 0.0]])
    value, memory = cross_entropy(logits, np.array([1]))
    assert value == 2e4
    assert cross_entropy_backward(memory).tolist() == [[1, -1, 0]]


def test_log_softmax_is_shift_invariant_and_normalised() -> None:
    log_p = log_softmax(LOGITS)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(log_softmax(LOGITS + 50), log_p, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_of_the_gradient_is_that_of_the_logits(dtype: type) -> None:
    value, memory = cross_entropy(LOGITS.astype(dtype), LABELS, WEIGHTS, 0.1)
    assert isinstance(value, float)
    assert cross_entropy_backward(memory).dtype == dtype


def test_inputs_are_unchanged_and_backward_may_be_called_twice() -> None:
    logits, labels, weights = LOGITS.copy(), LABELS.copy(), WEIGHTS.copy()
    _, memory = cross_entropy(logits, labels, weights, 0.2)
    assert (cross_entropy_backward(memory) == cross_entropy_backward(memory)).all()
    assert (logits == LOGITS).all()
    assert (labels == LABELS).all()
    assert (weights == WEIGHTS).all()


@pytest.mark.parametrize(("labels", "message"), [
    ([0, 1, 2, 3, 4], r"labels: got 4 at index 4, expected whole numbers from 0 to 3"),
    ([0, -1, 2, 3, 3], r"labels: got -1 at index 1, expected whole numbers from 0 to 3"),
    ([0, 1], r"labels: got shape \(2,\), expected \(5,\)"),
    ([[0], [1], [2], [3], [0]], r"labels: got shape \(5, 1\), expected \(5,\)"),
    ([0.0, 1, 2, 3, 3], r"labels: got dtype float64, expected whole numbers"),
])
def test_bad_labels_are_told(labels: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cross_entropy(LOGITS, np.array(labels))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_told(bad: float) -> None:
    logits = LOGITS.copy()
    logits[2, 1] = bad
    with pytest.raises(InputError, match=rf"logits: got {bad} at index \(2, 1\)"):
        cross_entropy(logits, LABELS)


def test_logits_that_are_no_rows_are_told() -> None:
    with pytest.raises(InputError, match=r"logits: got shape \(4,\), expected \(batch, n_classes"):
        cross_entropy(LOGITS[0], LABELS[:4])


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, np.nan])
def test_bad_smoothing_is_told(smoothing: float) -> None:
    with pytest.raises(InputError, match=rf"label_smoothing: got {smoothing}, expected .*\[0, 1\)"):
        cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)


@pytest.mark.parametrize(("weights", "message"), [
    (np.ones(3), r"class_weights: got shape \(3,\), expected \(4,\)"),
    (np.array([1.0, -1, 1, 1]), r"class_weights: got -1.0, expected numbers of at least 0"),
    (np.array([0.0, 0, 0, 0]), r"class_weights: got 0 for every label of the batch"),
])
def test_bad_class_weights_are_told(weights: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cross_entropy(LOGITS, LABELS, weights)


def test_it_is_found_by_name() -> None:
    assert set(LOSSES) == {"cross-entropy", "binary-cross-entropy", "mse", "huber"}
    assert LOSSES["cross-entropy"] == (cross_entropy, cross_entropy_backward)
