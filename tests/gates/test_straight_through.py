"""Straight through: exactly hard forward, the identity backward; and how to spot the reversed line.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.gates import logistic, logit, threshold_mask, threshold_mask_backward

Z = np.array([[-2.0, -0.5, 0.0, 0.25, 3.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_is_exactly_zero_or_one(dtype: type) -> None:
    b, _ = threshold_mask(Z.astype(dtype), 0.1)
    assert b.dtype == dtype
    assert b.tolist() == [[0, 0, 0, 1, 1]]


def test_a_score_exactly_at_the_cut_is_closed() -> None:
    b, _ = threshold_mask(Z, 0.25)  # the definition says p > threshold, not >=
    assert b.tolist() == [[0, 0, 0, 0, 1]]


@given(z=st.floats(-20, 20), threshold=st.floats(0.02, 0.98), temperature=st.floats(0.2, 5))
def test_cut_on_scores_is_threshold_on_probabilities(
    z: float, threshold: float, temperature: float
) -> None:
    scores = np.array([[z]])
    p = logistic(scores / temperature)
    b, _ = threshold_mask(scores, temperature * logit(threshold))
    if abs(p.item() - threshold) > 1e-12:  # at the cut itself rounding decides
        assert b.item() == (p > threshold).item()


def test_backward_is_the_identity() -> None:
    grad = np.array([[0.5, -1.0, 2.0, 0.0, 3.0]])
    assert threshold_mask_backward(grad, {}).tolist() == grad.tolist()


def test_mask_is_flat_so_what_backward_returns_is_no_derivative() -> None:
    above, below = threshold_mask(Z + 1e-6, 0.1)[0], threshold_mask(Z - 1e-6, 0.1)[0]
    assert (above == below).all()


def looks_reversed(value: np.ndarray, grad_probability: np.ndarray) -> bool:
    """A gate that lets the soft probability through forward, and nothing backward."""
    soft = not np.isin(value, (0, 1)).all()
    return soft and not grad_probability.any()


def test_the_detector_tells_our_gate_from_the_reversed_line() -> None:
    # dynamicgate-audit.md E1.1: hard + stop(p - hard) has the value of p and no gradient
    p = logistic(Z)
    b, memory = threshold_mask(Z, 0.1)
    grad = np.ones_like(Z)
    assert not looks_reversed(b, threshold_mask_backward(grad, memory))
    reversed_value, reversed_gradient = b + (p - b), 0 * grad
    assert looks_reversed(reversed_value, reversed_gradient)
