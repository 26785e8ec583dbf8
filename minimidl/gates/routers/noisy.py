"""Noisy Top-k: noise on the logits, of a scale that is learned too (Shazeer et al. 2017).

    c, r = the two halves of the router network's answer
    H    = c + e * s,  s = softplus(r) + 1/100,  e ~ N(0, 1)      (eq. 4; in evaluation H = c)
    w    = softmax over the k largest of H                        (eq. 3 and 5 of 1701.06538)

Without noise an expert that is never chosen never gets a gradient; with it, near misses are tried.
How likely expert i is chosen when its own noise is drawn again is smooth: its load (eq. 9),

    load_i = Phi((c_i - cut_i) / s_i),  cut_i = k-th largest of H without entry i

The hundredth is not in the paper but in its authors' code: without it a scale that learned to be 0
would divide by 0.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.decision import Decision, GateGradient
from minimidl.gates.logistic import logistic
from minimidl.gates.routers.topk import TopKRouter
from minimidl.gates.special import normal_cdf, normal_density

LEAST_NOISE = 0.01


def softplus(u: Array) -> Array:
    """``ln(1 + exp(u))``, without overflow."""
    return np.logaddexp(u, u.dtype.type(0))


class NoisyTopKRouter(TopKRouter):
    """Renormalised Top-k of noisy logits; in evaluation the same without noise.

    The network answers two numbers per expert: a logit and a raw noise scale. Options are those of
    :class:`~minimidl.gates.routers.topk.TopKRouter`.
    """

    def n_scores(self, n_gates: int) -> int:
        """A logit and a noise scale for every expert."""
        return 2 * n_gates

    def logits(self, scores: Array, training: bool, rng: Rng | None) -> tuple[Array, Memory]:
        """``H``, ``(batch, n_experts)``; raises InputError in training without ``rng``."""
        clean, raw = np.split(scores, 2, axis=1)
        if not training:
            return clean.copy(), {}
        require(rng is not None, "rng", None, "a numpy.random.Generator: this router draws noise",
                "pass rng=numpy.random.default_rng(seed)")
        assert rng is not None  # for the type checker
        e = rng.standard_normal(clean.shape, dtype=np.float32).astype(clean.dtype)
        scale = softplus(raw) + clean.dtype.type(LEAST_NOISE)
        noise = {"clean": clean.copy(), "e": e, "scale": scale, "slope": logistic(raw)}
        return clean + e * scale, {"noise": noise}

    def scores_backward(self, grad_scores: Array, decision: Decision) -> Array:
        """``dc = dH``, ``dr = dH e softplus'(r)``: ``(batch, 2 n_experts)``."""
        noise = decision.memory.get("noise")
        of_raw = (np.zeros_like(grad_scores) if noise is None
                  else grad_scores * noise["e"] * noise["slope"])
        return np.concatenate([grad_scores, of_raw], axis=1)

    def load(self, decision: Decision) -> Array:
        """``load`` ``(batch, n_experts)`` of a decision made in training; see the file head.

        Its sum over experts is near k. With k = n_experts it is 1 everywhere.

        Raises InputError for a decision made in evaluation, where nothing is drawn.
        """
        require("noise" in decision.memory, "decision", "one made in evaluation",
                "one made in training", "the load is a chance, and evaluation draws nothing")
        if self.k == self.n_experts:
            return np.ones_like(decision.scores)
        return normal_cdf(self.distance(decision)[0])

    def distance(self, decision: Decision) -> tuple[Array, Array]:
        """``u = (c - cut) / scale``, and whose ``H`` the cut of each expert is (an index)."""
        noise, order = decision.memory["noise"], np.argsort(-decision.scores, axis=1, kind="stable")
        last_in, first_out = order[:, self.k - 1, None], order[:, self.k, None]
        inside = decision.scores >= np.take_along_axis(decision.scores, last_in, axis=1)
        whose = np.where(inside, first_out, last_in)
        cut = np.take_along_axis(decision.scores, whose, axis=1)
        return (noise["clean"] - cut) / noise["scale"], whose

    def load_backward(self, grad_load: Array, decision: Decision) -> Array:
        """From ``dL/d(load)`` to the network's answers: by ``c``, ``r`` and the cut's ``H``."""
        require_like(grad_load, decision.scores, "grad_gate.load")
        if self.k == self.n_experts:
            return np.zeros((len(grad_load), 2 * self.n_experts), grad_load.dtype)
        noise = decision.memory["noise"]
        u, whose = self.distance(decision)
        grad_clean = grad_load * normal_density(u) / noise["scale"]
        grad_raw = -grad_clean * u * noise["slope"]
        grad_cut = np.zeros_like(grad_clean)
        np.add.at(grad_cut, (np.arange(len(u))[:, None], whose), -grad_clean)
        return (self.scores_backward(grad_cut, decision)
                + np.concatenate([grad_clean, grad_raw], axis=1))

    def pull_back(self, grad_gate: Array, pull: GateGradient, decision: Decision) -> Array:
        """As every chooser, and the pull on the load besides."""
        if pull.load is None:
            return super().pull_back(grad_gate, pull, decision)
        others = GateGradient(pull.probability, pull.scores, pull.gate)
        return (super().pull_back(grad_gate, others, decision)
                + self.load_backward(pull.load, decision))
