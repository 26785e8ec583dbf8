"""Dropout (Srivastava et al. 2014): random masks, the control case for every learned gate."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.decision import Pull
from minimidl.layers.base import Layer, need_rng


class Dropout(Layer):
    """Zero each entry with probability ``rate`` in training; do nothing in evaluation.

    Inverted scaling: kept entries are divided by ``1 - rate``, so the expectation is unchanged and
    evaluation needs no correction.
    """

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        require(0.0 <= rate < 1.0, "rate", rate, "a number in [0, 1)")
        self.rate = rate
        self.idle_memory = {"factor": None}

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """``y = x * keep / (1 - rate)`` with ``keep ~ Bernoulli(1 - rate)`` per entry."""
        self.check_input(x)
        if not training or self.rate == 0.0:
            return x.copy(), {"factor": None}
        keep = need_rng(rng, "Dropout").random(x.shape, dtype=np.float32) >= self.rate
        factor = keep * x.dtype.type(1.0 / (1.0 - self.rate))
        return x * factor, {"factor": factor}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """``dx = dy * keep / (1 - rate)``: the same factor as forward."""
        factor = memory["factor"]
        return (grad_output.copy() if factor is None else grad_output * factor), {}
