"""Compressed copies of one layer's live weights, and when they are too old.

Everything else in this room works on views of the layers' own arrays and cannot go stale. A
compressed row can: it holds the live weights side by side, which is what makes it fast, and so it
is a copy. It is made when it is first needed, and made again

* after a training step through the executor, and after ``Executor.refresh()``;
* when a look at the layer finds a change. ``Executor.forward`` looks at every weight.
  ``Executor.predict`` looks at all biases and at a sample of up to 512 live weights and 512 places
  of the mask, because to look at all would take as long as to multiply them. Whatever
  trains, prunes, rewires or loads moves many of these at once. A change of a few single weights or
  connections by hand may go unseen: call ``refresh()`` after it.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.workers import share
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.kernels.wire_lists import panel_rows, whole_rows
from minimidl.layers import ACTIVATIONS, Layer, WeightGate

PROBES = 512
"""Live weights that every prediction looks at, and places of the mask."""


class Wires:
    """The live weights of a layer as kernels want them.

    Args:
        layer: a masked layer, or one with a gate per weight; its weight is contiguous.
        kernels: the compiled ones, None where there are none.
        threads: of large batches; the answer is the same with any number.

    Attributes:
        density: share of live connections.

    """

    def __init__(self, layer: Layer, kernels: ModuleType | None, threads: int = 1) -> None:
        self.layer, self.kernels, self.threads = layer, kernels, threads
        self.weight, self.bias = layer.params["weight"], layer.params["bias"]
        gates = isinstance(layer, WeightGate)
        self.deciding = layer.params["gate.bias"] if gates else layer.state["mask"]
        self.flat = [part.reshape(-1, order="A") for part in (self.weight, self.deciding)]
        self.numbers = [value for name, value in layer.state.items() if name != "mask"]
        self.refresh()

    def refresh(self) -> None:
        """Forget all copies."""
        self.seen = b""
        self.rows: tuple[Array, ...] = ()
        self.panels: tuple[Array, ...] = ()

    def now(self) -> tuple[Array, Array]:
        """Live weights (0 where dead) and the mask, as they are now; ``(n_in, n_units)``, new."""
        if not isinstance(self.layer, WeightGate):
            weight = self.weight.copy(order="K")
            np.copyto(weight, 0, where=~self.deciding)
            return weight, self.deciding
        no_input = np.zeros((1, len(self.weight)), self.weight.dtype)
        decision = self.layer.decide(no_input)
        live = self.layer.as_matrix(decision.active)
        gate = self.layer.as_matrix(decision.gate)
        return np.where(live, self.weight * gate, self.weight.dtype.type(0)), live

    def look(self, closely: bool = False) -> None:
        """Make the copies if there are none, or if the layer has changed.

        Args:
            closely: look at every weight.

        """
        if self.seen and self.seen == self.sample() and not closely:
            return
        weight, live = self.now()
        if self.seen and self.same(weight, live):
            self.seen = self.sample()  # biases are no copy: only what is looked at has changed
            return
        self.refresh()
        self.kept, self.live = weight, live.copy(order="K")
        self.density = float(live.mean())
        self.choose_probes()
        self.seen = self.sample()

    def same(self, weight: Array, live: Array) -> bool:
        """Whether the copies hold exactly this."""
        return np.array_equal(live, self.live) and np.array_equal(weight, self.kept)

    def choose_probes(self) -> None:
        """Which places to look at: live ones, spread evenly, and of the mask all kinds."""
        live = self.live.reshape(-1, order="A")  # in the order of memory
        alive = np.flatnonzero(live)
        self.probes = alive[spread(len(alive), PROBES)]
        self.mask_probes = np.concatenate([self.probes[::2], spread(len(live), PROBES // 2)])

    def sample(self) -> bytes:
        """What is looked at, as bytes."""
        weight, deciding = self.flat
        parts = (self.bias, weight.take(self.probes), deciding.take(self.mask_probes))
        return b"".join([part.tobytes() for part in (*parts, *self.numbers)])

    def lists(self, kernels: ModuleType, batch: int) -> tuple[Array, ...]:
        """Compressed rows for one sample, or for many; made when first needed."""
        if batch == 1:
            self.rows = self.rows or whole_rows(
                self.kept.T, self.live.T, kernels.VECTOR_BYTES // self.bias.itemsize)
            return self.rows
        self.panels = self.panels or panel_rows(
            self.kept.T, self.live.T, kernels.panel_inputs())
        return self.panels

    def run(self, x: Array, activation: str, skip: bool = True) -> Array:
        """``activation(x (W * M) + b)``, ``(batch, n_units)``; :meth:`look` comes before.

        Args:
            x: ``(batch, n_in)``, finite, C-contiguous.
            activation: its name.
            skip: whether dead connections are skipped; else, and where nothing is compiled, they
                are multiplied as zeros, by BLAS.

        """
        if not skip or self.kernels is None:
            u = x @ self.kept
            u += self.bias
            return ACTIVATIONS[activation].value(u)
        return self.run_lists(self.kernels, x, ACTIVATION_CODES[activation])

    def run_lists(self, kernels: ModuleType, x: Array, code: int) -> Array:
        """The same by compressed rows; threads share the samples, some registers at a time."""
        lists, out = self.lists(kernels, len(x)), np.empty((len(x), len(self.bias)), x.dtype)
        if len(x) == 1:
            kernels.wire_rows(x, *lists, self.bias, code, out)
            return out
        inputs = kernels.panel_inputs()
        group = kernels.WIDEST * kernels.VECTOR_BYTES // x.itemsize

        def part(start: int, stop: int) -> None:
            rows = slice(start * group, stop * group)
            kernels.wire_panels(x[rows], inputs, *lists, self.bias, code, out[rows])

        share(part, -(-len(x) // group), self.threads)
        return out


def spread(size: int, count: int) -> Array:
    """At most ``count`` places from 0 to ``size - 1``, both ends among them, evenly far apart."""
    return np.linspace(0, size - 1, min(size, count)).astype(np.int64)
