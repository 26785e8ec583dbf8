"""One gated layer of a chain: its arrays as kernels want them, and whether it fits into one."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.fitness import score_weights, why_no_kernel
from minimidl.gates import Decision, MlpNet
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import MIDL, DynamicGate, GatedLinear


def why_not_linked(gated: GatedLinear, before: GatedLinear | None = None) -> str:
    """Why this layer cannot stand in a chain (behind ``before``); empty where it can.

    A light path fills the closed neurons, so none of the next layer's columns could be left out.
    """
    if reason := why_no_kernel(gated):
        return reason
    if gated.light is not None:
        return "its light path fills the closed neurons"
    if not all(weight.flags.carray for weight in score_weights(gated)):
        return "the gate's weight is not stored in C order"
    if before is not None and isinstance(gated.gate, MlpNet):
        return "an mlp gate reads closed neurons"
    if before is not None and before.dtype != gated.dtype:
        return f"the layers differ in dtype ({before.dtype} and {gated.dtype})"
    return ""


class Link:
    """What kernels need of one gated layer; views of its arrays, never copies.

    Args:
        gated: a layer of which :func:`why_not_linked` has nothing to say.
        kernels: the module of the chain's kernels, None where nothing is compiled.

    """

    def __init__(self, gated: GatedLinear, kernels: ModuleType | None) -> None:
        self.gated = gated
        self.weight_t, self.bias = gated.params["weight"].T, gated.params["bias"]
        self.products = score_weights(gated)
        self.score_bias = gated.params["gate.bias"]
        nothing = np.empty((0, 0), self.bias.dtype)
        self.matrices = (*self.products, nothing, nothing)[:2]
        self.every = np.arange(max([1, *(len(weight) for weight in self.products)]))
        self.tail = (gated.block, self.weight_t, self.bias, ACTIVATION_CODES[gated.activation])
        self.binary = gated.gate_value == "binary"
        self.wide = False
        if kernels is not None:
            self.series = kernels.series(self.bias.dtype)
            self.wide = gated.n_in >= kernels.VECTOR_BYTES // self.bias.itemsize

    def scores(self, x: Array) -> Array:
        """Gate scores ``(batch, n_gates)`` of a dense input, by NumPy."""
        if not self.products:
            return np.ascontiguousarray(self.gated.gate.forward(x)[0])
        scores = x
        for weight in self.products:
            scores = scores @ weight
        scores += self.score_bias
        return scores

    def selection(self) -> tuple[int, float, float]:
        """``k`` (0: by threshold), ``cut`` and gate temperature, as they are now."""
        if isinstance(self.gated, MIDL):
            return self.gated.k, 0.0, 1.0
        assert isinstance(self.gated, DynamicGate)
        return 0, self.gated.cut, self.gated.temperature

    def room(self, batch: int) -> tuple[Array, Array, Array]:
        """For a set: offsets, indices and values; a block more than can be open."""
        k, gated = self.selection()[0], self.gated
        most = (k * gated.block if k else gated.n_out) * batch + gated.block
        return (np.empty(batch + 1, np.int64), np.empty(most, np.int64),
                np.empty(most, self.bias.dtype))

    def decide(self, x: Array, scores: Array, active: Array | None = None) -> Decision:
        """The layer's decision on scores that were made elsewhere; ``active`` as executed."""
        decision = self.gated.chooser.decide(scores)
        decision.memory["net"] = self.gated.gate.forward(x)[1]
        return decision if active is None else replace(decision, active=active)

