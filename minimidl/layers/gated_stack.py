"""Several gated layers, one gate network: it reads the network's input and scores them all.

    z = gate_net(x)                      one score per gate of every layer
    gate = chooser(z)                    one shared cut, or one budget per layer
    h_l = gate_l * activation(h_{l-1} W_l + b_l),  h_0 = x

With one shared cut the layers trade neurons: an easy sample may spend its budget on the first
layer, a hard one on the second. That needs all scores before any layer runs, which is why the
gates read the network's input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates import Decision, Pull, logit
from minimidl.gates.choosers.by_name import shared_chooser
from minimidl.layers.activations import activation as activation_pair
from minimidl.layers.gated import Gated, count_gates
from minimidl.layers.initial import start_weight
from minimidl.seeds import make_rng


class GatedStack(Gated):
    """Gated layers under one gate network and, if wanted, one budget.

    Args:
        n_in: input width.
        widths: neurons of each layer.
        budget: ``"model"`` (one shared cut) or ``"layer"`` (each layer its own share).
        choose: ``"topk"`` (as MID-L) or ``"threshold"`` (as DynamicGate).
        keep: of Top-k: a fraction in (0, 1], or a whole number of gates (of the whole model, or of
            each layer).
        topk: Top-k operator.
        surrogate: of the hard Top-k.
        threshold: of ``"threshold"``.
        estimator: of ``"threshold"``.
        min_keep: of ``"threshold"``: gates that stay open in every sample.
        activation: of every layer.
        block: neurons per gate; must divide every width.
        gate: gate network.
        gate_rank: width of the middle of a low-rank or mlp gate.
        gate_spread: starting standard deviation of the scores over the temperature.
        gate_value: ``"probability"`` or ``"binary"``; None: as MID-L (``"probability"``) behind a
            Top-k, as DynamicGate (``"binary"``) behind a threshold.
        gate_noise: exploration noise on the scores, in training only.
        open_probability: starting probability at the origin.
        temperature: of the chooser.
        init: starting weights.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    Params: ``0.weight``, ``0.bias``, ``1.weight``, ..., ``gate.*``.

    """

    def __init__(
        self, n_in: int, widths: Sequence[int], *, budget: str = "model", choose: str = "topk",
        keep: float = 0.45, topk: str = "hard", surrogate: str = "sigmoid",
        threshold: float = 0.5, estimator: str = "identity-probability", min_keep: int = 0,
        activation: str = "relu",
        block: int = 1, gate: str = "low-rank", gate_rank: int = 8, gate_spread: float = 1.0,
        gate_value: str | None = None, gate_noise: float = 0.0, open_probability: float = 0.5,
        temperature: float = 1.0, init: str = "he", dtype: npt.DTypeLike = np.float32,
        seed: int | Rng = 0,
    ) -> None:
        require(len(widths) > 0, "widths", "none", "at least one layer")
        rng = make_rng(seed)
        sizes = [count_gates(width, block) for width in widths]
        value = gate_value or ("binary" if choose == "threshold" else "probability")
        chooser = shared_chooser(
            choose, budget, sizes, keep=keep, topk=topk, surrogate=surrogate, threshold=threshold,
            estimator=estimator, min_keep=min_keep, value=value, temperature=temperature)
        net = {"kind": gate, "rank": gate_rank, "spread": gate_spread * temperature,
               "start": temperature * logit(open_probability, "open_probability")}
        super().__init__(n_in, sum(widths), chooser=chooser, net=net, block=block,
                         noise=gate_noise, dtype=dtype, seed=rng)
        self.widths, self.n_out = tuple(widths), widths[-1]
        self.cuts, self.function = np.cumsum(widths)[:-1], activation_pair(activation)
        for layer, (wide, width) in enumerate(zip((n_in, *widths), widths, strict=False)):
            weight = np.asfortranarray(start_weight(init, rng, wide, width, dtype))
            self.params |= {f"{layer}.weight": weight, f"{layer}.bias": np.zeros(width, dtype)}

    def split(self, per_unit: Array) -> list[Array]:
        """``(batch, sum of widths)`` to one array per layer."""
        return np.split(per_unit, self.cuts, axis=1)

    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """Run layer after layer, each under its part of the gate."""
        layers: list[Memory] = []
        for layer, gate in enumerate(self.split(self.to_units(decision.gate))):
            u = x @ self.params[f"{layer}.weight"] + self.params[f"{layer}.bias"]
            full = self.function.value(u)
            layers.append({"x": x, "u": u, "full": full, "gate": gate})
            x = gate * full  # (batch, widths[layer])
        return x, {"x": layers[0]["x"], "layers": layers, "decision": decision,
                   "probability": decision.probability}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """Back through the layers, collecting what each wants of its gates; then the gates."""
        require_like(grad_output, memory["layers"][-1]["full"], "grad_output")
        grads: Grads = {}
        wanted: list[Array] = []
        for layer, own in reversed(list(enumerate(memory["layers"]))):
            wanted.insert(0, grad_output * own["full"])
            grad_u = grad_output * own["gate"] * self.function.slope(own["u"], own["full"])
            grads[f"{layer}.weight"] = (grad_u.T @ own["x"]).T
            grads[f"{layer}.bias"] = grad_u.sum(axis=0)
            grad_output = grad_u @ self.params[f"{layer}.weight"].T
        per_gate = self.to_gates(np.concatenate(wanted, axis=1))
        grad_x, gate_grads = self.decide_backward(per_gate, grad_gate, memory["decision"])
        return grad_x + grad_output, grads | gate_grads
