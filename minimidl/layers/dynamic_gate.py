"""DynamicGate (arXiv 2603.16367): a neuron runs when its gate probability passes a threshold.

    symbol   name here                       shape
    x        x                               (batch, n_in)
    h        full = activation(x W + b)      (batch, n_units)
    z        scores = gate_net(x)            (batch, n_gates)
    T        temperature                     one number
    p        probability = sigmoid(z / T)    (batch, n_gates)
    theta    threshold                       one number
    b        mask = 1[p > theta]             (batch, n_gates)
    y        gate * h, gate = b or b * p     (batch, n_units)

How many neurons run differs from input to input; a usage penalty (``minimidl.losses.budgets``)
keeps the average down. The gradient of ``b`` is straight through: ``dL/dp := dL/db``.

Temperature and threshold alone are confounded: the mask is ``z > T * logit(theta)``. For
theta > 1/2 *lowering* T opens gates. Schedules should therefore move :attr:`DynamicGate.cut`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.gates import ThresholdChooser, logit
from minimidl.layers.gated import count_gates
from minimidl.layers.gated_linear import GatedLinear


class DynamicGate(GatedLinear):
    """Thresholded gate with a straight-through gradient.

    Args:
        n_in: input width.
        n_units: number of neurons.
        threshold: ``theta`` in (0, 1); a gate is open when ``p > theta``.
        activation: of the full path.
        estimator: stand-in for the derivative of the threshold; see
            :data:`minimidl.gates.ESTIMATORS`.
        min_keep: gates that stay open in every sample, whatever the threshold says.
        block: neurons per gate; must divide ``n_units``.
        gate: ``"static"``, ``"linear"``, ``"low-rank"`` or ``"mlp"`` on the layer's input.
        gate_rank: width of the middle of a low-rank or mlp gate.
        gate_spread: starting standard deviation of ``z / T``.
        gate_value: ``"binary"`` (``b``) or ``"probability"`` (``b * p``).
        gate_noise: standard deviation of exploration noise on the scores, in training only.
        open_probability: starting ``p`` at the origin, at any temperature (bias ``T * logit(p)``).
        light: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``.
        light_rank: width of the low-rank light path.
        temperature: ``T > 0``.
        init: starting weights of the full path.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    Raises:
        InputError: threshold outside (0, 1), block no divisor, unknown names.

    """

    def __init__(
        self, n_in: int, n_units: int, *, threshold: float = 0.5, activation: str = "relu",
        estimator: str = "identity-probability", min_keep: int = 0, block: int = 1,
        gate: str = "low-rank", gate_rank: int = 8, gate_spread: float = 1.0,
        gate_value: str = "binary", gate_noise: float = 0.0, open_probability: float = 0.5,
        light: str = "zero", light_rank: int = 8, temperature: float = 1.0, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        n_gates = count_gates(n_units, block)
        require(min_keep <= n_gates, "min_keep", min_keep, f"at most the {n_gates} gates there are")
        self.choice = ThresholdChooser(threshold, estimator, min_keep, gate_value, temperature)
        net = {"kind": gate, "rank": gate_rank, "spread": gate_spread * temperature,
               "start": temperature * logit(open_probability, "open_probability")}
        super().__init__(
            n_in, n_units, chooser=self.choice, net=net, activation=activation, block=block,
            noise=gate_noise, light=light, light_rank=light_rank, init=init, dtype=dtype,
            seed=seed)

    @property
    def cut(self) -> float:
        """``T * logit(theta)``: the one number on the scores that decides the mask."""
        return self.choice.cut
