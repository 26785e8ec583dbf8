"""The error function and the normal distribution against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from minimidl.gates.special import erf, erfc, normal_cdf, normal_density

GRID = np.concatenate([np.linspace(-9, 9, 361), [-1e300, -30.0, 30.0, 1e300]])


@pytest.mark.parametrize(("mine", "judge"), [
    (erf, special.erf), (erfc, special.erfc), (normal_cdf, special.ndtr),
])
def test_scipy_is_the_judge_tails_included(mine: object, judge: object) -> None:
    np.testing.assert_allclose(mine(GRID), judge(GRID), rtol=2e-13)


def test_the_density_is_scipys_and_does_not_overflow() -> None:
    judged = stats.norm.pdf(np.clip(GRID, -50, 50))  # SciPy's own square would overflow
    np.testing.assert_allclose(normal_density(GRID), judged, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("function", [erf, erfc, normal_cdf, normal_density])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_shape_and_dtype_are_kept(function: object, shape: tuple[int, ...]) -> None:
    for dtype in (np.float32, np.float64):
        answer = function(np.zeros(shape, dtype))
        assert answer.shape == shape
        assert answer.dtype == dtype
