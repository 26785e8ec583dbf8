"""The forms in which a gated layer and the linear layer after it can run.

    form      goes                                        good for
    single    sample by sample, gate scores included      a few samples
    listed    sample by sample, scores from NumPy         the same, where ``single`` does not fit
    crowd     gate by gate, 64 samples at a time          many samples
    gathered  NumPy: rows or blocks gathered by index     where nothing is compiled

Prepared once, so that a call costs a few array operations and one kernel. References to the layers'
own arrays are kept (views at most), never copies: training the model later changes the answers
here, too. All mathematics is in ``layers`` and ``kernels``.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require, require_finite
from minimidl.execution.fitness import score_weights
from minimidl.execution.light import LightPart
from minimidl.execution.workers import share
from minimidl.gates import Decision
from minimidl.kernels import compiled_kernels, gather
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import MIDL, DynamicGate, GatedLinear, Linear


class Forms:
    """Everything that runs; which of it, is for the subclass to say.

    Args:
        gated: a MIDL or DynamicGate layer.
        linear: the layer directly after it.
        threads: of the ``crowd`` form; the answer is the same with any number.

    """

    def __init__(self, gated: GatedLinear, linear: Linear, threads: int = 1) -> None:
        self.gated, self.linear, self.threads = gated, linear, threads
        self.kernels: ModuleType | None = compiled_kernels()
        self.score_weights = score_weights(gated)
        self.score_bias = gated.params["gate.bias"]
        self.weight_t = gated.params["weight"].T  # (n_units, n_in), a C-contiguous view
        self.bias = gated.params["bias"]
        self.next_weight = linear.params["weight"]
        self.next_bias = linear.params["bias"][None, :]  # (1, n_out), a view
        self.light = None if gated.light is None else LightPart(gated.light, linear)
        self.no_light = np.empty((0, 0), self.weight_t.dtype)
        self.no_indices = np.empty(0, np.int64)
        self.code = ACTIVATION_CODES[gated.activation]
        self.binary = gated.gate_value == "binary"
        if self.kernels is not None:
            self._prepare(self.kernels)

    def _prepare(self, kernels: ModuleType) -> None:
        """What calls of compiled kernels need over and over."""
        lanes = kernels.VECTOR_BYTES // self.weight_t.itemsize
        self.wide = self.gated.n_in >= lanes
        contiguous = all(weight.flags.carray for weight in self.score_weights)
        self.fits_single = bool(
            self.wide and self.score_weights and contiguous and self.light is None)
        self.matrices = (*self.score_weights, self.no_light)[:2]
        self.every = np.arange(max([0, *(len(w) for w in self.score_weights)]))
        self.series = kernels.series(self.weight_t.dtype)

    def form(self, path: str) -> str:
        """Which form runs ``"neuron"`` (sample by sample) or ``"block"`` (gate by gate)."""
        if self.kernels is None:
            return "gathered"
        if path == "block":
            return "crowd" if self.wide else "gathered"
        return "single" if self.fits_single else "listed"

    def scores(self, x: Array) -> Array:
        """Gate scores ``(batch, n_gates)``, bit for bit those of ``gated.decide(x)``."""
        if not self.score_weights:
            return self.gated.gate.forward(x)[0]
        scores = x
        for weight in self.score_weights:
            scores = scores @ weight
        scores += self.score_bias
        return scores

    def selection(self) -> tuple[int, float, float]:
        """``k`` (0: by threshold), ``cut`` and gate temperature, as they are now."""
        gated = self.gated
        if isinstance(gated, MIDL):
            return gated.k, 0.0, 1.0
        assert isinstance(gated, DynamicGate)
        return 0, gated.cut, gated.temperature

    def room(self, batch: int, k: int) -> tuple[Array, Array]:
        """For offsets, and for indices: the kernel writes a block before it counts it."""
        gated = self.gated
        most = (k * gated.block if k else gated.n_out) * batch + gated.block
        return np.empty(batch + 1, np.int64), np.empty(most, np.int64)

    def run_single(self, x: Array, keep: bool = True) -> tuple[Array, Array, Array, Array]:
        """Output, scores, and the executed set: offsets ``(batch + 1,)`` and indices.

        Args:
            x: ``(batch, n_in)``.
            keep: whether all but the output are wanted; else they are empty.

        """
        gated, scores = self.gated, self.no_light
        k, cut, temperature = self.selection()
        offsets = indices = self.no_indices
        if keep:
            offsets, indices = self.room(len(x), k)
            scores = np.empty((len(x), gated.n_gates), x.dtype)
        out = np.empty((len(x), self.linear.n_out), x.dtype)
        assert self.kernels is not None
        if self.kernels.single_segment(
            x, *self.matrices, self.score_bias, self.every, k, cut, temperature, self.binary,
            self.series, gated.block, self.weight_t, self.bias, self.code, self.next_weight,
            self.next_bias, scores, offsets, indices, out,
        ):
            self.refuse(x)
        return out, scores, offsets, indices

    def refuse(self, x: Array) -> None:
        """Say what is not finite: the input, the usual culprit, or the gate's scores."""
        require_finite(x, "x")
        require_finite(self.scores(x), "gate scores")
        # NumPy adds in another order: its sums may stay finite where the kernel's overflowed.
        require(False, "gate scores", "NaN or infinity", "finite numbers")

    def run_listed(self, x: Array, scores: Array) -> tuple[Array, Array, Array]:
        """Output and the executed set, from scores that are there already."""
        k, cut, temperature = self.selection()
        light, base = self.light_and_base(x)
        offsets, indices = self.room(len(x), k)
        values = np.empty(len(indices), x.dtype)
        out = np.empty((len(x), self.linear.n_out), x.dtype)
        assert self.kernels is not None
        if self.kernels.neuron_segment(
            x, scores, k, cut, temperature, self.binary, self.gated.block, self.weight_t,
            self.bias, light, self.code, self.next_weight, base, offsets, indices, values, out,
        ):
            self.refuse(x)
        return out, offsets, indices

    def run_crowd(self, x: Array, scores: Array) -> tuple[Array, Array]:
        """Output, and 64-bit words ``(batch / 64, n_gates)``: which samples opened each gate."""
        kernels, gated = self.kernels, self.gated
        assert kernels is not None
        k, cut, temperature = self.selection()
        light, base = self.light_and_base(x)
        words = np.empty((-(-len(x) // kernels.CROWD), gated.n_gates), np.uint64)
        out = np.empty((len(x), self.linear.n_out), x.dtype)
        if kernels.choose_words(scores, k, cut, words):
            self.refuse(x)

        def part(start: int, stop: int) -> None:
            rows = slice(start * kernels.CROWD, stop * kernels.CROWD)
            kernels.batch_segment(
                x[rows], scores[rows], words[start:stop], gated.block, temperature, self.binary,
                self.series, self.weight_t, self.bias, light[rows], self.code, self.next_weight,
                base[rows] if len(base) > 1 else base, out[rows])

        share(part, len(words), self.threads)
        return out, words

    def run_gathered(self, x: Array, path: str, decision: Decision) -> Array:
        """The NumPy forms: gathered blocks, or sample by sample."""
        gated = self.gated
        light, base = self.light_and_base(x)
        out = np.repeat(base, len(x) // len(base), axis=0)  # a fresh (batch, n_out)
        form = gather.blocks if path == "block" else gather.neurons
        form(x, decision.active, decision.gate, gated.block, self.weight_t, self.bias,
             light if len(light) else None, gated.function.value, self.next_weight, out)
        return out

    def light_and_base(self, x: Array) -> tuple[Array, Array]:
        """Light path ``(batch, n_units)``, and what the next layer makes of it alone."""
        if self.light is None:
            return self.no_light, self.next_bias
        return self.light.run(x)

    def opened(self, offsets: Array, indices: Array) -> Array:
        """The executed set as a mask, ``(batch, n_gates)``: what a report must show."""
        batch = len(offsets) - 1
        units = np.zeros((batch, self.gated.n_out), bool)
        units[np.repeat(np.arange(batch), np.diff(offsets)), indices[:offsets[-1]]] = True
        return units[:, ::self.gated.block]


def unpacked(words: Array, batch: int) -> Array:
    """Words as a mask ``(batch, n_gates)``."""
    bits = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), bitorder="little")
    by_word: Any = bits.reshape(*words.shape, 64)
    mask: Array = by_word.transpose(0, 2, 1).reshape(-1, words.shape[1])[:batch].astype(bool)
    return mask
