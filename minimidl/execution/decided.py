"""Gated layers whose decision the layer itself makes, by NumPy; then only what is open is run.

For gates that no kernel chooses by. Two kinds, and what their paths do with a decision:

    path      experts (:class:`Grouped`)         dead connections (:class:`WiredGate`)
    neuron    sample by sample, its experts      sample by sample, open neurons, live connections
    block     expert by expert, the samples      live connections of all neurons, many samples
              that chose it                      at a time; closed ones are gated to 0 afterwards
    dense     all, masked                        all, masked
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.execution.choice import MANY, Call, size_of
from minimidl.execution.light import LightPart
from minimidl.execution.runs import Measured
from minimidl.execution.segment import SOME, check_finite
from minimidl.execution.wired import step
from minimidl.execution.wires import Wires
from minimidl.gates import Decision
from minimidl.kernels import gather
from minimidl.kernels.choose import wire_kernels
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import Experts, GatedLinear, Linear
from minimidl.layers.masked_gates import MaskedGated

Opened = tuple[Array, Array, Array]
"""Offsets ``(batch + 1,)``, open gates sample by sample, and what multiplies each."""


class Decided(Measured):
    """Runs ``linear(gated(x))`` on what ``gated.decide(x)`` left open.

    Args:
        gated: the gated layer.
        linear: the layer directly after it.
        threads: of large batches, where a kernel shares them.

    """

    def __init__(self, gated: GatedLinear, linear: Linear, threads: int = 1) -> None:
        super().__init__()
        self.gated, self.linear, self.threads = gated, linear, threads
        self.kernels = wire_kernels()
        self.weight_t, self.bias = gated.params["weight"].T, gated.params["bias"]
        self.code = ACTIVATION_CODES[gated.activation]
        self.next_weight = linear.params["weight"]
        self.next_bias = linear.params["bias"][None, :]
        self.light = None if gated.light is None else LightPart(gated.light, linear)
        self.no_light = np.empty((0, 0), self.bias.dtype)
        self.wide = self.kernels is not None and (
            gated.n_in * self.bias.itemsize >= self.kernels.VECTOR_BYTES)

    @abstractmethod
    def run_block(self, x: Array, decision: Decision) -> Array:
        """Output ``(batch, n_out)`` by the path ``"block"``."""

    @abstractmethod
    def run_neuron(self, x: Array, decision: Decision) -> Array:
        """The same by the path ``"neuron"``; compiled kernels are there."""

    def name(self) -> str:
        """What else batches must have in common to share a measurement."""
        return type(self.gated).__name__

    def look(self, closely: bool = False) -> None:
        """Look for changes in what was copied; here nothing is."""

    def run(self, x: Array, decision: Decision, path: str) -> Array:
        """Output ``(batch, n_out)`` of a decision by a path."""
        if path == "dense":
            return self.linear.forward(self.gated.apply(x, decision)[0])[0]
        if path == "block" or self.kernels is None:
            return self.run_block(x, decision)
        return self.run_neuron(x, decision)

    def opened(self, decision: Decision) -> Opened:
        """A decision as lists."""
        offsets = np.zeros(len(decision.active) + 1, np.int64)
        np.cumsum(decision.active.sum(axis=1), out=offsets[1:])
        return offsets, np.nonzero(decision.active)[1], decision.gate[decision.active]

    def light_and_base(self, x: Array) -> tuple[Array, Array]:
        """Light path ``(batch, n_units)``, and what the next layer makes of it alone."""
        return (self.no_light, self.next_bias) if self.light is None else self.light.run(x)

    def calls(self, x: Array, decision: Decision) -> dict[str, Call]:
        """What to time; making the decision is part of none."""
        own = Decision(decision.scores[:MANY], decision.probability[:MANY], decision.mask[:MANY],
                       decision.gate[:MANY], decision.active[:MANY], decision.memory)
        few = self.kernels is not None and len(x) <= SOME
        paths = ("dense", *(["neuron"] if few else []), "block")
        return {path: partial(self.run, x[:MANY], own, path) for path in paths}

    def kind(self, batch: int, density: float) -> str:
        """What batches must have in common to share a measurement."""
        gated = self.gated
        light = "" if gated.light is None else f" light {type(gated.light).__name__}"
        return (f"{self.name()} {gated.n_in}-{gated.n_out}-{self.linear.n_out} {self.bias.dtype} "
                f"block {gated.block}{light} {gated.activation} threads {self.threads} "
                f"batch {size_of(batch)} density {step(density):.2f}")

    def pick(self, x: Array, decision: Decision, path: str) -> str:
        """What ``"auto"`` means for this batch."""
        if path != "auto":
            return path
        if len(x) == 0:
            return "block"
        density = float(decision.active.mean())
        case = (len(x), round(100 * step(density)))
        if case in self.known:
            return self.known[case]
        return self.fastest(case, self.kind(len(x), density), self.calls(x, decision))

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path, or by ``"auto"``; NaN and infinity are refused."""
        check_finite(x)
        self.look()
        decision = self.gated.decide(x)
        return self.run(x, decision, self.pick(x, decision, path))

    def forward(self, x: Array, path: str) -> tuple[Array, list[Memory]]:
        """As :meth:`predict`, bit for bit, and what both layers remember."""
        self.look(closely=True)
        decision = self.gated.decide(x)
        path = self.pick(x, decision, path)
        if path == "dense":
            hidden, own = self.gated.apply(x, decision)
            out, memory = self.linear.forward(hidden)
            return out, [own, memory]
        own = {"x": x, "decision": decision, "probability": decision.probability}
        return self.run(x, decision, path), [own, {}]

    def complete(self, memories: Sequence[Memory]) -> list[Memory]:
        """The memories with the values of skipped neurons; those given are not changed."""
        if "u" in memories[0]:
            return list(memories)
        hidden, own = self.gated.apply(memories[0]["x"], memories[0]["decision"])
        return [own, {"x": hidden}]

    def explain(self, batch: int) -> str:
        """What ``"auto"`` picks at this batch of normal noise, and why: the times measured here."""
        self.look()
        shape = (batch, self.gated.n_in)
        x = np.random.default_rng(0).normal(size=shape).astype(self.bias.dtype)
        decision = self.gated.decide(x)
        density = float(decision.active.mean())
        return self.told(self.kind(batch, density), self.calls(x, decision), batch,
                         f"density {density:.2f}")


class Grouped(Decided):
    """Experts, grouped: who chose which, then expert by expert."""

    gated: Experts

    def name(self) -> str:
        """The router decides how many run."""
        return f"experts {self.gated.router}"

    def about(self) -> str:
        """What runs."""
        return (f"{self.gated.n_experts} experts, decided by the layer; neuron runs each sample's "
                "own, block the samples of each expert")

    def run_neuron(self, x: Array, decision: Decision) -> Array:
        """Sample by sample."""
        light, base = self.light_and_base(x)
        out = np.empty((len(x), self.linear.n_out), x.dtype)
        assert self.kernels is not None
        self.kernels.given_segment(
            x, *self.opened(decision), self.gated.block, self.weight_t, self.bias, light,
            self.code, self.next_weight, base, out)
        return out

    def run_block(self, x: Array, decision: Decision) -> Array:
        """Expert by expert, in a kernel where register tiles fit, else by BLAS."""
        light, base = self.light_and_base(x)
        out = np.repeat(base, len(x) // len(base), axis=0) if len(x) else base[:0].copy()
        kernels, block = self.kernels, self.gated.block
        if kernels is None or block % kernels.BLOCK_ROWS or not self.wide:
            gather.blocks(
                x, decision.active, decision.gate, block, self.weight_t, self.bias,
                light if len(light) else None, self.gated.function.value, self.next_weight, out)
            return out
        for expert, samples in enumerate(gather.samples_by_gate(decision.active)):
            units = slice(expert * block, (expert + 1) * block)
            own = np.ascontiguousarray(light[:, units]) if len(light) else light
            kernels.given_block(
                x, samples, decision.gate[samples, expert], self.weight_t[units], self.bias[units],
                own, self.code, self.next_weight[units], out)
        return out


class WiredGate(Decided):
    """A masked MIDL or DynamicGate: open neurons, and of those the live connections."""

    gated: MaskedGated

    def __init__(self, gated: MaskedGated, linear: Linear, threads: int = 1) -> None:
        super().__init__(gated, linear, threads)
        self.wires = Wires(gated, self.kernels, threads)
        self.copies = [self.wires]

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
