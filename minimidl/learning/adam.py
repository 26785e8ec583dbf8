"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.learning.groups import Group
from minimidl.learning.optimizer import Optimizer
from minimidl.learning.subnormal import drop_subnormal, is_sweep


class Adam(Optimizer):
    """Steps of one size for every parameter, whatever the scale of its gradient.

    ``m <- b1 m + (1-b1) g``, ``v <- b2 v + (1-b2) g^2``, and with the corrections of step t
    ``m_hat = m/(1-b1^t)``, ``v_hat = v/(1-b2^t)``: ``p <- p - rate m_hat / (sqrt(v_hat) + eps)``
    (Kingma and Ba 2015, algorithm 1).

    The scale freedom matters for gates: a lone budget gradient moves a gate score by one rate per
    step whatever its strength, unless it is below ``eps``, when nothing moves.

    Args:
        params: changed in place.
        learning_rate: default rate of a step.
        betas: ``(b1, b2)``, each in [0, 1).
        eps: positive.
        groups: see :class:`~minimidl.learning.groups.Group`.
        weight_decay: decoupled, see :class:`~minimidl.learning.optimizer.Optimizer`.
        sparse: see there.

    """

    slot_names = ("first", "second")

    def __init__(
        self, params: Mapping[str, Array], learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        groups: Sequence[Group] = (), weight_decay: float = 0.0,
        sparse: bool = False,
    ) -> None:
        for beta in betas:
            require(0 <= beta < 1, "betas", betas, "two numbers in [0, 1)")
        require(eps > 0, "eps", eps, "a positive number")
        self.betas, self.eps = (float(betas[0]), float(betas[1])), float(eps)
        super().__init__(params, learning_rate, groups, weight_decay, sparse)

    def update(
        self, values: Array, grad: Array, slots: tuple[Array, ...], scratch: Array, rate: float
    ) -> None:
        """A pass per operation: the corrections are folded into ``rate`` and ``eps``.

        Multiplying fraction and denominator by ``sqrt(1-b2^t)`` leaves one array operation less
        (the remark at the end of the paper's section 2), and is exact with ``eps`` scaled too.
        """
        (b1, b2), (first, second) = self.betas, slots
        scaled_rate, scaled_eps = self._corrected(rate)
        np.multiply(grad, 1.0 - b1, out=scratch)
        first *= b1
        first += scratch
        np.multiply(grad, grad, out=scratch)
        scratch *= 1.0 - b2
        second *= b2
        second += scratch
        if is_sweep(int(self.slots["step"])):
            for moment in slots:
                drop_subnormal(moment, scratch)
        np.sqrt(second, out=scratch)
        scratch += scaled_eps
        np.divide(first, scratch, out=scratch)
        scratch *= scaled_rate
        values -= scratch

    def _corrected(self, rate: float) -> tuple[float, float]:
        """``rate`` and ``eps`` with the corrections of this step."""
        step = int(self.slots["step"])
        second_scale = math.sqrt(1.0 - self.betas[1]**step)
        return rate * second_scale / (1.0 - self.betas[0]**step), self.eps * second_scale

    def kernel(self, rate: float, least: float) -> tuple[str, tuple[float, ...]]:
        """The same in one pass."""
        (b1, b2), (scaled_rate, scaled_eps) = self.betas, self._corrected(rate)
        return "adam", (scaled_rate, b1, 1.0 - b1, b2, 1.0 - b2, scaled_eps, least)


class AdamW(Adam):
    """Adam with weight decay beside the gradient, not inside it (Loshchilov and Hutter 2019).

    Gate scores, biases and norms do not decay unless a group says so.
    """

    def __init__(
        self, params: Mapping[str, Array], learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        groups: Sequence[Group] = (), weight_decay: float = 0.01,
        sparse: bool = False,
    ) -> None:
        super().__init__(params, learning_rate, betas, eps, groups, weight_decay, sparse)
