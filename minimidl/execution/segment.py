"""A segment: a gated layer and the linear layer directly after it, executed as one.

Prepared once, so that a call costs a few array operations and one kernel. It keeps references to
the layers' own arrays (views at most), never copies: training the model later changes the answers
here, too. All mathematics is in ``layers`` and ``kernels``.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require_finite
from minimidl.execution.choice import choose_path, why
from minimidl.gates import SIMPLEX, AffineNet, Decision, LowRankNet, MlpNet, StaticNet
from minimidl.kernels import compiled_kernels, gather
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import MIDL, DynamicGate, Gated, GatedLinear, Linear

UNKNOWN_DENSITY = 0.5
"""What is assumed of a threshold gate before its scores are known."""


def why_dense(gated: Gated, linear: Linear) -> str:
    """Why these two layers can only run dense; the empty string where neurons can be skipped."""
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

    """

    def __init__(self, gated: GatedLinear, linear: Linear) -> None:
        self.gated, self.linear = gated, linear
        self.kernels = compiled_kernels()
        self.score_weights = score_weights(gated)
        self.score_bias = gated.params["gate.bias"]
        self.weight_t = gated.params["weight"].T  # (n_units, n_in), a C-contiguous view
        self.bias = gated.params["bias"]
        self.next_weight = linear.params["weight"]
        self.next_bias = linear.params["bias"][None, :]  # (1, n_out), a view
        self.no_light = np.empty((0, 0), self.weight_t.dtype)
        self.code = ACTIVATION_CODES[gated.activation]
        self.binary = gated.gate_value == "binary"

    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by any path, ``"auto"`` included."""
        decision = None
        if path == "auto":
            path, decision = self.pick(x)
        if path != "dense":
            return self.run(x, path, decision)[0]
        hidden, _ = self.gated.apply(x, decision or self.gated.decide(x))
        return self.linear.forward(hidden)[0]

    def pick(self, x: Array, decision: Decision | None = None) -> tuple[str, Decision | None]:
        """The path for this batch, and the decision if it had to be made to know."""
        density = self.expected_density()
        if isinstance(self.gated, DynamicGate) and len(x) > 1:  # only the scores can tell
            decision = decision or self.gated.decide(x)
            density = float(decision.active.mean())
        path = choose_path(len(x), density, self.gated.block, self.kernels is not None)
        return path, decision

    def explain(self, batch: int) -> str:
        """What "auto" picks at this batch and the density known beforehand, and why."""
        case = (batch, self.expected_density(), self.gated.block, self.kernels is not None)
        path = choose_path(*case)
        return f"{path} at batch {batch} ({why(path, *case)})"

    def expected_density(self) -> float:
        """Fraction of open gates, as far as it is known without an input."""
        gated = self.gated
        return gated.k / gated.n_gates if isinstance(gated, MIDL) else UNKNOWN_DENSITY

    def run(
        self, x: Array, path: str, decision: Decision | None = None
    ) -> tuple[Array, Array, Array]:
        """Output ``(batch, n_out)`` and the executed set: offsets ``(batch + 1,)`` and indices.

        Args:
            x: ``(batch, n_in)``, checked, C-contiguous.
            path: ``"neuron"`` or ``"block"``.
            decision: of ``gated.decide(x)``, if it is known already.

        """
        if path == "neuron" and self.kernels is not None:
            return self.run_kernel(x, self.scores(x) if decision is None else decision.scores)
        return self.run_gathered(x, path, decision or self.gated.decide(x))

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

    def run_kernel(self, x: Array, scores: Array) -> tuple[Array, Array, Array]:
        """One call of the compiled kernel, which also writes down what it ran."""
        gated, batch = self.gated, len(x)
        k, cut, temperature = self.selection()
        light, base = self.no_light, self.next_bias
        if gated.light is not None:
            light, base = self.light(x)
        room = (k * gated.block if k else gated.n_out) * batch + gated.block
        offsets = np.empty(batch + 1, np.int64)
        indices = np.empty(room, np.int64)  # one block longer: the kernel writes before it counts
        values, out = np.empty(room, x.dtype), np.empty((batch, self.linear.n_out), x.dtype)
        assert self.kernels is not None
        if self.kernels.neuron_segment(
            x, scores, k, cut, temperature, self.binary, gated.block, self.weight_t, self.bias,
            light, self.code, self.next_weight, base, offsets, indices, values, out,
        ):
            require_finite(scores, "gate scores")
        return out, offsets, indices

    def run_gathered(
        self, x: Array, path: str, decision: Decision
    ) -> tuple[Array, Array, Array]:
        """The NumPy forms: gathered blocks, or sample by sample."""
        gated = self.gated
        light, out = None, np.repeat(self.next_bias, len(x), axis=0)  # (batch, n_out)
        if gated.light is not None:
            light, out = self.light(x)
        form = gather.blocks if path == "block" else gather.neurons
        form(x, decision.active, decision.gate, gated.block, self.weight_t, self.bias, light,
             gated.function.value, self.next_weight, out)
        units = gated.to_units(decision.active)
        offsets = np.concatenate([[0], np.cumsum(units.sum(axis=1))])
        return out, offsets, np.nonzero(units)[1]

    def light(self, x: Array) -> tuple[Array, Array]:
        """Light path ``(batch, n_units)``, and what the next layer makes of it alone."""
        assert self.gated.light is not None
        light, _ = self.gated.light.forward(x)
        return light, self.linear.forward(light)[0]

    def executed(self, offsets: Array, indices: Array) -> Array:
        """The executed set as a mask, ``(batch, n_gates)``: what a report must show."""
        batch = len(offsets) - 1
        units = np.zeros((batch, self.gated.n_out), bool)
        units[np.repeat(np.arange(batch), np.diff(offsets)), indices[:offsets[-1]]] = True
        return units[:, ::self.gated.block]


def score_weights(gated: Gated) -> list[Array]:
    """The matrices that make the scores, in the order in which they multiply.

    Empty for a gate network that is more than products; its own ``forward`` runs then.
    """
    net = gated.gate
    if isinstance(net, LowRankNet):
        return [net.params["down"], net.params["up"]]
    return [net.params["weight"]] if isinstance(net, AffineNet) else []
