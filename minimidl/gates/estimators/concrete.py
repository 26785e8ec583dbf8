"""Straight-through Concrete: a rounded sample forward, the slope of the sample backward.

    s = sigmoid((z - cut + ln u - ln(1 - u)) / T),  b = 1[s > 1/2],  dL/dz = dL/db s (1 - s) / T

Rounding makes the mask an exact Bernoulli(sigmoid(z - cut)) draw whatever the temperature; the
temperature only shapes the slope.
"""

from __future__ import annotations

from minimidl.arrays import Array, Memory, Rng
from minimidl.gates.estimators.base import Estimator, check_gate
from minimidl.gates.estimators.threshold import logistic_slope
from minimidl.gates.sampling.noise import logistic_noise, need_rng


class ConcreteStraightThrough(Estimator):
    """A Bernoulli gate with the slope of its binary Concrete relaxation.

    Card:
        formula: b = round(s), dL/dz = g s (1 - s) / T, s binary Concrete
        cost: O(n) forward, O(n) backward
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: gates should explore in training and what runs must be hard
        source: Jang, Gu and Poole 2017, arXiv 1611.01144, section 2.2
    """

    stochastic = True

    def forward(
        self, scores: Array, cut: float = 0.0, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Drawn mask; without ``rng`` the most probable one, ``1[z > cut]``."""
        check_gate(scores, cut, temperature)
        noisy = scores - scores.dtype.type(cut)
        if rng is not None:
            noisy = noisy + logistic_noise(
                need_rng(rng, "Concrete straight-through"), scores.shape).astype(scores.dtype)
        is_open = noisy > 0
        return is_open.astype(scores.dtype), {
            "slope": logistic_slope(noisy, temperature), "open": is_open,
        }
