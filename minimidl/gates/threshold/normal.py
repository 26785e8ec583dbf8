"""Normal Top-k: ``F`` is the normal distribution, a threshold seen through Gaussian noise.

``p_i`` is the probability that ``z_i + T * noise_i`` passes the cut ``tau``, each entry with noise
of its own, and the cut is set so that ``k`` pass on average.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.special import normal_cdf, normal_density
from minimidl.gates.threshold.base import ThresholdTopK
from minimidl.gates.threshold.roots import cut_by_newton


class NormalTopK(ThresholdTopK):
    """``p_i = Phi((z_i - tau) / T)`` with ``sum p = k``.

    Card:
        formula: p_i = Phi((z_i - tau) / T), tau such that sum p = k
        cost: O(n) per Newton step forward with a slow error function, O(n) backward
        exactly k: yes, to rounding
        exact zeros: no
        use when: you compare with noise on the scores; else take sigmoid, which is faster
        source: the probit member of the threshold family; no paper proposes it

    """

    middle = 0.0

    def cdf(self, u: Array) -> Array:
        """``Phi(u)``."""
        return normal_cdf(u)

    def slope(self, u: Array) -> Array:
        """``phi(u)``."""
        return normal_density(u)

    def cut(self, scaled: Array, k: float) -> Array:
        """Safeguarded Newton; ``Phi(-m) <= exp(-m^2 / 2) / 2`` brackets without an inverse."""
        n = scaled.shape[1]
        rarer = min(math.log(k), math.log(n - k)) - math.log(n)  # log of the smaller share
        reach = math.sqrt(-2 * rarer)
        return cut_by_newton(lambda u: (self.cdf(u), self.slope(u)), scaled.astype(np.float64), k,
                             -reach, reach)
