"""A chain: gated layers that follow each other, and the linear layer behind them if there is one.

A compact set (offsets, indices, values) passes from layer to layer; a layer reads only the columns
that the one before it opened. Closed neurons must be zero for that, so no layer of a chain has a
light path. At the end stands a linear layer; where none follows, the last set is written out.

    path      goes                          columns of closed neurons are
    neuron    sample by sample              skipped, for the gate scores and for the rows
    block     gate by gate, 64 samples      skipped by rows where whole registers open; else, and by
              at a time                     gate scores, masked: multiplied as zeros
    dense     the layers themselves         multiplied
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require, require_finite
from minimidl.execution.chain_crowd import Crowd
from minimidl.execution.chain_forms import ChainForm, Gathered, Singles
from minimidl.execution.choice import MANY, Call, calibration_file, shared_choice, size_of
from minimidl.execution.link import Link
from minimidl.execution.runs import Runs
from minimidl.execution.segment import FEW, UNKNOWN_DENSITY, check_finite
from minimidl.kernels.choose import chain_kernels
from minimidl.layers import MIDL, GatedLinear, Linear


class Chain(Runs):
    """Runs ``linear(gated_n(... gated_1(x)))`` on the open neurons only.

    Args:
        gated: one or more layers, each fit to stand behind the one before it
            (:func:`minimidl.execution.link.why_not_linked`).
        linear: the layer directly after them; None: the answer is the last gated layer's.
        threads: of the path ``"block"``; the answer is the same with any number.

    """

    def __init__(
        self, gated: Sequence[GatedLinear], linear: Linear | None, threads: int = 1
    ) -> None:
        self.gated, self.linear, self.threads = list(gated), linear, threads
        self.choice = shared_choice(calibration_file())
        self.known: dict[tuple[int, ...], str] = {}
        kernels = chain_kernels()
        self.links = [Link(layer, kernels) for layer in gated]
        self.forms: dict[str, ChainForm] = {}
        if kernels is None:
            self.forms = {path: Gathered(self.links, linear) for path in ("neuron", "block")}
        else:
            singles = Singles(self.links, linear, kernels)
            wide = all(link.wide for link in self.links)
            self.forms = {"neuron": singles, "block": Crowd(self.links, linear, kernels, threads)
                          if wide else singles}

    def paths(self) -> tuple[str, ...]:
        """The paths that are worth a measurement here."""
        neuron, block = self.forms["neuron"], self.forms["block"]
        if isinstance(neuron, Gathered):
            return ("dense",)
        return ("dense", "neuron") if neuron is block else ("dense", "neuron", "block")

    def pick(self, x: Array, path: str) -> str:
        """What ``"auto"`` means for this batch."""
        if path != "auto":
            return path
        if len(x) == 0:
            return "neuron"
        case = (len(x), *(link.selection()[0] for link in self.links))
        if case in self.known:
            return self.known[case]
        path = self.choice.pick(self.kind(x), self.calls(x[:MANY]))
        if case[1] or len(x) < FEW:  # nothing but the batch size decided: no scores were looked at
            self.known[case] = path
        return path

    def calls(self, x: Array) -> dict[str, Call]:
        """What to time: every path on this batch."""
        return {path: partial(self.predict, x, path) for path in self.paths()}

    def density(self, x: Array) -> float:
        """Fraction of open gates in the first layer."""
        first = self.gated[0]
        if isinstance(first, MIDL):
            return first.k / first.n_gates
        if len(x) < FEW:
            return UNKNOWN_DENSITY
        scores, (_, cut, _) = self.links[0].scores(x), self.links[0].selection()
        return float((scores > scores.dtype.type(cut)).mean())

    def kind(self, x: Array) -> str:
        """What batches must have in common to share a measurement.

        How many gates open by threshold behind the first layer is known only when it has run.
        """
        layers = " then ".join(
            f"{layer.n_in}-{layer.n_out} block {layer.block} open {link.selection()[0] or '?'} "
            f"gate {[w.shape for w in link.products]} {layer.activation} {layer.gate_value}"
            for layer, link in zip(self.gated, self.links, strict=True))
        end = self.linear.n_out if self.linear else "dense"
        return (f"{layers} then {end} {self.links[0].bias.dtype} threads {self.threads} "
                f"batch {size_of(len(x))} density {round(20 * self.density(x)) / 20:.2f}")

    def explain(self, batch: int) -> str:
        """What ``"auto"`` picks at this batch of normal noise, and why: the times measured here."""
        noise = np.random.default_rng(0).normal(size=(batch, self.gated[0].n_in))
        x = noise.astype(self.links[0].bias.dtype)
        kind = self.kind(x)
        path = self.choice.pick(kind, self.calls(x[:MANY]))
        times = ", ".join(f"{name} {1e6 * self.choice.found[kind][name]:.0f}"
                          for name in self.paths())
        return (f"{path} at batch {batch} (density {self.density(x):.2f} in the first; us for "
                f"{min(batch, MANY)} samples here: {times})")

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path, or by ``"auto"``; NaN and infinity are refused."""
        check_finite(x)
        path = self.pick(x, path)
        if path == "dense":
            return self.run_dense(x)[0]
        form = self.forms[path]
        size = MANY if form.in_parts else max(1, len(x))
        parts = [self.ran(form, x[start:start + size]) for start in range(0, len(x), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(
            [np.empty((0, form.n_out), x.dtype), *parts])

    def ran(self, form: ChainForm, x: Array) -> Array:
        """One batch by one form."""
        out = form.predict(x)
        if out is None:
            self.refuse(x)
        assert out is not None
        return out

    def refuse(self, x: Array) -> None:
        """Say what is not finite: the input, the usual culprit, or gate scores on the way."""
        require_finite(x, "x")
        require(False, "gate scores", "NaN or infinity", "finite numbers")

    def forward(self, x: Array, path: str) -> tuple[Array, list[Memory]]:
        """As :meth:`predict`, bit for bit, and what every layer remembers."""
        path = self.pick(x, path)
        if path == "dense":
            return self.run_dense(x)
        result = self.forms[path].forward(x)
        if result is None:
            self.refuse(x)
        assert result is not None
        out, decided = result
        memories: list[Memory] = [
            {"x": given, "decision": decision, "probability": decision.probability}
            for given, decision in decided]
        return out, memories + [{}] * (self.linear is not None)

    def run_dense(self, x: Array) -> tuple[Array, list[Memory]]:
        """The layers themselves."""
        memories: list[Memory] = []
        for layer in self.gated:
            x, memory = layer.apply(x, layer.decide(x))
            memories.append(memory)
        if self.linear is not None:
            x, memory = self.linear.forward(x)
            memories.append(memory)
        return x, memories

    def complete(self, memories: Sequence[Memory]) -> list[Memory]:
        """The memories with the values of skipped neurons; those given are not changed."""
        if "u" in memories[0]:
            return list(memories)
        full: list[Memory] = []
        hidden = memories[0]["x"]
        for layer, memory in zip(self.gated, memories, strict=False):
            hidden, own = layer.apply(memory["x"], memory["decision"])
            full.append(own if "u" not in memory else memory)
        return full + ([{"x": hidden}] if self.linear is not None else [])
