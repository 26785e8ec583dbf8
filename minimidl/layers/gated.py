"""What MID-L and DynamicGate share: a full path, a light path, and a gate between them.

    full  = activation(x W + b)
    light = F1(x)                                (nothing at all for the zero path)
    out   = light + gate * (full - light)

A gated layer is two steps that can be called apart: ``decide`` (who is open) and ``apply`` (run
them). Here is ``apply``, dense with a mask: the mathematics, not the speed. The subclasses bring
``decide``.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_finite
from minimidl.gates import Decision, gate_net
from minimidl.layers.activations import activation as activation_pair
from minimidl.layers.base import Layer
from minimidl.layers.initial import start_weight
from minimidl.layers.light import light_path

GATE_VALUES = ("probability", "binary")


class Gated(Layer):
    """Base of the gated layers; see :class:`minimidl.layers.MIDL` for the arguments.

    Attributes:
        n_gates: one gate per ``block`` neighbouring neurons.
        block: neurons per gate; 1 is per-neuron granularity.
        gate_value: what multiplies: ``mask * probability`` ("probability") or ``mask`` ("binary").

    Params: ``weight (n_in, n_units)``, kept in Fortran order so that what one neuron needs lies
    together; ``bias (n_units,)``; ``gate.*`` and ``light.*`` of the two small networks.

    """

    def __init__(
        self, n_in: int, n_units: int, *, activation: str, block: int, gate: str, gate_rank: int,
        gate_spread: float, start_score: float, gate_value: str, light: str, light_rank: int,
        temperature: float, init: str, dtype: npt.DTypeLike, seed: int | Rng,
    ) -> None:
        super().__init__()
        require(block >= 1 and n_units % block == 0, "block", block,
                f"a divisor of n_units={n_units}")
        require(0 < temperature < np.inf, "temperature", temperature, "a positive number")
        require(gate_value in GATE_VALUES, "gate_value", repr(gate_value),
                f"one of {', '.join(GATE_VALUES)}")
        rng = np.random.default_rng(seed)
        self.n_in, self.n_out, self.block = n_in, n_units, block
        self.n_gates = n_units // block
        self.activation, self.gate_value = activation, gate_value
        self.function = activation_pair(activation)
        weight = start_weight(init, rng, n_in, n_units, dtype)
        self.gate = gate_net(gate, n_in, self.n_gates, rank=gate_rank, spread=gate_spread,
                             start=start_score, seed=rng, dtype=dtype)
        self.light = light_path(light, n_in, n_units, rank=light_rank, seed=rng, dtype=dtype)
        self.params = {"weight": np.asfortranarray(weight), "bias": np.zeros(n_units, dtype)}
        self.params |= {f"gate.{name}": value for name, value in self.gate.params.items()}
        if self.light is not None:
            self.params |= {f"light.{name}": value for name, value in self.light.params.items()}
        self.state = {"temperature": np.array(temperature, np.float64)}

    @property
    def temperature(self) -> float:
        """The temperature now; schedules change ``state["temperature"]`` in place."""
        return float(self.state["temperature"])

    @abstractmethod
    def decide(self, x: Array, training: bool = False, rng: Rng | None = None) -> Decision:
        """Decide for every sample of ``x`` which gates are open."""

    @abstractmethod
    def decide_backward(
        self, grad_gate_value: Array, grad_probability: Array | None, decision: Decision
    ) -> tuple[Array, Grads]:
        """Pull gradients of the gate value and of the probability back to ``x`` and the gate."""

    def scores(self, x: Array) -> tuple[Array, Memory]:
        """Scores of the gate network, ``(batch, n_gates)``; NaN and infinity are refused here."""
        with np.errstate(invalid="ignore", over="ignore"):  # told in words instead of a warning
            scores, memory = self.gate.forward(x)
        if not np.isfinite(scores).all():
            require_finite(x, "x")  # the usual culprit; else the parameters have diverged
            require_finite(scores, "gate scores")
        return scores, memory

    def to_units(self, per_gate: Array) -> Array:
        """``(batch, n_gates) -> (batch, n_units)``: every neuron of a block hears its gate."""
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

    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """``out = light + gate * (full - light)``, ``(batch, n_units)``."""
        u = x @ self.params["weight"]
        u += self.params["bias"]
        full = self.function.value(u)
        gate = self.to_units(decision.gate)
        memory: Memory = {"x": x, "u": u, "full": full, "gate": gate, "decision": decision,
                          "probability": decision.probability}
        if self.light is None:
            return gate * full, memory | {"difference": full}
        light, light_memory = self.light.forward(x)
        difference = full - light
        return light + gate * difference, memory | {
            "difference": difference, "light": light_memory,
        }

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Array | None = None
    ) -> tuple[Array, Grads]:
        """Three paths back to ``x``: the full one, the light one, and the one through the gate."""
        x, gate = memory["x"], memory["gate"]
        grad_u = grad_output * gate * self.function.slope(memory["u"], memory["full"])
        # Transposed product: the gradient lies in memory as its weight does, neuron by neuron.
        grads = {"weight": (grad_u.T @ x).T, "bias": grad_u.sum(axis=0)}
        grad_x = grad_u @ self.params["weight"].T
        per_gate = self.to_gates(grad_output * memory["difference"])
        gate_grad_x, gate_grads = self.decide_backward(per_gate, grad_gate, memory["decision"])
        grads |= {f"gate.{name}": value for name, value in gate_grads.items()}
        grad_x += gate_grad_x
        if self.light is not None:
            light_grad_x, light_grads = self.light.backward(
                grad_output * (1 - gate), memory["light"])
            grads |= {f"light.{name}": value for name, value in light_grads.items()}
            grad_x += light_grad_x
        return grad_x, grads
