"""Random gates of a fixed rate: neurons that are drawn before they run.

    b ~ Bernoulli(rate) per sample and gate
    y = light + (b / rate) (activation(x W + b) - light),   E[y] = activation(x W + b)

Inverted scaling, as in dropout (Srivastava et al. 2014, section 10), with which it agrees where the
light path is zero. Unlike dropout it is a gated layer: who is open is decided before the layer
runs and is on record, so that it can be skipped, counted and drawn like a learned choice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Rng
from minimidl.gates import Decision, Pull
from minimidl.gates.choosers.fixed_rate import FixedRateChooser
from minimidl.layers.gated_linear import GatedLinear


class RandomGate(GatedLinear):
    """A gated layer without a gate network: each gate is open with chance ``rate``.

    Args:
        n_in: input width.
        n_units: number of neurons.
        rate: chance that a gate is open, in (0, 1].
        evaluation: ``"mean"``: all open, the mean network; deterministic, and the work of a dense
            layer. ``"sample"``: drawn as in training, which needs an ``rng`` (Monte Carlo).
        activation: of the full path.
        block: neurons per gate; must divide ``n_units``.
        light: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``.
        light_rank: width of the low-rank light path.
        init: starting weights of the full path.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator, for the weights.

    Params: ``weight``, ``bias``, ``light.*``. State: ``rate``, which a schedule may move, and a
    ``temperature`` of no effect.

    Raises:
        InputError: rate outside (0, 1], block no divisor, unknown names; to draw without ``rng``.

    """

    def __init__(
        self, n_in: int, n_units: int, *, rate: float = 0.45, evaluation: str = "mean",
        activation: str = "relu", block: int = 1, light: str = "zero", light_rank: int = 8,
        init: str = "he", dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        self.choice = FixedRateChooser(rate, evaluation)
        net = {"kind": "static", "rank": 0, "spread": 0.0, "start": 0.0}  # all scores are 0
        super().__init__(
            n_in, n_units, chooser=self.choice, net=net, activation=activation, block=block,
            noise=0.0, light=light, light_rank=light_rank, init=init, dtype=dtype, seed=seed)
        del self.params["gate.bias"]  # nothing to learn

    @property
    def rate(self) -> float:
        """The chance of being open now."""
        return float(self.state["rate"])

    def decide_backward(
        self, grad_gate: Array, pull: Pull | None, decision: Decision
    ) -> tuple[Array, Grads]:
        """Neither the input nor a parameter had a part in the draw."""
        grad_x, _ = super().decide_backward(grad_gate, pull, decision)
        return grad_x, {}
