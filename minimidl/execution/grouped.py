"""Experts, grouped: who chose which, then expert by expert, or each sample's own."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.decided import Decided
from minimidl.gates import Decision
from minimidl.gates.routers import Router, SwitchRouter, TopKRouter
from minimidl.kernels import gather
from minimidl.layers import Experts


def is_plain(router: Router) -> bool:
    """Whether the best scores are chosen: no bias on the choice, no places that may run out."""
    return type(router) in (SwitchRouter, TopKRouter) and isinstance(router, TopKRouter) and not (
        router.state["bias"].any() or (router.capacity and router.drop_at_evaluation))


class Grouped(Decided):
    """Runs experts and the linear layer after them; arguments as :class:`Decided`."""

    gated: Experts

    def decide(self, x: Array) -> Decision:
        """As the layer; the usual routers choose in one kernel, on the layer's own scores.

        The same experts, bit for bit; their weights but for rounding.
        """
        router = self.gated.choice
        if self.kernels is None or not is_plain(router):
            return self.gated.decide(x)
        assert isinstance(router, TopKRouter)
        scores = np.ascontiguousarray(self.gated.gate.forward(x)[0])
        active, gate = np.empty(scores.shape, bool), np.empty_like(scores)
        if self.kernels.route(
                scores, router.k, router.temperature, router.renormalise, active, gate):
            return self.gated.decide(x)  # which says what is not finite
        return Decision(scores, gate, gate, gate, active)

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
