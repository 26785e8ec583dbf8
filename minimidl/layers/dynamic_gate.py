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

from minimidl.arrays import Array, Grads, Rng
from minimidl.errors import require
from minimidl.gates import Decision, logistic, logit, threshold_mask, threshold_mask_backward
from minimidl.layers.gated import Gated


class DynamicGate(Gated):
    """Thresholded gate with a straight-through gradient.

    Args:
        n_in: input width.
        n_units: number of neurons.
        threshold: ``theta`` in (0, 1); a gate is open when ``p > theta``.
        activation: of the full path.
        block: neurons per gate; must divide ``n_units``.
        gate: ``"low-rank"`` or ``"linear"`` gate network on the layer's input.
        gate_rank: width of the low-rank gate.
        gate_spread: starting standard deviation of ``z / T``.
        gate_value: ``"binary"`` (``b``) or ``"probability"`` (``b * p``).
        open_probability: starting ``p`` at the origin, at any temperature (bias ``T * logit(p)``).
        light: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``.
        light_rank: width of the low-rank light path.
        temperature: ``T > 0``.
        init: starting weights of the full path.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    """

    def __init__(
        self, n_in: int, n_units: int, *, threshold: float = 0.5, activation: str = "relu",
        block: int = 1, gate: str = "low-rank", gate_rank: int = 8, gate_spread: float = 1.0,
        gate_value: str = "binary", open_probability: float = 0.5, light: str = "zero",
        light_rank: int = 8, temperature: float = 1.0, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        require(0 < threshold < 1, "threshold", threshold, "a number strictly between 0 and 1")
        super().__init__(
            n_in, n_units, activation=activation, block=block, gate=gate, gate_rank=gate_rank,
            gate_spread=gate_spread * temperature,
            start_score=temperature * logit(open_probability, "open_probability"),
            gate_value=gate_value, light=light, light_rank=light_rank, temperature=temperature,
            init=init, dtype=dtype, seed=seed)
        self.state["threshold"] = np.array(threshold, np.float64)

    @property
    def cut(self) -> float:
        """``T * logit(theta)``: the one number on the scores that decides the mask."""
        return self.temperature * logit(float(self.state["threshold"]))

    def decide(self, x: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Score, squash, compare: the same hard mask in training and in evaluation."""
        z, net_memory = self.scores(x)
        p = logistic(z / z.dtype.type(self.temperature))
        b, _ = threshold_mask(z, self.cut)
        gate = b if self.gate_value == "binary" else b * p
        return Decision(z, p, b, gate, b > 0, {"net": net_memory, "temperature": self.temperature})

    def decide_backward(
        self, grad_gate_value: Array, grad_probability: Array | None, decision: Decision
    ) -> tuple[Array, Grads]:
        """Straight through the threshold, then through ``p = sigmoid(z / T)``."""
        p, memory = decision.probability, decision.memory
        if self.gate_value == "binary":
            grad_p = threshold_mask_backward(grad_gate_value, {})
        else:
            grad_p = threshold_mask_backward(grad_gate_value * p, {})
            grad_p = grad_p + grad_gate_value * decision.mask
        if grad_probability is not None:
            grad_p = grad_p + grad_probability
        temperature = p.dtype.type(memory["temperature"])
        grad_z = grad_p * p * logistic(-decision.scores / temperature) / temperature
        return self.gate.backward(grad_z, memory["net"])
