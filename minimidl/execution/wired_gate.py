"""Gates on a sparse layer: closed neurons are skipped, or dead connections, or both.

    path      does
    neuron    open neurons only: whole rows of a kept copy of ``W * M``, in the forms of a segment,
              so that dead connections count as zeros. A few samples on a large layer with hardly
              any connection (:data:`SPARSE`), and gates that no kernel chooses by, go sample by
              sample and by compressed rows: both are skipped
    block     live connections of all neurons, many samples at a time; what is closed is gated to 0
              afterwards
    dense     the layer itself

Which of them is fastest depends on both densities; ``"auto"`` measures.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.execution.choice import MANY, Call
from minimidl.execution.decided import Decided
from minimidl.execution.fitness import why_no_choice
from minimidl.execution.segment import FEW, Segment, check_finite
from minimidl.execution.wired import step
from minimidl.execution.wires import Wires
from minimidl.gates import Decision
from minimidl.layers import Linear
from minimidl.layers.masked_gates import MaskedGated

SPARSE, LARGE = 0.05, 1 << 22
"""At most this density, and at least so many weights: then a few samples run by compressed rows.

A gathered number costs about six times as much as one of a row, and the decision is then made by
NumPy; in return weights are left out that fit into no cache.
"""


class WiredGate(Decided):
    """Runs a masked MIDL or DynamicGate and the linear layer after it."""

    gated: MaskedGated

    def __init__(self, gated: MaskedGated, linear: Linear, threads: int = 1) -> None:
        super().__init__(gated, linear, threads)
        self.wires = Wires(gated, self.kernels, threads)
        self.copies = [self.wires]
        chosen_by_kernels = self.kernels is not None and not why_no_choice(gated)
        self.segment = Segment(gated, linear, threads) if chosen_by_kernels else None

    def look(self, closely: bool = False) -> None:
        """Look for changes in what was copied."""
        self.wires.look(closely)
        if self.segment is not None:
            self.segment.weight_t = self.wires.kept.T

    def name(self) -> str:
        """The live connections decide how much there is to do."""
        return f"wired live {step(self.wires.density):.2f}"

    def about(self) -> str:
        """What runs."""
        self.look()
        also = "" if self.by_rows(1) else " and dead connections"
        return (f"{self.wires.density:.1%} of the connections are live; neuron skips closed "
                f"neurons{also}, block dead connections only")

    def by_rows(self, batch: int) -> Segment | None:
        """What runs whole rows; None where compressed ones are better, or have to do."""
        few_live = self.wires.density <= SPARSE and self.weight_t.size >= LARGE
        return None if few_live and batch < FEW else self.segment

    def calls(self, x: Array, decision: Decision) -> dict[str, Call]:
        """What to time; "neuron" makes the decision itself, so here it is part of all."""
        few = x[:MANY]
        paths = ("dense", "neuron", "block") if self.kernels is not None else ("dense", "block")
        return {path: partial(self.output, few, path) for path in paths}

    def output(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path that is not ``"auto"``."""
        segment = self.by_rows(len(x))
        if path == "neuron" and segment is not None:
            return segment.predict(x, self.shape_for(segment, len(x)))
        return self.run(x, self.gated.decide(x), path)

    def answer(self, x: Array, path: str) -> tuple[Array, Decision]:
        """As :meth:`output`, bit for bit, and the decision that was run."""
        segment = self.by_rows(len(x))
        if path == "neuron" and segment is not None:
            return segment.run(x, self.shape_for(segment, len(x)))
        decision = self.gated.decide(x)
        return self.run(x, decision, path), decision

    def shape_for(self, segment: Segment, batch: int) -> str:
        """Sample by sample, or gate by gate where samples are many."""
        return "neuron" if batch < FEW or not segment.wide else "block"

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path, or by ``"auto"``; NaN and infinity are refused."""
        check_finite(x)
        self.look()
        return self.output(x, self.choose(x, path))

    def choose(self, x: Array, path: str) -> str:
        """What ``"auto"`` means; batches of one size share what the first of them took."""
        case = (len(x), round(100 * step(self.wires.density)))
        if path == "auto" and case not in self.known and len(x):
            self.known[case] = self.pick(x, self.gated.decide(x), path)
        return self.known.get(case, "block") if path == "auto" else path

    def forward(self, x: Array, path: str) -> tuple[Array, list[Memory]]:
        """As :meth:`predict`, bit for bit, and what both layers remember."""
        self.look(closely=True)
        path = self.choose(x, path)
        if path == "dense":
            return self.remember(x, self.gated.decide(x), path)
        out, decision = self.answer(x, path)
        own: Memory = {"x": x, "decision": decision, "probability": decision.probability}
        return out, [own, {}]

    def run_neuron(self, x: Array, decision: Decision) -> Array:
        """Sample by sample, by compressed rows."""
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
