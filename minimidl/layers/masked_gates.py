"""Gates on a sparse layer: functional sparsity (who runs now) on structural (who is wired at all).

Only the weight of the full path is masked; gate network and light path are small and stay whole.
"""

from __future__ import annotations

from typing import Any

from minimidl.arrays import Array, Memory
from minimidl.gates import Decision
from minimidl.layers.dynamic_gate import DynamicGate
from minimidl.layers.gated_linear import GatedLinear
from minimidl.layers.initial import Seed
from minimidl.layers.masked import Masked, Upstream
from minimidl.layers.midl import MIDL
from minimidl.seeds import make_rng


class MaskedGated(Masked, GatedLinear):
    """What both masked gates share: ``full = activation(x (W * M) + b)``."""

    def __init__(
        self, n_in: int, n_units: int, *, density: float = 1.0, scale_init: bool = False,
        seed: Seed = 0, **options: Any,
    ) -> None:
        rng = make_rng(seed)
        super().__init__(n_in, n_units, seed=rng, **options)
        self.start_mask(density, rng, scale_init)

    def full_weight(self) -> Array:
        """``W * M``, a new array."""
        return self.live_weight()

    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """As unmasked; the memory has room for the note that backward leaves."""
        output, memory = super().apply(x, decision)
        return output, memory | {"upstream": Upstream()}

    def full_gradient(self, grad_u: Array, memory: Memory) -> Array:
        """``M * (x^T du)``."""
        memory["upstream"].grad_u = grad_u
        return self.live_gradient(self.weight_gradient(memory["x"], grad_u))

    def weight_gradient(self, x: Array, grad_u: Array) -> Array:
        """``x^T du``, neuron by neuron in memory, as the weight."""
        return GatedLinear.weight_gradient(self, x, grad_u)


class MaskedMIDL(MaskedGated, MIDL):
    """MID-L whose full path has missing connections.

    Args:
        n_in: input width.
        n_units: number of neurons.
        density: as of :class:`minimidl.layers.MaskedLinear`.
        scale_init: the same.
        seed: whole number or generator; the same one gives the weights of the unmasked layer.
        **options: of :class:`minimidl.layers.MIDL`.

    Params: as of MIDL. State: its own, and ``mask``.

    Raises:
        InputError: density outside (0, 1], and as MIDL.

    """


class MaskedDynamicGate(MaskedGated, DynamicGate):
    """DynamicGate whose full path has missing connections: gate and, say, RigL together.

    Args:
        n_in: input width.
        n_units: number of neurons.
        density: as of :class:`minimidl.layers.MaskedLinear`.
        scale_init: the same.
        seed: whole number or generator; the same one gives the weights of the unmasked layer.
        **options: of :class:`minimidl.layers.DynamicGate`.

    Params: as of DynamicGate. State: its own, and ``mask``.

    Raises:
        InputError: density outside (0, 1], and as DynamicGate.

    """
