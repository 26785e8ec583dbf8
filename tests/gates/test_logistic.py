"""The logistic function and its inverse, at both ends of the number line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

from minimidl.errors import InputError
from minimidl.gates import logistic, logit


def test_values_by_hand() -> None:
    # 1 / (1 + exp(-ln 3)) = 1 / (1 + 1/3) = 3/4
    u = np.array([0.0, math.log(3), -math.log(3)])
    np.testing.assert_allclose(logistic(u), [0.5, 0.75, 0.25], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_neither_overflow_nor_lose_their_dtype(dtype: type) -> None:
    u = np.array([-1e4, -30, 0, 30, 1e4], dtype)
    p = logistic(u)
    assert p.dtype == dtype
    assert p[0] == 0
    assert p[-1] == 1
    np.testing.assert_allclose(p, expit(u), rtol=4 * np.finfo(dtype).eps)
    assert 0 < p[1] < 1e-12  # the small tail is kept, not rounded to 0


def test_logistic_of_minus_u_is_the_exact_complement_in_the_tail() -> None:
    # 1 - s(40) is 0 in float64; s(-40) is not, which is why slopes use it
    assert 1 - logistic(np.array(40.0)) == 0
    np.testing.assert_allclose(logistic(np.array(-40.0)), math.exp(-40), rtol=1e-12)


@pytest.mark.parametrize("p", [1e-300, 1e-9, 0.2, 0.5, 0.85, 1 - 1e-12])
def test_logit_undoes_logistic(p: float) -> None:
    np.testing.assert_allclose(logistic(np.array(logit(p))), p, rtol=1e-12)


def test_logit_by_hand() -> None:
    assert logit(0.5) == 0
    assert logit(0.75) == pytest.approx(math.log(3), rel=1e-15)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_logit_refuses_what_is_not_strictly_inside(p: float) -> None:
    with pytest.raises(InputError, match=rf"probability: got {p}, expected .* between 0 and 1"):
        logit(p)
