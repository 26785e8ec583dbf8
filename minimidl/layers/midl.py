"""MID-L (arXiv 2505.11416): per input, the k best neurons take the full path, the rest a light one.

    symbol   name here                      shape
    x        x                              (batch, n_in)
    F2       full = activation(x W + b)     (batch, n_units)
    F1       light                          (batch, n_units)
    z        scores = gate_net(x)           (batch, n_gates)
    a        probability = sigmoid(z)       (batch, n_gates)
    m        mask = TopK(z, k)              (batch, n_gates)
    a * m    gate                           (batch, n_gates)
    y        light + gate * (full - light)  (batch, n_units)

What is the paper's and what is ours: only the abstracts could be read. arXiv v1 says differentiable
Top-k masking, the workshop version says Top-k with a straight-through gradient; both are here
(``topk="sigmoid"`` and ``topk="hard"``). That masked neurons fall back to the light path, that the
mask is computed on the scores, and which surrogate stands in for the hard mask, is our reading.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Rng
from minimidl.errors import require
from minimidl.gates import Decision, logistic, logit
from minimidl.gates import topk as find_topk
from minimidl.layers.gated import Gated


def count_open(keep: float, n_gates: int) -> int:
    """Number of open gates: an int ``keep`` is a count, a float a fraction in (0, 1].

    Fractions round down, so that the active ratio never exceeds what was asked for, but never to 0.
    """
    if isinstance(keep, int | np.integer):
        require(1 <= keep <= n_gates, "keep", keep,
                f"a count from 1 to {n_gates} gates, or a fraction in (0, 1]")
        return int(keep)
    require(0 < keep <= 1, "keep", keep, "a fraction in (0, 1], or a whole number of gates")
    return max(1, int(keep * n_gates + 1e-9))


class MIDL(Gated):
    """Per-neuron, input-dependent Top-k gate between a light and a full path.

    Args:
        n_in: input width.
        n_units: number of neurons.
        keep: how many gates are open: a fraction in (0, 1] or a whole number.
        activation: of the full path: ``relu gelu gelu-tanh tanh sigmoid linear``.
        topk: ``"hard"`` (the same mask in training and evaluation, surrogate gradient) or a soft
            operator such as ``"sigmoid"`` (soft in training, hard in evaluation).
        block: neurons per gate; must divide ``n_units``.
        gate: ``"low-rank"`` or ``"linear"`` gate network on the layer's input.
        gate_rank: width of the low-rank gate.
        gate_spread: starting standard deviation of the scores.
        gate_value: ``"probability"`` (``mask * sigmoid(z)``) or ``"binary"`` (``mask``).
        open_probability: starting value of ``sigmoid(z)`` at the origin.
        light: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``.
        light_rank: width of the low-rank light path.
        temperature: of the Top-k operator or surrogate.
        init: starting weights of the full path.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    Raises:
        InputError: keep outside (0, 1] or no count of gates, block no divisor, unknown names.

    """

    def __init__(
        self, n_in: int, n_units: int, *, keep: float = 0.45, activation: str = "relu",
        topk: str = "hard", block: int = 1, gate: str = "low-rank", gate_rank: int = 8,
        gate_spread: float = 1.0, gate_value: str = "probability", open_probability: float = 0.5,
        light: str = "zero", light_rank: int = 8, temperature: float = 1.0, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        super().__init__(
            n_in, n_units, activation=activation, block=block, gate=gate, gate_rank=gate_rank,
            gate_spread=gate_spread, start_score=logit(open_probability, "open_probability"),
            gate_value=gate_value, light=light, light_rank=light_rank, temperature=temperature,
            init=init, dtype=dtype, seed=seed)
        self.k = count_open(keep, self.n_gates)
        find_topk(topk)  # an unknown name is refused now, not at the first forward
        self.topk = topk

    def decide(self, x: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Score, squash, choose k. A soft operator is soft in training and hard in evaluation.

        The reported ``active`` is what is executed: k gates when hard; with a soft operator in
        training every gate with a mask above 0.
        """
        z, net_memory = self.scores(x)
        a = logistic(z)
        operator = find_topk(self.topk if training else "hard")
        m, topk_memory = operator.forward(z, self.k, self.temperature, rng)
        gate = m if self.gate_value == "binary" else m * a
        memory = {"net": net_memory, "operator": operator, "topk": topk_memory}
        return Decision(z, a, m, gate, m > 0, memory)

    def decide_backward(
        self, grad_gate_value: Array, grad_probability: Array | None, decision: Decision
    ) -> tuple[Array, Grads]:
        """Product rule on ``gate = m * a``, then the operator's and the logistic's backward."""
        a, memory = decision.probability, decision.memory
        if self.gate_value == "binary":
            grad_m, grad_a = grad_gate_value, np.zeros_like(a)
        else:
            grad_m, grad_a = grad_gate_value * a, grad_gate_value * decision.mask
        if grad_probability is not None:
            grad_a = grad_a + grad_probability
        grad_z = memory["operator"].backward(grad_m, memory["topk"])["scores"]
        grad_z = grad_z + grad_a * a * logistic(-decision.scores)
        return self.gate.backward(grad_z, memory["net"])
