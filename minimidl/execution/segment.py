"""A segment: a gated layer and the linear layer directly after it, executed as one.

It chooses among the forms of :mod:`minimidl.execution.forms`, by the path that was asked for or, on
the path ``"auto"``, by what was measured.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require_finite
from minimidl.execution.choice import MANY, Call, calibration_file, shared_choice, size_of
from minimidl.execution.forms import Forms, unpacked
from minimidl.gates import Decision
from minimidl.layers import MIDL, DynamicGate, GatedLinear, Linear

FEW, UNKNOWN_DENSITY = 8, 0.5
"""Below so many samples, this density is assumed of a threshold gate: the scores are not known yet,
and the form that fits such batches makes them itself."""
SOME = 32
"""Samples up to which ``"auto"`` considers going sample by sample."""


class Segment(Forms):
    """Runs ``linear(gated(x))`` on the open neurons only.

    Args:
        gated: a MIDL or DynamicGate layer.
        linear: the layer directly after it; ``fitness.why_dense`` must have nothing to say.
        threads: of large batches; the answer is the same with any number.

    """

    def __init__(self, gated: GatedLinear, linear: Linear, threads: int = 1) -> None:
        super().__init__(gated, linear, threads)
        self.choice = shared_choice(calibration_file())
        self.known: dict[tuple[int, int], str] = {}

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
        check_finite(x)  # before the scores of a threshold gate are made of it
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
        density = self.density(x)[0]
        kind = self.kind(batch, density)
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


def check_finite(x: Array) -> None:
    """Raise InputError unless all of ``x`` is finite."""
    # A finite sum of squares proves all entries finite, and BLAS makes it for next to nothing.
    if not math.isfinite(np.vdot(x, x)):
        require_finite(x, "x")
