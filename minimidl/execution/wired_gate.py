"""Gates on a sparse layer: open neurons, and of those the live connections."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.decided import Decided
from minimidl.execution.wired import step
from minimidl.execution.wires import Wires
from minimidl.gates import Decision
from minimidl.layers import Linear
from minimidl.layers.masked_gates import MaskedGated


class WiredGate(Decided):
    """Runs a masked MIDL or DynamicGate and the linear layer after it."""

    gated: MaskedGated

    def __init__(self, gated: MaskedGated, linear: Linear, threads: int = 1) -> None:
        super().__init__(gated, linear, threads)
        self.wires = Wires(gated, self.kernels, threads)
        self.copies = [self.wires]

    def decide(self, x: Array) -> Decision:
        """Who is open and what multiplies; all that :meth:`run` reads."""
        return self.gated.decide(x)

    def look(self, closely: bool = False) -> None:
        """Look for changes in what was copied."""
        self.wires.look(closely)

    def name(self) -> str:
        """The live connections decide how much there is to do."""
        return f"wired live {step(self.wires.density):.2f}"

    def about(self) -> str:
        """What runs."""
        self.look()
        return (f"{self.wires.density:.1%} of the connections are live; neuron skips closed "
                "neurons and dead connections, block dead connections only")

    def run_neuron(self, x: Array, decision: Decision) -> Array:
        """Sample by sample."""
        light, base = self.light_and_base(x)
        out = np.empty((len(x), self.linear.n_out), x.dtype)
        assert self.kernels is not None
        self.kernels.given_wires(
            x, *self.opened(decision), self.gated.block, *self.wires.lists(self.kernels, 1),
            self.bias, light, self.code, self.next_weight, base, out)
        return out

    def run_block(self, x: Array, decision: Decision) -> Array:
        """All neurons; what the gate closed is multiplied by 0, or gives way to the light path."""
        full = self.wires.run(x, self.gated.activation)
        gate = self.gated.to_units(decision.gate)
        if self.gated.light is None:
            full *= gate
            return self.linear.forward(full)[0]
        light = self.gated.light.forward(x)[0]
        full -= light
        full *= gate
        full += light
        return self.linear.forward(full)[0]
