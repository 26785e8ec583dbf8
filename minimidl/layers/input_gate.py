"""Gates on input features: what is closed need not be read, measured or multiplied.

    y = x * gate,  one gate per feature (or per block of features), decided from x itself

The layer after it saves the columns of closed features. The gate network still reads everything.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require_like
from minimidl.gates import Decision, Pull, logit
from minimidl.gates.choosers.by_name import make_chooser
from minimidl.layers.gated import Gated, count_gates


class InputGate(Gated):
    """Per-feature gate, by Top-k or by threshold.

    Args:
        n_in: number of features, in and out.
        choose: ``"topk"`` (as MID-L) or ``"threshold"`` (as DynamicGate).
        keep: of Top-k: a fraction in (0, 1] or a whole number of gates.
        topk: Top-k operator.
        surrogate: of the hard Top-k.
        threshold: of ``"threshold"``.
        estimator: of ``"threshold"``.
        min_keep: of ``"threshold"``: gates that stay open in every sample.
        block: features per gate; must divide ``n_in``.
        gate: gate network; ``"static"`` selects the same features for every sample.
        gate_rank: width of the middle of a low-rank or mlp gate.
        gate_spread: starting standard deviation of the scores over the temperature.
        gate_value: ``"binary"`` or ``"probability"``.
        gate_noise: exploration noise on the scores, in training only.
        open_probability: starting probability at the origin.
        temperature: of the chooser.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    Raises:
        InputError: as :class:`minimidl.layers.MIDL` and :class:`minimidl.layers.DynamicGate`.

    """

    def __init__(
        self, n_in: int, *, choose: str = "topk", keep: float = 0.45, topk: str = "hard",
        surrogate: str = "sigmoid", threshold: float = 0.5,
        estimator: str = "identity-probability", min_keep: int = 0, block: int = 1,
        gate: str = "low-rank",
        gate_rank: int = 8, gate_spread: float = 1.0, gate_value: str = "binary",
        gate_noise: float = 0.0, open_probability: float = 0.5, temperature: float = 1.0,
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        chooser = make_chooser(
            choose, count_gates(n_in, block), keep=keep, topk=topk, surrogate=surrogate,
            threshold=threshold, estimator=estimator, min_keep=min_keep, value=gate_value,
            temperature=temperature)
        net = {"kind": gate, "rank": gate_rank, "spread": gate_spread * temperature,
               "start": temperature * logit(open_probability, "open_probability")}
        super().__init__(n_in, n_in, chooser=chooser, net=net, block=block, noise=gate_noise,
                         dtype=dtype, seed=seed)
        self.n_out = n_in

    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """``y = x * gate``, ``(batch, n_in)``."""
        gate = self.to_units(decision.gate)
        return x * gate, {"x": x, "gate": gate, "decision": decision,
                          "probability": decision.probability}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """Two paths back to ``x``: through the product, and through the gate."""
        require_like(grad_output, memory["gate"], "grad_output")
        per_gate = self.to_gates(grad_output * memory["x"])
        grad_x, grads = self.decide_backward(per_gate, grad_gate, memory["decision"])
        return grad_x + grad_output * memory["gate"], grads
