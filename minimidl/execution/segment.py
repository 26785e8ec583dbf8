"""A segment: a gated layer and the linear layer directly after it, executed as one.

Prepared once, so that a call costs a few array operations and one kernel. It keeps references to
the layers' own arrays (views at most), never copies: training the model later changes the answers
here, too. All mathematics is in ``layers`` and ``kernels``. Which kernel, is a *form*:

    form      goes                                        good for
    single    sample by sample, gate scores included      a few samples
    listed    sample by sample, scores from NumPy         the same, where ``single`` does not fit
    crowd     gate by gate, 64 samples at a time          many samples
    gathered  NumPy: rows or blocks gathered by index     where nothing is compiled
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require_finite
from minimidl.execution.choice import MANY, Call, calibration_file, shared_choice, size_of
from minimidl.execution.light import LightPart
from minimidl.execution.workers import share
from minimidl.gates import SIMPLEX, AffineNet, Decision, LowRankNet, MlpNet, StaticNet
from minimidl.kernels import compiled_kernels, gather
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import MIDL, DynamicGate, Gated, GatedLinear, Linear

FEW, UNKNOWN_DENSITY = 8, 0.5
"""Below so many samples, this density is assumed of a threshold gate: the scores are not known yet,
and the form that fits such batches makes them itself."""


SOME = 32
"""Samples up to which ``"auto"`` considers going sample by sample."""


def why_no_kernel(gated: Gated) -> str:
    """Why no kernel can run this layer; the empty string where one can."""
    if type(gated) not in (MIDL, DynamicGate):
        return f"{type(gated).__name__} has no kernel"
    if isinstance(gated, MIDL) and gated.topk in ("dselect-k", *SIMPLEX):
        return f"no kernel chooses by {gated.topk}"
    if isinstance(gated, DynamicGate) and gated.choice.min_keep:
        return "no kernel knows min_keep"
    if type(gated.gate) not in (StaticNet, AffineNet, LowRankNet, MlpNet):
        return f"the gate network {type(gated.gate).__name__} has no kernel"
    if not gated.params["weight"].flags.f_contiguous:
        return "the weight is not stored in Fortran order"
    return ""


def why_dense(gated: Gated, linear: Linear) -> str:
    """Why these two layers can only run dense; the empty string where neurons can be skipped."""
    if reason := why_no_kernel(gated):
        return reason
    if not linear.params["weight"].flags.c_contiguous:
        return "the next layer's weight is not stored in C order"
    if gated.dtype != linear.dtype:
        return f"the layers differ in dtype ({gated.dtype} and {linear.dtype})"
    return ""


class Segment:
    """Runs ``linear(gated(x))`` on the open neurons only.

    Args:
        gated: a MIDL or DynamicGate layer.
        linear: the layer directly after it; :func:`why_dense` must have nothing to say.
        threads: of the ``crowd`` form; the answer is the same with any number.

    """

    def __init__(self, gated: GatedLinear, linear: Linear, threads: int = 1) -> None:
        self.gated, self.linear, self.threads = gated, linear, threads
        self.choice = shared_choice(calibration_file())
        self.known: dict[tuple[int, int], str] = {}
        self.kernels: ModuleType | None = compiled_kernels()
        self.score_weights = score_weights(gated)
        self.score_bias = gated.params["gate.bias"]
        self.weight_t = gated.params["weight"].T  # (n_units, n_in), a C-contiguous view
        self.bias = gated.params["bias"]
        self.next_weight = linear.params["weight"]
        self.next_bias = linear.params["bias"][None, :]  # (1, n_out), a view
        self.light = None if gated.light is None else LightPart(gated.light, linear)
        self.no_light = np.empty((0, 0), self.weight_t.dtype)
        self.nobody = np.empty(0, np.int64)
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

    def paths(self, batch: int) -> tuple[str, ...]:
        """The paths that are worth a measurement here, and the compiling that may come with it.

        Lists of one sample are not; nor is sample by sample where lists are long.
        """
        if self.kernels is None:
            return ("dense", "block") if self.gated.block > 1 else ("dense",)
        listed = self.wide and batch > 1
        return ("dense", *(["neuron"] if batch <= SOME or not listed else []),
                *(["block"] if listed else []))

    def pick(self, x: Array, path: str) -> tuple[str, Array | None]:
        """What ``"auto"`` means for this batch, and the scores if they had to be made to know."""
        if path != "auto":
            return path, None
        case = (len(x), self.gated.k if isinstance(self.gated, MIDL) else 0)
        if case in self.known:
            return self.known[case], None
        if len(x) == 0:
            return "neuron", None
        density, scores = self.density(x)
        path = self.choice.pick(self.kind(len(x), density), self.calls(x[:MANY]))
        if scores is None:  # nothing but the batch size decided
            self.known[case] = path
        return path, scores

    def calls(self, x: Array) -> dict[str, Call]:
        """What to time: every path on this batch."""
        return {path: partial(self.predict, x, path) for path in self.paths(len(x))}

    def density(self, x: Array) -> tuple[float, Array | None]:
        """Fraction of open gates; of a threshold gate only the scores, returned too, can tell."""
        if isinstance(self.gated, MIDL):
            return self.gated.k / self.gated.n_gates, None
        assert isinstance(self.gated, DynamicGate)
        if len(x) < FEW:
            return UNKNOWN_DENSITY, None
        scores = self.scores(x)
        return float((scores > scores.dtype.type(self.gated.cut)).mean()), scores

    def kind(self, batch: int, density: float) -> str:
        """What batches must have in common to share a measurement."""
        gated = self.gated
        light = "" if gated.light is None else f" light {type(gated.light).__name__}"
        return (f"{gated.n_in}-{gated.n_out}-{self.linear.n_out} {self.bias.dtype} "
                f"block {gated.block} gate {[w.shape for w in self.score_weights]}{light} "
                f"{gated.activation} {gated.gate_value} threads {self.threads} "
                f"batch {size_of(batch)} density {round(20 * density) / 20:.2f}")

    def explain(self, batch: int) -> str:
        """What ``"auto"`` picks at this batch of normal noise, and why: the times measured here."""
        x = np.random.default_rng(0).normal(size=(batch, self.gated.n_in)).astype(self.bias.dtype)
        density, kind = self.density(x)[0], self.kind(batch, self.density(x)[0])
        path = self.choice.pick(kind, self.calls(x[:MANY]))
        times = ", ".join(f"{name} {1e6 * self.choice.found[kind][name]:.0f}"
                          for name in self.paths(batch))
        return (f"{path} at batch {batch} (density {density:.2f}; us for {min(batch, MANY)} "
                f"samples here: {times})")

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by ``"auto"``, ``"neuron"``, ``"block"`` or ``"dense"``.

        ``x`` may still hold NaN or infinity; it is refused.
        """
        path, scores = self.pick(x, path)
        form = "dense" if path == "dense" else self.form(path)
        if form == "single":  # such an x has no finite scores, and the kernel looks at those
            return self.run_single(x, keep=False)[0]
        check_finite(x)
        if form == "dense":
            hidden, _ = self.gated.apply(x, self.gated.decide(x))
            return self.linear.forward(hidden)[0]
        if form == "gathered":
            return self.run_gathered(x, path, self.gated.decide(x))
        scores = self.scores(x) if scores is None else scores
        return self.run_crowd(x, scores)[0] if form == "crowd" else self.run_listed(x, scores)[0]

    def run(self, x: Array, path: str) -> tuple[Array, Decision]:
        """As :meth:`predict`, bit for bit, with the decision; its mask is what was executed.

        Args:
            x: ``(batch, n_in)``, checked, C-contiguous.
            path: ``"neuron"`` or ``"block"``.

        """
        form = self.form(path)
        if form == "single":
            out, scores, offsets, indices = self.run_single(x)
            return out, replace(self.decide(x, scores), active=self.opened(offsets, indices))
        decision = self.gated.decide(x)
        if form == "crowd":
            out, words = self.run_crowd(x, decision.scores)
            return out, replace(decision, active=unpacked(words, len(x)))
        if form == "listed":
            out, offsets, indices = self.run_listed(x, decision.scores)
            return out, replace(decision, active=self.opened(offsets, indices))
        return self.run_gathered(x, path, decision), decision

    def decide(self, x: Array, scores: Array) -> Decision:
        """The layer's decision on scores that a kernel made."""
        decision = self.gated.chooser.decide(scores)
        decision.memory["net"] = self.gated.gate.forward(x)[1]
        return decision

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
        offsets = indices = self.nobody
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
        """Say what is not finite: the input, the usual culprit, or the gate's parameters."""
        require_finite(x, "x")
        require_finite(self.scores(x), "gate scores")

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


def score_weights(gated: Gated) -> list[Array]:
    """The matrices that make the scores, in the order in which they multiply.

    Empty for a gate network that is more than products; its own ``forward`` runs then.
    """
    net = gated.gate
    if isinstance(net, LowRankNet):
        return [net.params["down"], net.params["up"]]
    return [net.params["weight"]] if isinstance(net, AffineNet) else []


def check_finite(x: Array) -> None:
    """Raise InputError unless all of ``x`` is finite."""
    # A finite sum of squares proves all entries finite, and BLAS makes it for next to nothing.
    if not math.isfinite(np.vdot(x, x)):
        require_finite(x, "x")
