"""Hard concrete: a relaxed gate that is exactly 0, or exactly 1, with positive probability.

A binary Concrete sample is stretched from (0, 1) to (low, high) and clipped (Louizos, Welling and
Kingma 2018, section 2.3):

    s = sigmoid((z + ln u - ln(1 - u)) / T),   gate = clip(low + (high - low) s, 0, 1)
    P(gate > 0) = sigmoid(z - T ln(-low / high))
    P(gate = 1) = sigmoid(z - T ln((1 - low) / (high - 1)))

The first probability is smooth in ``z``: its sum is a penalty on the expected number of open gates,
an L0 norm that can be trained. The gate used at test time draws nothing,
``clip(low + (high - low) sigmoid(z), 0, 1)``; it is not the mean of the samples.
"""

from __future__ import annotations

import math

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.logistic import logistic
from minimidl.gates.rows import check_rows, is_number
from minimidl.gates.sampling.noise import logistic_noise, need_rng
from minimidl.gates.threshold.base import check_topk


class HardConcrete:
    """Random gates in [0, 1] with exact zeros and exact ones.

    Args:
        temperature: of the Concrete sample, above 0.
        low: lower end of the stretched sample, below 0.
        high: upper end, above 1.

    Card:
        formula: clip(low + (high - low) s, 0, 1), s binary Concrete
        cost: O(n) forward, O(n) backward
        exactly k: no, every gate on its own; the expected number is penalised
        exact zeros: yes, and exact ones
        use when: static or dynamic gates should close for good under an L0 penalty
        source: Louizos, Welling and Kingma 2018, arXiv 1712.01312, equations 10 to 13
    """

    stochastic = True

    def __init__(
        self, temperature: float = 2 / 3, low: float = -0.1, high: float = 1.1
    ) -> None:
        require(is_number(temperature) and temperature > 0, "temperature", repr(temperature),
                "a positive number")
        require(is_number(low) and low < 0, "low", repr(low), "a number below 0")
        require(is_number(high) and high > 1, "high", repr(high), "a number above 1")
        self.temperature, self.low, self.high = temperature, low, high

    def forward(self, scores: Array, rng: Rng | None = None) -> tuple[Array, Memory]:
        """Sampled gates ``(rows, n)``, for training; the noise stays in the memory.

        Raises InputError when rng is missing or the scores are not finite rows.
        """
        check_topk(scores, 0, self.temperature)
        noise = logistic_noise(need_rng(rng, "hard concrete"), scores.shape)
        width = scores.dtype.type(self.temperature)
        return self.stretched((scores + noise.astype(scores.dtype)) / width, 1 / width)

    def test_gate(self, scores: Array) -> tuple[Array, Memory]:
        """Gates without noise ``(rows, n)``, for evaluation; :meth:`backward` serves it too."""
        check_topk(scores, 0, self.temperature)
        return self.stretched(scores, scores.dtype.type(1))

    def stretched(self, u: Array, rate: float) -> tuple[Array, Memory]:
        """Stretch ``sigmoid(u)`` and clip it; ``rate`` is ``du/dz``."""
        low, length = u.dtype.type(self.low), u.dtype.type(self.high - self.low)
        stretched = low + length * logistic(u)
        inside = (stretched > 0) & (stretched < 1)
        slope = np.where(inside, length * logistic(u) * logistic(-u) * rate, u.dtype.type(0))
        return np.clip(stretched, 0, 1), {"slope": slope, "inside": inside}

    def backward(self, grad_gate: Array, memory: Memory) -> Array:
        """``dL/dz = g (high - low) s (1 - s) / T`` where not clipped, else 0."""
        require_like(grad_gate, memory["slope"], "grad_gate")
        return grad_gate * memory["slope"]

    def open_probability(self, scores: Array) -> Array:
        """``P(gate > 0)``, any shape."""
        return logistic(scores - scores.dtype.type(self.open_shift))

    def one_probability(self, scores: Array) -> Array:
        """``P(gate = 1)``, any shape."""
        shift = self.temperature * math.log((1 - self.low) / (self.high - 1))
        return logistic(scores - scores.dtype.type(shift))

    @property
    def open_shift(self) -> float:
        """``T ln(-low / high)``: how far a logit may fall before its gate is mostly closed."""
        return self.temperature * math.log(-self.low / self.high)


def expected_l0(scores: Array, gate: HardConcrete | None = None) -> tuple[float, Memory]:
    """Expected number of open gates per row, averaged over the rows.

    Args:
        scores: logits, ``(rows, n)``; static gates have one row.
        gate: its temperature and stretch; the usual ones unless given.

    Returns:
        The penalty in [0, n], and the memory for :func:`expected_l0_backward`.

    Raises:
        InputError: scores not finite rows of floats, or no rows.

    """
    gate = gate or HardConcrete()
    check_rows(scores, gate.temperature)
    require(len(scores) > 0, "scores", "no rows", "at least one", "there is nothing to average")
    p = gate.open_probability(scores)
    closed = logistic(scores.dtype.type(gate.open_shift) - scores)
    return float(p.sum(dtype=np.float64)) / len(scores), {"slope": p * closed}


def expected_l0_backward(memory: Memory) -> Array:
    """``q (1 - q) / rows`` with ``q = P(gate > 0)``, ``(rows, n)``."""
    slope: Array = memory["slope"]
    return slope / slope.dtype.type(len(slope))
