"""p-norm Top-k: ``F(u) = min(max(u, 0), 1) ** (1 / (p - 1))``.

The maximiser of ``<z, y> - (T / p) sum_i y_i^p`` over ``0 <= y <= 1, sum y = k``. Exponent 2 is the
capped simplex; 4/3 cubes, so that a gate closes smoothly and still closes exactly.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.gates.rows import is_number
from minimidl.gates.threshold.base import ThresholdTopK
from minimidl.gates.threshold.roots import cut_by_newton


class PNormTopK(ThresholdTopK):
    """``p_i = clip((z_i - tau) / T, 0, 1) ** (1 / (exponent - 1))`` with ``sum p = k``.

    Args:
        exponent: p > 1. Above 2 the slope is infinite where a gate opens: teach it, do not train.

    Raises:
        InputError: exponent not a finite number above 1.

    Card:
        formula: p_i = clip((z_i - tau) / T, 0, 1)^3 for exponent 4/3; power 1 / (exponent - 1)
        cost: O(n) per Newton step forward, O(n) backward
        exactly k: yes, to rounding
        exact zeros: yes, and exact ones
        use when: you want exact zeros and no kink where gates close (there is one where they fill)
        source: Sander et al. 2023 (arXiv:2302.01425)

    """

    def __init__(self, exponent: float = 4 / 3) -> None:
        require(is_number(exponent) and exponent > 1, "exponent", repr(exponent),
                "a finite number above 1")
        self.exponent = float(exponent)
        # 1 / (4/3 - 1) is 3.0000000000000004: a whole power makes a cube a cube.
        power = 1 / (self.exponent - 1)
        self.power = float(round(power)) if math.isclose(power, round(power)) else power
        self.middle = 0.5 ** (1 / self.power)

    def cdf(self, u: Array) -> Array:
        """``clip(u, 0, 1) ** power``."""
        return np.clip(u, 0, 1) ** self.power

    def slope(self, u: Array) -> Array:
        """``power * u ** (power - 1)`` strictly between 0 and 1, 0 elsewhere."""
        inside = (u > 0) & (u < 1)
        return np.where(inside, self.power * np.where(inside, u, 1) ** (self.power - 1), 0)

    def cut(self, scaled: Array, k: float) -> Array:
        """Safeguarded Newton, all rows at once; ``(k / n) ** (1 / power)`` brackets the root."""
        offset = (k / scaled.shape[1]) ** (1 / self.power)
        return cut_by_newton(lambda u: (self.cdf(u), self.slope(u)), scaled.astype(np.float64), k,
                             offset, offset)
