"""Experts: a few big blocks of neurons, and a router that sends each sample to some of them.

    symbol   name here                        shape
    x        x                                (batch, n_in)
    l        scores = router net(x)           (batch, n_experts)
    P        probability = softmax(l / T)     (batch, n_experts)
    w        gate: weights of the executed    (batch, n_experts)
    h_e      activation(x W_e + b_e)          (batch, n_units / n_experts)
    y        w_e h_e, expert beside expert    (batch, n_units)

An expert is one block of neighbouring neurons. With the linear layer that follows, which reads each
block by rows of its own, that is the usual two-layer expert: ``sum_e w_e (h_e V_e) + c``. Only the
bias ``c`` is shared. So a mixture of experts is a gated layer whose blocks are big, and all that
counts, proves, draws and runs gated layers does the same for it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.gates.routers import make_router
from minimidl.layers.gated_linear import GatedLinear


class Experts(GatedLinear):
    """A routed layer: ``n_experts`` blocks, of which each sample runs some.

    Args:
        n_in: input width.
        n_units: neurons of all experts together.
        n_experts: blocks; must divide ``n_units``.
        router: ``"switch"`` (one expert, weighted with its raw probability), ``"topk"`` (k experts,
            weights renormalised), ``"noisy-topk"`` (the same on logits with learned noise),
            ``"expert-choice"`` (each expert takes its best samples) or ``"soft"`` (all run).
        k: experts per sample, for expert-choice on average; None: 2 for the Top-k routers, else 1.
        renormalise: whether the weights of a sample's experts sum to 1 (topk, noisy-topk).
        capacity: each expert takes ``ceil(capacity * batch * k / n_experts)`` samples in training;
            0: as many as come. A sample that is dropped answers with the light path.
        priority: who stays: ``"order"`` (earlier samples) or ``"probability"`` (surer ones).
        drop_at_evaluation: whether capacity holds in evaluation too.
        evaluation: of expert-choice: ``"cuts"`` (a prediction depends on its sample alone; needs
            :class:`minimidl.learning.ExpertChoiceCuts` in training) or ``"batch"`` (as in
            training; not causal).
        activation: of the experts: ``relu gelu gelu-tanh tanh sigmoid linear``.
        gate: the router's network: ``"linear"``, ``"static"``, ``"low-rank"`` or ``"mlp"``.
        gate_rank: width of the middle of a low-rank or mlp network.
        gate_spread: starting standard deviation of the logits over the temperature.
        gate_noise: standard deviation of exploration noise on the logits, in training only; 0 for
            noisy-topk, which learns its own.
        light: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``: where an expert is not
            executed.
        light_rank: width of the low-rank light path.
        temperature: ``T > 0`` of the softmax.
        init: starting weights of the experts.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    Attributes:
        n_experts: also ``n_gates``.
        router: its name.

    State: ``temperature``; ``bias`` (switch and Top-k: on the choice alone; 0 unless something
    balances by it); ``cuts`` (expert-choice, in evaluation).

    Raises:
        InputError: n_experts no divisor of n_units, options that the router refuses.

    """

    def __init__(
        self, n_in: int, n_units: int, *, n_experts: int = 8, router: str = "switch",
        k: int | None = None, renormalise: bool = True, capacity: float = 0.0,
        priority: str = "order", drop_at_evaluation: bool = False, evaluation: str = "cuts",
        activation: str = "relu", gate: str = "linear", gate_rank: int = 8,
        gate_spread: float = 1.0, gate_noise: float = 0.0, light: str = "zero",
        light_rank: int = 8, temperature: float = 1.0, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        require(n_experts >= 1 and n_units % n_experts == 0, "n_experts", n_experts,
                f"a divisor of n_units={n_units}")
        self.n_experts, self.router = n_experts, router
        self.choice = make_router(
            router, n_experts, k=k, renormalise=renormalise, capacity=capacity, priority=priority,
            drop_at_evaluation=drop_at_evaluation, evaluation=evaluation,
            temperature=temperature)
        require(router != "noisy-topk" or not gate_noise, "gate_noise", gate_noise,
                "0: the noisy Top-k router learns its own noise")
        net = {"kind": gate, "rank": gate_rank, "spread": gate_spread * temperature, "start": 0.0}
        super().__init__(
            n_in, n_units, chooser=self.choice, net=net, activation=activation,
            block=n_units // n_experts, noise=gate_noise, light=light, light_rank=light_rank,
            init=init, dtype=dtype, seed=seed)
        if router == "noisy-topk":  # noise of one scale for all (Shazeer et al., appendix A)
            last = {"linear": "gate.weight", "static": "gate.bias"}.get(gate, "gate.up")
            self.params[last][..., n_experts:] = 0
