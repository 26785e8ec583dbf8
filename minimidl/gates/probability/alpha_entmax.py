"""Alpha-entmax: one dial from softmax (1) to sparsemax (2), and the derivative in the dial.

    p_i = max((alpha - 1) z_i / T - tau, 0)^(1 / (alpha - 1)),    sum p = 1

The derivative in ``alpha`` follows from the logarithm of this line and from ``sum dp = 0``. With
``s = p^(2 - alpha)``, ``w = s / sum s`` and ``h = p ln p``,

    dp/dalpha = (p - w) / (alpha - 1)^2 - (h - w sum h) / (alpha - 1)

At ``alpha = 1`` both terms are singular and their difference is not:

    dp/dalpha = -p / 2 * ((ln p)^2 - sum p (ln p)^2)

Sources: Peters, Niculae and Martins 2019 (1905.05702); Correia, Niculae and Martins
2019 (1909.00015), Proposition 1; both derivatives are derived here anew.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.probability.base import Probability
from minimidl.gates.probability.softmax import Softmax
from minimidl.gates.rows import is_number

NEAR_ONE = 1e-3
"""Below ``alpha = 1 + NEAR_ONE`` the operator is softmax, and ``dL/dalpha`` the limit at 1."""

MAX_STEPS = 60


class AlphaEntmax(Probability):
    """``p_i = max((alpha - 1) z_i / T - tau, 0)^(1 / (alpha - 1))`` for ``alpha`` in [1, 2].

    Where ``alpha < 1.001`` softmax answers instead: the formula divides by ``alpha - 1``. The
    answers on the two sides of the switch differ by about ``0.0005 p (ln p)^2``.

    Args:
        alpha: in [1, 2]; 1 is softmax, 1.5 entmax-1.5, 2 sparsemax. Above 2 the slope at the edge
            of the support would be infinite.

    Card:
        formula: p_i = max((a - 1) z_i / T - tau, 0)^(1 / (a - 1)), sum p = 1
        cost: O(n) per Newton step forward (about 10 steps), O(n) backward
        exactly k: no, it shares out one unit among as many as the scores decide
        exact zeros: yes, if alpha > 1
        use when: how sparse the answer is shall be learned, too.
        source: Peters et al. 2019, arXiv 1905.05702; Correia et al. 2019, arXiv 1909.00015
    """

    def __init__(self, alpha: float = 1.25) -> None:
        check_alpha(alpha)
        self.alpha = float(alpha)

    def forward(
        self, scores: Array, temperature: float = 1.0, rng: Rng | None = None,
        alpha: float | None = None,
    ) -> tuple[Array, Memory]:
        """As :meth:`Probability.forward`, with an ``alpha`` for this call (a learned one).

        Raises:
            InputError: as there, and for ``alpha`` outside [1, 2].

        """
        own = self if alpha is None else AlphaEntmax(alpha)
        p, memory = super(AlphaEntmax, own).forward(scores, temperature, rng)
        return p, memory | {"alpha": own.alpha}

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """``scores``, ``temperature`` and ``alpha`` (0-d, summed over the rows)."""
        grads = super().backward(grad_p, memory)
        change = alpha_derivative(memory["p"], memory["alpha"])
        grad_alpha = (grad_p * change).sum().astype(grad_p.dtype)
        return {**grads, "alpha": np.asarray(grad_alpha)}

    def solve(self, u: Array) -> Array:
        """Newton's method on the sum of the row; softmax next to ``alpha = 1``."""
        if self.alpha < 1 + NEAR_ONE:
            return Softmax().solve(u)
        # tau lies in [-1, 0): below -1 all are closed alike.
        return newton(np.maximum((self.alpha - 1) * u.astype(np.float64), -1),
                      1 / (self.alpha - 1)).astype(u.dtype)

    def slope(self, p: Array) -> Array:
        """``s = p^(2 - alpha)`` on the support, 0 elsewhere (also at ``alpha = 2``)."""
        alpha = 1.0 if self.alpha < 1 + NEAR_ONE else self.alpha
        return np.where(p > 0, p ** p.dtype.type(2 - alpha), p.dtype.type(0))


def check_alpha(alpha: float) -> None:
    """Raise InputError for ``alpha`` outside [1, 2] or NaN."""
    require(is_number(alpha) and 1 <= alpha <= 2, "alpha", repr(alpha), "a number in [1, 2]",
            "1 is softmax, 2 is sparsemax")


def newton(x: Array, power: float) -> Array:
    """``max(x - tau, 0)^power`` with row sums 1, for rows with maximum 0; all in float64.

    The sum is a convex, falling function of ``tau``, at least 1 at the start ``tau = -1``, so
    Newton's method climbs to the root without ever passing it and needs no bracket. A step leaves
    at most a quarter of (excess times slope): 60 steps suffice for any row, 10 are usual.
    """
    tau = np.full((len(x), 1), -1.0)
    for _ in range(MAX_STEPS):
        rest = np.maximum(x - tau, 0)
        steep = np.where(rest > 0, rest ** (power - 1), 0.0)
        excess = (steep * rest).sum(axis=1, keepdims=True) - 1
        # At the root rounding may answer a step back, which would open closed entries a hair.
        step = np.maximum(excess / (power * steep.sum(axis=1, keepdims=True)), 0)
        tau += step
        if np.all(step <= np.finfo(np.float64).eps):
            break
    rest = np.maximum(x - tau, 0)
    p = rest**power
    return p / p.sum(axis=1, keepdims=True)


def alpha_derivative(p: Array, alpha: float) -> Array:
    """``dp/dalpha`` ``(rows, n)`` in float64; see the head of this file."""
    # Next to alpha = 1 rounding errors of p are divided by alpha - 1 twice, unless p sums to 1.
    p = p.astype(np.float64)
    p = p / p.sum(axis=1, keepdims=True)
    log_p = np.log(np.where(p > 0, p, 1.0))  # 0 outside the support, where its factor is 0
    if alpha < 1 + NEAR_ONE:
        square = log_p * log_p
        return -0.5 * p * (square - (p * square).sum(axis=1, keepdims=True))
    slope = np.where(p > 0, p ** (2 - alpha), 0.0)
    w, h = slope / slope.sum(axis=1, keepdims=True), p * log_p
    rest = h - w * h.sum(axis=1, keepdims=True)
    return (p - w) / (alpha - 1) ** 2 - rest / (alpha - 1)
