"""Proofs of the routing losses: balance, z-loss, importance."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.proof.entries.expert_mistakes import (
    log_sum_left_out,
    mean_importance_constant,
    share_differentiated,
)
from minimidl.proof.entries.loss_entries import mean_forgotten, pair_proof, sign_forgotten
from minimidl.proof.entry import Proof


def routed(rng: Rng, batch: int = 6, n_experts: int = 4, k: int = 1) -> tuple[Array, Array]:
    """Probabilities, and who was chosen: not evenly."""
    logits = rng.normal(size=(batch, n_experts)) + np.arange(n_experts)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return p, p >= np.sort(p, axis=1)[:, -k, None]


def weights(rng: Rng, batch: int = 5, n_experts: int = 4) -> tuple[Array]:
    """Gate values, most of them above 0."""
    return (np.maximum(rng.uniform(-0.2, 1.0, (batch, n_experts)), 0.05),)


def proofs(losses: Any) -> list[Proof]:
    """The three pairs of ``minimidl.losses.routing``, handed in."""
    balance = (losses.load_balance, losses.load_balance_backward)
    z_loss = (losses.z_loss, losses.z_loss_backward)
    importance = (losses.importance_cv, losses.importance_cv_backward)
    wrong = {"mean forgotten": mean_forgotten, "sign forgotten": sign_forgotten}
    shared = wrong | {"gradient through dispatched share": share_differentiated}
    return [
        pair_proof("routing: load balance, Top-1", *balance, routed, shared),
        pair_proof("routing: load balance, Top-2", *balance, lambda rng: routed(rng, k=2), shared),
        pair_proof("routing: load balance, one sample", *balance, lambda rng: routed(rng, 1),
                   {"sign forgotten": sign_forgotten}),
        pair_proof("routing: load balance, 64 x 16", *balance,
                   lambda rng: routed(rng, 64, 16, 2), shared, projection=True),
        pair_proof("routing: z-loss", *z_loss, lambda rng: (2 * rng.normal(size=(5, 4)),),
                   wrong | {"log-sum left out": log_sum_left_out}),
        pair_proof("routing: z-loss, one expert", *z_loss,
                   lambda rng: (rng.normal(size=(4, 1)),), wrong),
        pair_proof("routing: z-loss, far logits", *z_loss,
                   lambda rng: (30 * rng.normal(size=(3, 4)),), wrong, tolerance=1e-6),
        pair_proof("routing: importance", *importance, weights,
                   {"sign forgotten": sign_forgotten,
                    "mean importance constant": mean_importance_constant}),
        pair_proof("routing: importance, one sample", *importance,
                   lambda rng: weights(rng, 1), {"sign forgotten": sign_forgotten}),
    ]
