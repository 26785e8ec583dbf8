"""What MID-L and DynamicGate share: a full path, a light path, and a gate between them.

    full  = activation(x W + b)
    light = F1(x)                                (nothing at all for the zero path)
    out   = light + gate * (full - light)

Dense with a mask: the mathematics, not the speed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require_like
from minimidl.gates import Chooser, Decision, Pull
from minimidl.layers.activations import activation as activation_pair
from minimidl.layers.gated import Gated
from minimidl.layers.initial import aligned_copy, start_weight
from minimidl.layers.light import light_path
from minimidl.seeds import make_rng


class GatedLinear(Gated):
    """Base of :class:`minimidl.layers.MIDL` and :class:`minimidl.layers.DynamicGate`.

    Params: ``weight (n_in, n_units)``, kept in Fortran order so that what one neuron needs lies
    together; ``bias (n_units,)``; ``gate.*`` and ``light.*`` of the two small networks.
    """

    def __init__(
        self, n_in: int, n_units: int, *, chooser: Chooser, net: dict[str, Any], activation: str,
        block: int, noise: float, light: str, light_rank: int, init: str, dtype: npt.DTypeLike,
        seed: int | Rng,
    ) -> None:
        rng = make_rng(seed)
        weight = start_weight(init, rng, n_in, n_units, dtype)
        super().__init__(n_in, n_units, chooser=chooser, net=net, block=block, noise=noise,
                         dtype=dtype, seed=rng)
        self.n_out, self.activation = n_units, activation
        self.function = activation_pair(activation)
        self.light = light_path(light, n_in, n_units, rank=light_rank, seed=rng, dtype=dtype)
        full = {"weight": aligned_copy(weight.T).T, "bias": np.zeros(n_units, dtype)}
        self.params = full | self.params
        if self.light is not None:
            self.params |= {f"light.{name}": value for name, value in self.light.params.items()}

    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """``out = light + gate * (full - light)``, ``(batch, n_units)``."""
        u = x @ self.full_weight()
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

    def full_weight(self) -> Array:
        """The weight that the full path multiplies by; a masked layer answers less than it has."""
        return self.params["weight"]

    def full_gradient(self, grad_u: Array, memory: Memory) -> Array:
        """``dL/dW`` from ``dL/du``."""
        return self.weight_gradient(memory["x"], grad_u)

    def weight_gradient(self, x: Array, grad_u: Array) -> Array:
        """``x^T du``, by way of its transpose: neuron by neuron in memory, as the weight lies."""
        product: Array = (grad_u.T @ x).T
        return product

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """Three paths back to ``x``: the full one, the light one, and the one through the gate."""
        grad_u, others, grads = self._pull_back(grad_output, memory, grad_gate)
        grad_x = grad_u @ self.full_weight().T
        for other in others:
            grad_x += other
        return grad_x, grads

    def backward_params(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> Grads:
        """As :meth:`backward` without the product that pulls the full path back to ``x``."""
        return self._pull_back(grad_output, memory, grad_gate)[2]

    def _pull_back(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None
    ) -> tuple[Array, list[Array], Grads]:
        """``dL/du``, what reaches ``x`` by gate and light path, and all gradients."""
        gate = memory["gate"]
        require_like(grad_output, gate, "grad_output")
        grad_u = grad_output * gate * self.function.slope(memory["u"], memory["full"])
        grads = {"weight": self.full_gradient(grad_u, memory), "bias": grad_u.sum(axis=0)}
        per_gate = self.to_gates(grad_output * memory["difference"])
        gate_grad_x, gate_grads = self.decide_backward(per_gate, grad_gate, memory["decision"])
        grads |= gate_grads
        if self.light is None:
            return grad_u, [gate_grad_x], grads
        light_grad_x, light_grads = self.light.backward(grad_output * (1 - gate), memory["light"])
        grads |= {f"light.{name}": value for name, value in light_grads.items()}
        return grad_u, [gate_grad_x, light_grad_x], grads
