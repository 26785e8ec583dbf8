"""Estimators that do not draw: ``b = 1[z > cut]`` forward, four stand-ins backward.

They differ only in the slope that replaces the derivative of the step:

    identity-probability   p (1 - p) / T, p = sigmoid(z / T)    as if b were p
    identity-score         1                                    as if b were z
    clipped                1[|z - cut| <= width]                as if b were a ramp around the cut
    threshold-surrogate    F'((z - cut) / T) / T, F logistic    as if b were F((z - cut) / T)

The first and the last agree at ``cut = 0``. Elsewhere the first pulls hardest at ``z = 0``, where
nothing is decided; the last pulls hardest at the cut.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require
from minimidl.gates.estimators.base import Estimator, check_gate
from minimidl.gates.logistic import logistic_slope as unit_slope
from minimidl.gates.rows import is_number
from minimidl.gates.straight_through import threshold_mask


class ThresholdEstimator(Estimator):
    """A deterministic gate; members bring the slope."""

    @abstractmethod
    def slope(self, scores: Array, cut: float, temperature: float) -> Array:
        """What stands in for ``db/dz``, ``(rows, n)``."""

    def forward(
        self, scores: Array, cut: float = 0.0, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Mask ``1[z > cut]``; see :class:`Estimator`."""
        check_gate(scores, cut, temperature)
        mask, _ = threshold_mask(scores, cut)
        return mask, {"slope": self.slope(scores, cut, temperature), "open": mask > 0}


class IdentityProbability(ThresholdEstimator):
    """As if the mask were the probability ``p = sigmoid(z / T)``: the usual straight-through gate.

    Card:
        formula: dL/dz = g p (1 - p) / T
        cost: O(n) forward, O(n) backward
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: the default; the decision and the probability of a budget share one slope
        source: Bengio, Leonard and Courville 2013, arXiv 1308.3432, section 4
    """

    def slope(self, scores: Array, cut: float, temperature: float) -> Array:
        """``p (1 - p) / T``."""
        return logistic_slope(scores, temperature)


class IdentityScore(ThresholdEstimator):
    """As if the mask were the score itself.

    Card:
        formula: dL/dz = g
        cost: O(n) forward, O(1) backward
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: as a warning: too large by 1 / (p (1 - p)), and never silent far from the cut
        source: Bengio, Leonard and Courville 2013, arXiv 1308.3432, section 4
    """

    def slope(self, scores: Array, cut: float, temperature: float) -> Array:
        """1 everywhere."""
        return np.ones_like(scores)


class Clipped(ThresholdEstimator):
    """As if the mask were a ramp of slope 1 around the cut, flat beyond ``width``.

    Args:
        width: half the width of the window, above 0.

    Card:
        formula: dL/dz = g 1[|z - cut| <= width]
        cost: O(n) forward, O(n) backward
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: no exponential can be afforded, or gates far from the cut should rest
        source: Hubara et al. 2016 (binarised networks), arXiv 1602.02830, equation 4
    """

    def __init__(self, width: float = 1.0) -> None:
        require(is_number(width) and width > 0, "width", repr(width), "a positive number")
        self.width = width

    def slope(self, scores: Array, cut: float, temperature: float) -> Array:
        """1 in the window, 0 outside."""
        kind = scores.dtype.type
        return (np.abs(scores - kind(cut)) <= kind(self.width)).astype(scores.dtype)


class ThresholdSurrogate(ThresholdEstimator):
    """As if the mask were ``F((z - cut) / T)``, a logistic step centred at the cut.

    Card:
        formula: dL/dz = g F'((z - cut) / T) / T
        cost: O(n) forward, O(n) backward
        exactly k: no; with the cut of a Top-k use topk='hard', which also holds the budget
        exact zeros: yes
        use when: the threshold is not 1/2, so that the pull belongs at the cut and not at z = 0
        source: house rule; surrogate gradients, Neftci, Mostafa and Zenke 2019, arXiv 1901.09948
    """

    def slope(self, scores: Array, cut: float, temperature: float) -> Array:
        """``F'((z - cut) / T) / T``."""
        return logistic_slope(scores - scores.dtype.type(cut), temperature)


def logistic_slope(scores: Array, temperature: float) -> Array:
    """Derivative of ``sigmoid(z / T)`` in ``z``, right also far out."""
    width = scores.dtype.type(temperature)
    slope = unit_slope(scores / width)
    slope /= width
    return slope
