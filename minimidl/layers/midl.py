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

from minimidl.arrays import Rng
from minimidl.gates import DSelectChooser, TopKChooser, count_open, logit
from minimidl.layers.gated import count_gates
from minimidl.layers.gated_linear import GatedLinear


class MIDL(GatedLinear):
    """Per-neuron, input-dependent Top-k gate between a light and a full path.

    Args:
        n_in: input width.
        n_units: number of neurons.
        keep: how many gates are open: a fraction in (0, 1] or a whole number.
        activation: of the full path: ``relu gelu gelu-tanh tanh sigmoid linear``.
        topk: ``"hard"`` (the same mask in training and evaluation, surrogate gradient), any other
            Top-k operator (itself in training, hard in evaluation), a simplex operator, or
            ``"dselect-k"``; see :data:`minimidl.gates.TOPK`.
        surrogate: whose slope stands in for the derivative of the hard mask.
        block: neurons per gate; must divide ``n_units``.
        gate: ``"static"``, ``"linear"``, ``"low-rank"`` or ``"mlp"`` on the layer's input.
        gate_rank: width of the middle of a low-rank or mlp gate.
        gate_spread: starting standard deviation of the scores.
        gate_value: ``"probability"`` (``mask * sigmoid(z)``) or ``"binary"`` (``mask``).
        gate_noise: standard deviation of exploration noise on the scores, in training only.
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
        topk: str = "hard", surrogate: str = "sigmoid", block: int = 1, gate: str = "low-rank",
        gate_rank: int = 8, gate_spread: float = 1.0, gate_value: str = "probability",
        gate_noise: float = 0.0, open_probability: float = 0.5, light: str = "zero",
        light_rank: int = 8, temperature: float = 1.0, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        n_gates = count_gates(n_units, block)
        k = count_open(keep, n_gates)
        self.topk = topk
        self.choice = (
            DSelectChooser(k, n_gates, temperature) if topk == "dselect-k"
            else TopKChooser(k, topk, surrogate, gate_value, temperature))
        net = {"kind": gate, "rank": gate_rank, "spread": gate_spread,
               "start": logit(open_probability, "open_probability")}
        super().__init__(
            n_in, n_units, chooser=self.choice, net=net, activation=activation, block=block,
            noise=gate_noise, light=light, light_rank=light_rank, init=init, dtype=dtype,
            seed=seed)

    @property
    def k(self) -> int:
        """How many gates are open."""
        return self.choice.k

    @k.setter
    def k(self, count: int) -> None:
        self.choice.k = count_open(count, self.n_gates)
