"""Stochastic gradient descent, with momentum and Nesterov's look-ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.learning.groups import Group
from minimidl.learning.optimizer import Optimizer
from minimidl.learning.subnormal import drop_subnormal, is_sweep


class SGD(Optimizer):
    """``u <- momentum u + g``, then ``p <- p - rate u``.

    With ``nesterov`` the step is ``g + momentum u``, the gradient's own look-ahead (Sutskever et
    al. 2013, section 2, in the form that evaluates no gradient at a moved point).

    Args:
        params: changed in place.
        learning_rate: default rate of a step.
        momentum: in [0, 1); 0 keeps no slot.
        nesterov: needs a positive momentum.
        groups: see :class:`~minimidl.learning.groups.Group`.
        weight_decay: decoupled, see :class:`~minimidl.learning.optimizer.Optimizer`.
        sparse: see there.

    """

    def __init__(
        self, params: Mapping[str, Array], learning_rate: float = 0.01, momentum: float = 0.0,
        nesterov: bool = False, groups: Sequence[Group] = (), weight_decay: float = 0.0,
        sparse: bool = False,
    ) -> None:
        require(0 <= momentum < 1, "momentum", momentum, "a number in [0, 1)")
        require(momentum > 0 or not nesterov, "momentum", momentum, "above 0 for nesterov")
        self.momentum, self.nesterov = float(momentum), nesterov
        self.slot_names = ("momentum",) if momentum else ()
        super().__init__(params, learning_rate, groups, weight_decay, sparse)

    def update(
        self, values: Array, grad: Array, slots: tuple[Array, ...], scratch: Array, rate: float
    ) -> None:
        """Two operations plain, some more with momentum; each is a pass over the arrays."""
        direction = grad
        for velocity in slots:  # one, or none without momentum
            velocity *= self.momentum
            velocity += grad
            if is_sweep(int(self.slots["step"])):
                drop_subnormal(velocity, scratch)
            direction = self._look_ahead(velocity, grad, scratch) if self.nesterov else velocity
        np.multiply(direction, rate, out=scratch)
        values -= scratch

    def _look_ahead(self, velocity: Array, grad: Array, scratch: Array) -> Array:
        """``g + momentum u``, in the scratch."""
        np.multiply(velocity, self.momentum, out=scratch)
        scratch += grad
        return scratch

    def kernel(self, rate: float, least: float) -> tuple[str, tuple[float, ...]]:
        """The same in one pass."""
        if not self.momentum:
            return "sgd", (rate,)
        return "nesterov" if self.nesterov else "momentum", (rate, self.momentum, least)
