"""Layers whose connections are missing for every sample alike, run on compressed rows.

    path      does
    neuron    skips dead connections: compressed rows, several registers of samples at a time
    block     one product with a kept copy of ``W * M``: dead connections count, as zeros
    dense     the layer itself, which makes ``W * M`` anew each time

So ``"auto"`` chooses between the first two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.execution.choice import MANY, Call, size_of
from minimidl.execution.runs import Measured
from minimidl.execution.segment import check_finite
from minimidl.execution.wires import Wires
from minimidl.kernels.choose import wire_kernels
from minimidl.layers import MaskedLinear, ReLU, WeightGate
from minimidl.layers.masked import Upstream


class Wired(Measured):
    """Runs a MaskedLinear (and the ReLU after it) or a WeightGate.

    Args:
        layer: the layer.
        relu: the rectifier directly after a MaskedLinear, or None.
        threads: of large batches; the answer is the same with any number.

    """

    def __init__(
        self, layer: MaskedLinear | WeightGate, relu: ReLU | None = None, threads: int = 1
    ) -> None:
        super().__init__()
        self.layer, self.relu = layer, relu
        self.wires = Wires(layer, wire_kernels(), threads)
        self.copies = [self.wires]
        self.activation = (layer.activation if isinstance(layer, WeightGate)
                           else "relu" if relu else "linear")

    def about(self) -> str:
        """What runs."""
        self.wires.look()
        return (f"{self.wires.density:.1%} of the connections are live; neuron skips the others, "
                "block multiplies them as zeros")

    def calls(self, x: Array) -> dict[str, Call]:
        """What to time."""
        paths = ("neuron", "block") if self.wires.kernels is not None else ("block",)
        return {path: partial(self.run, x, path) for path in paths}

    def kind(self, batch: int) -> str:
        """What batches must have in common to share a measurement."""
        wires = self.wires
        return (f"wires {self.layer.n_in}-{self.layer.n_out} {wires.bias.dtype} {self.activation} "
                f"threads {wires.threads} batch {size_of(batch)} live {step(wires.density):.2f}")

    def pick(self, x: Array, path: str) -> str:
        """What ``"auto"`` means for this batch."""
        if path != "auto":
            return path
        case = (len(x), round(100 * step(self.wires.density)))
        if case in self.known or len(x) == 0:
            return self.known.get(case, "neuron")
        return self.fastest(case, self.kind(len(x)), self.calls(x[:MANY]))

    def run(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)``."""
        if path != "dense":
            return self.wires.run(x, self.activation, skip=path == "neuron")
        out = self.layer.forward(x)[0]
        return self.relu.forward(out)[0] if self.relu else out

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path, or by ``"auto"``; NaN and infinity are refused."""
        check_finite(x)
        self.wires.look()
        return self.run(x, self.pick(x, path))

    def forward(self, x: Array, path: str) -> tuple[Array, list[Memory]]:
        """As :meth:`predict`, and what every layer remembers; looks at every weight first."""
        self.wires.look(closely=True)
        path = self.pick(x, path)
        if path == "dense":
            memories: list[Memory] = []
            for layer in (self.layer, *([self.relu] if self.relu else [])):
                x, memory = layer.forward(x)
                memories.append(memory)
            return x, memories
        if isinstance(self.layer, WeightGate):
            decision = self.layer.decide(x)
            own: Memory = {"x": x, "decision": decision, "probability": decision.probability}
        else:
            own = {"x": x, "upstream": Upstream()}
        return self.run(x, path), [own] + [{}] * (self.relu is not None)

    def complete(self, memories: Sequence[Memory]) -> list[Memory]:
        """The memories with what compressed rows did not keep."""
        own, *rest = memories
        if isinstance(self.layer, WeightGate) and "u" not in own:
            return [self.layer.apply(own["x"], own["decision"])[1]]
        if self.relu is None or rest[0]:
            return list(memories)
        return [own, self.relu.forward(self.layer.forward(own["x"])[0])[1]]

    def explain(self, batch: int) -> str:
        """What ``"auto"`` picks at this batch of normal noise, and why: the times measured here."""
        self.wires.look()
        shape = (batch, self.layer.n_in)
        x = np.random.default_rng(0).normal(size=shape).astype(self.wires.bias.dtype)
        return self.told(self.kind(batch), self.calls(x[:MANY]), batch, "compressed rows")


def step(density: float) -> float:
    """A density in steps: 5 points, and 1 point where few are live and every one counts."""
    return round(density, 2) if density < 0.1 else round(20 * density) / 20
