"""Routing losses: against a router that sends everything to the same expert.

    symbol   here                                      shape
    P        probability: softmax of the router        (batch, n_experts)
    l        scores: its logits                        (batch, n_experts)
    f_e      share of all assignments that e got       (n_experts,)
    I_e      importance: sum of its gate values        (n_experts,)

Each is a pair, without strength: that is the caller's. The gradients are of different things, so
they enter a model by different parts of :class:`minimidl.gates.GateGradient`.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require


def load_balance(probability: Array, dispatched: Array) -> tuple[float, Memory]:
    """``E sum_e f_e mean(P_e)``: 1 where all is even (Fedus et al. 2021, 2101.03961, eq. 4-6).

    ``f_e`` counts a choice and is a constant; ``P`` is what the gradient goes to, more where ``f``
    is large. For a Top-k ``f`` is divided by ``N k``, so that it sums to 1.

    Args:
        probability: ``P``.
        dispatched: boolean, the same shape: who was chosen, before capacity.

    Raises:
        InputError: shapes that differ, ``dispatched`` not boolean.

    """
    require_float(probability, "probability")
    require(dispatched.dtype == bool and dispatched.shape == probability.shape, "dispatched",
            f"{dispatched.dtype} {dispatched.shape}", f"boolean {probability.shape}",
            "take decision.memory['chosen']")
    counts = dispatched.sum(axis=0)
    share = counts / max(1, counts.sum())
    mean = probability.mean(axis=0, dtype=np.float64)
    value = probability.shape[1] * float(share @ mean)
    return value, {"probability": probability, "share": share}


def load_balance_backward(memory: Memory) -> Array:
    """``dL/dP = (E / N) f``, the same row for every sample."""
    p: Array = memory["probability"]
    row = memory["share"] * (p.shape[1] / len(p))
    return np.tile(row.astype(p.dtype), (len(p), 1))


def z_loss(scores: Array) -> tuple[float, Memory]:
    """``mean over the batch of LSE(l)^2`` (ST-MoE: Zoph et al. 2022, 2202.08906, eq. 5).

    ``LSE = ln sum exp``. It keeps the logits small, where float32 still tells them apart; the
    softmax alone would not mind if all of them grew together.

    Args:
        scores: ``l``.

    """
    require_float(scores, "scores")
    top = scores.max(axis=1, keepdims=True)
    weight = np.exp(scores - top)
    total = weight.sum(axis=1, keepdims=True)
    lse = top + np.log(total)  # (batch, 1)
    value = float(np.mean(lse * lse, dtype=np.float64))
    return value, {"lse": lse, "probability": weight / total}


def z_loss_backward(memory: Memory) -> Array:
    """``dL/dl = (2 / N) LSE P``: on the scores, not on the probabilities."""
    p: Array = memory["probability"]
    return p * memory["lse"] * p.dtype.type(2 / len(p))


def importance_cv(gate: Array) -> tuple[float, Memory]:
    """``Var(I) / Mean(I)^2`` with ``I_e = sum over the batch of gate_e``.

    The squared coefficient of variation of Shazeer et al. 2017 (1701.06538, eq. 6-7): of the
    importance, given gate values; of the load (eq. 10-11), given chances to be chosen
    (:meth:`minimidl.gates.NoisyTopKRouter.load`). 0 where all experts count the same.

    Args:
        gate: ``(batch, n_experts)``, at least 0.

    """
    require_float(gate, "gate")
    importance = gate.sum(axis=0, dtype=np.float64)
    mean = float(importance.mean())
    value = float(importance.var()) / mean**2 if mean > 0 else 0.0  # all were dropped
    return value, {"gate": gate, "importance": importance}


def importance_cv_backward(memory: Memory) -> Array:
    """``dL/dI_e = 2 ((I_e - mean) / (E mean^2) - Var / (E mean^3))``, the same for every sample."""
    gate, importance = memory["gate"], memory["importance"]
    mean, n = float(importance.mean()), len(importance)
    if mean <= 0:
        return np.zeros_like(gate)
    row = 2 / n * ((importance - mean) / mean**2 - importance.var() / mean**3)
    return np.tile(row.astype(gate.dtype), (len(gate), 1))


def require_float(values: Array, argument: str) -> None:
    """Raise InputError unless ``values`` are ``(batch, n_experts)`` floats, neither of them 0."""
    require(values.ndim == 2 and values.size > 0 and values.dtype.kind == "f", argument,
            f"{values.dtype} {values.shape}", "floats (batch, n_experts)")
