"""Gated layers that decide first, by NumPy or in a kernel; then only what is open is run.

For layers that are no plain segment. Two kinds, and what paths do with a decision:

    path      experts (``grouped.py``)                     dead connections
    neuron    sample by sample, its experts                see ``wired_gate.py``
    block     expert by expert, the samples that chose it
    dense     all, masked
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.execution.choice import MANY, Call, size_of
from minimidl.execution.light import LightPart
from minimidl.execution.runs import Measured
from minimidl.execution.segment import FEW, check_finite
from minimidl.execution.wired import step
from minimidl.gates import Decision
from minimidl.kernels.choose import wire_kernels
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import GatedLinear, Linear

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

    def decide(self, x: Array) -> Decision:
        """Who is open and what multiplies; all that :meth:`run` reads."""
        return self.gated.decide(x)

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
        few = self.kernels is not None and len(x) <= FEW
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
        density = np.count_nonzero(decision.active) / decision.active.size
        case = (len(x), round(100 * step(density)))
        if case in self.known:
            return self.known[case]
        return self.fastest(case, self.kind(len(x), density), self.calls(x, decision))

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path, or by ``"auto"``; NaN and infinity are refused."""
        check_finite(x)
        self.look()
        decision = self.decide(x)
        return self.run(x, decision, self.pick(x, decision, path))

    def forward(self, x: Array, path: str) -> tuple[Array, list[Memory]]:
        """As :meth:`predict`, bit for bit, and what both layers remember."""
        self.look(closely=True)
        quick = self.decide(x)
        decision = replace(self.gated.decide(x), gate=quick.gate, active=quick.active)
        return self.remember(x, decision, self.pick(x, decision, path))

    def remember(self, x: Array, decision: Decision, path: str) -> tuple[Array, list[Memory]]:
        """Output of a decision by a path, and what both layers remember."""
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
        decision = self.decide(x)
        density = float(decision.active.mean())
        return self.told(self.kind(batch, density), self.calls(x, decision), batch,
                         f"density {density:.2f}")
