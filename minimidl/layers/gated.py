"""What every gated layer has: a gate network that scores, and a chooser that decides.

A gated layer is two steps that can be called apart: ``decide`` (who is open) and ``apply`` (run
them). Here is ``decide``; what the gates multiply is in the subclasses.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_finite
from minimidl.gates import Chooser, Decision, GateGradient, Pull, gate_net
from minimidl.layers.base import Layer, need_rng


class Gated(Layer):
    """Base of the gated layers.

    Args:
        n_in: width of the input, which the gate network reads.
        n_units: how many things are gated (neurons, or input features).
        chooser: who is open, from the scores.
        net: arguments of the gate network: ``kind``, ``rank``, ``spread``, ``start``.
        block: neighbouring units per gate; must divide ``n_units``.
        noise: standard deviation of exploration noise on the scores, in training only.
        dtype: of the parameters.
        seed: whole number or generator for the starting weights.

    Attributes:
        n_gates: ``n_units / block``.

    Params: ``gate.*``. State: the chooser's.

    """

    def __init__(
        self, n_in: int, n_units: int, *, chooser: Chooser, net: dict[str, Any], block: int,
        noise: float, dtype: npt.DTypeLike, seed: int | Rng,
    ) -> None:
        super().__init__()
        require(0 <= noise < np.inf, "gate_noise", noise, "a number of at least 0")
        self.n_in, self.n_units, self.block = n_in, n_units, block
        self.n_gates = count_gates(n_units, block)
        self.chooser, self.noise, self.state = chooser, noise, chooser.state
        self.gate = gate_net(n_in=n_in, n_gates=chooser.n_scores(self.n_gates), seed=seed,
                             dtype=dtype, **net)
        self.params = {f"gate.{name}": value for name, value in self.gate.params.items()}

    @property
    def temperature(self) -> float:
        """The temperature now; schedules change ``state["temperature"]`` in place."""
        return self.chooser.temperature

    @property
    def gate_value(self) -> str:
        """What multiplies: ``"probability"`` (mask times probability) or ``"binary"``."""
        return self.chooser.value

    def decide(self, x: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Score ``x`` ``(batch, n_in)`` and choose; NaN and infinity are refused here."""
        scores, memory = self.scores(x)
        if training and self.noise:
            drawn = need_rng(rng, "score noise").standard_normal(scores.shape, dtype=np.float32)
            scores = scores + scores.dtype.type(self.noise) * drawn.astype(scores.dtype)
        decision = self.chooser.decide(scores, training, rng)
        decision.memory["net"] = memory
        return decision

    def scores(self, x: Array) -> tuple[Array, Memory]:
        """Scores of the gate network ``(batch, n_scores)``, finite, and its memory."""
        with np.errstate(invalid="ignore", over="ignore"):  # told in words instead of a warning
            scores, memory = self.gate.forward(x)
        if not np.isfinite(scores).all():
            require_finite(x, "x")  # the usual culprit; else the parameters have diverged
            require_finite(scores, "gate scores")
        return scores, memory

    def decide_backward(
        self, grad_gate: Array, pull: Pull | None, decision: Decision
    ) -> tuple[Array, Grads]:
        """Pull gradients of the gate value, and what budgets want, back to ``x`` and ``gate.*``."""
        wanted = GateGradient.of(pull)
        wanted.check(decision)
        grad_scores = self.chooser.pull_back(grad_gate, wanted, decision)
        grad_x, grads = self.gate.backward(grad_scores, decision.memory["net"])
        return grad_x, {f"gate.{name}": value for name, value in grads.items()}

    def to_units(self, per_gate: Array) -> Array:
        """``(batch, n_gates) -> (batch, n_units)``: every unit of a block hears its gate."""
        return per_gate if self.block == 1 else np.repeat(per_gate, self.block, axis=1)

    def to_gates(self, per_unit: Array) -> Array:
        """``(batch, n_units) -> (batch, n_gates)``: a sum per block, the transpose of the above."""
        if self.block == 1:
            return per_unit
        return per_unit.reshape(len(per_unit), self.n_gates, self.block).sum(axis=2)

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """:meth:`decide`, then :meth:`apply`."""
        self.check_input(x)
        return self.apply(x, self.decide(x, training, rng))

    @abstractmethod
    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """Run what the decision left open."""


def count_gates(n_units: int, block: int) -> int:
    """``n_units / block``; InputError unless that is whole."""
    require(block >= 1 and n_units % block == 0, "block", block, f"a divisor of n_units={n_units}")
    return n_units // block
