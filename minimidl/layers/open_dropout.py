"""Dropout on open neurons only, for gated layers with a light path.

    gate = keep / (1 - rate) * (what the gate would have been),  keep ~ Bernoulli(1 - rate)
    y = light + gate * (full - light)

A dropped neuron answers with the light path, as a closed one does, and the expectation is that of
the gate without dropout. Behind a *zero* light path a plain :class:`minimidl.layers.Dropout` does
the same: what is closed is 0 and stays 0. Behind any other light path it does not: it would drop
the light answers of closed neurons, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Rng
from minimidl.errors import require
from minimidl.gates import Decision, GateGradient, Pull
from minimidl.layers.base import need_rng
from minimidl.layers.dynamic_gate import DynamicGate
from minimidl.layers.gated import Gated
from minimidl.layers.midl import MIDL


class OpenDropout(Gated):
    """A mixin in front of a gated layer: in training each open gate is shut with chance ``rate``.

    Budgets see the probabilities and the chooser's mask as they were; ``active`` is what ran.
    Controllers of MACs count that, so in evaluation, without dropout, more runs than they aim at.
    With blocks, a whole block is dropped or kept.
    """

    def __init__(
        self, n_in: int, n_units: int, *, open_dropout: float = 0.2, **options: Any
    ) -> None:
        require(0 <= open_dropout < 1, "open_dropout", open_dropout, "a rate in [0, 1)")
        super().__init__(n_in, n_units, **options)
        self.open_dropout = open_dropout

    def decide(self, x: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """As without dropout; then, in training, the draw."""
        decision = super().decide(x, training, rng)
        if not training or self.open_dropout == 0:
            return decision
        drawn = need_rng(rng, "dropout on open neurons").random(decision.gate.shape, np.float32)
        keep = drawn >= self.open_dropout
        factor = keep * decision.gate.dtype.type(1.0 / (1.0 - self.open_dropout))
        return replace(decision, gate=decision.gate * factor, active=decision.active & keep,
                       memory=decision.memory | {"drop": factor})

    def decide_backward(
        self, grad_gate: Array, pull: Pull | None, decision: Decision
    ) -> tuple[Array, Grads]:
        """What was dropped hears nothing through the gate's value, the rest by the same factor."""
        factor = decision.memory.get("drop")
        if factor is None:
            return super().decide_backward(grad_gate, pull, decision)
        wanted = GateGradient.of(pull)
        wanted.check(decision)
        if wanted.gate is not None:
            wanted = replace(wanted, gate=wanted.gate * factor)
        return super().decide_backward(grad_gate * factor, wanted, decision)


class OpenDropoutMIDL(OpenDropout, MIDL):
    """MID-L with dropout on its open neurons.

    Args:
        n_in: input width.
        n_units: number of neurons.
        open_dropout: chance that an open gate is shut in training, in [0, 1).
        **options: of :class:`minimidl.layers.MIDL`.

    Raises:
        InputError: rate outside [0, 1), and as MIDL.

    """


class OpenDropoutDynamicGate(OpenDropout, DynamicGate):
    """DynamicGate with dropout on its open neurons.

    Args:
        n_in: input width.
        n_units: number of neurons.
        open_dropout: chance that an open gate is shut in training, in [0, 1).
        **options: of :class:`minimidl.layers.DynamicGate`.

    Raises:
        InputError: rate outside [0, 1), and as DynamicGate.

    """
