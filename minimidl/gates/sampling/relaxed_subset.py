"""Relaxed subset sampling: k softmaxes in a row, each blind to what the others took.

    alpha_1 = z + G,  a_j = softmax(alpha_j / T),  alpha_{j+1} = alpha_j + ln(1 - a_j)
    p = a_1 + ... + a_k                                     (Xie and Ermon 2019)

``ln(1 - a)`` of the largest entry is taken from the sum over the *others*: ``1 - a`` itself would
round to 0 there, and a clamp would let a leader that is far ahead be chosen twice.

Backward, from the last softmax to the first, with the carry ``c = dL/d alpha_{j+1}`` (0 at the
start), ``r`` the softmax over all but the leader ``i``, and ``w = c a / (1 - a)`` off the leader:

    v = a (g - <a, g>)  -  w + a (sum of w)  -  c_i a_i at the leader,  + c_i a_i r elsewhere
    c <- c + v / T,     dL/dT = -(1 / T) sum_j <v_j, alpha_j / T>
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.rows import check_temperature
from minimidl.gates.sampling.noise import gumbel_noise, need_rng
from minimidl.gates.threshold.base import check_topk


class Pick(NamedTuple):
    """One softmax: ``(rows, n)`` arrays, and ``leader`` ``(rows, 1)`` indices."""

    scaled: Array
    share: Array
    leader: Array
    others: Array


def pick(scaled: Array) -> tuple[Pick, Array]:
    """One softmax of ``alpha / T``, and ``ln(1 - a)`` without cancellation."""
    leader = scaled.argmax(axis=1, keepdims=True)
    top = np.take_along_axis(scaled, leader, axis=1)
    without = scaled.copy()
    np.put_along_axis(without, leader, -np.inf, axis=1)
    second = without.max(axis=1, keepdims=True)
    weights = np.exp(without - second)  # the leader weighs 0
    rest = weights.sum(axis=1, keepdims=True)
    log_rest = second - top + np.log(rest)  # ln of what the others weigh beside the leader's 1
    log_total = np.log1p(np.exp(-np.abs(log_rest))) + np.maximum(log_rest, 0)
    share = np.exp(scaled - top - log_total)
    remain = np.where(share < 0.75, share, 0)  # off the leader a share is at most 1/2
    log_left = np.log1p(-remain)
    np.put_along_axis(log_left, leader, log_rest - log_total, axis=1)
    return Pick(scaled, share, leader, weights / rest), log_left


def pick_backward(picked: Pick, grad_share: Array, carry: Array) -> Array:
    """Gradient of ``alpha / T`` from that of the share and of ``ln(1 - a)``, ``(rows, n)``."""
    share, leader = picked.share, picked.leader
    pull = share * (grad_share - (share * grad_share).sum(axis=1, keepdims=True))
    taken = np.take_along_axis(carry * share, leader, axis=1)  # (rows, 1)
    left = 1 - share
    np.put_along_axis(left, leader, np.inf, axis=1)  # the leader is dealt with on its own
    weight = carry * share / left
    pull += share * weight.sum(axis=1, keepdims=True) - weight + taken * picked.others
    np.put_along_axis(pull, leader, np.take_along_axis(pull, leader, axis=1) - taken, axis=1)
    return pull


class RelaxedSubset:
    """A smooth sample of ``k`` of ``n``: the entries of a row sum to k.

    Card:
        formula: p = sum of k softmaxes of (alpha_j / T), alpha_{j+1} = alpha_j + ln(1 - a_j)
        cost: O(n k) forward, O(n k) backward
        exactly k: yes in sum; single entries may exceed 1 a little
        exact zeros: no
        use when: k is small, and a random choice with a true gradient of the sample is wanted
        source: Xie and Ermon 2019, arXiv 1901.10517, algorithm 2
    """

    stochastic = True

    def forward(
        self, scores: Array, k: float, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Weights ``(rows, n)`` that sum to ``k`` in every row; dtype of the scores.

        Args:
            scores: ``(rows, n)``, finite.
            k: a whole number in [0, n]; 0 and n leave nothing to choose: all 0, all 1.
            temperature: towards 0 the sample becomes that of Gumbel Top-k.
            rng: draws the noise, which stays in the memory.

        Raises:
            InputError: rng missing, scores not finite, k not a whole number in [0, n],
                temperature not positive.

        """
        check_topk(scores, k, temperature)
        check_temperature(temperature, scores)
        require(float(k).is_integer(), "k", k, "a whole number", "each softmax takes one")
        noise = gumbel_noise(need_rng(rng, "relaxed subset sampling"), scores.shape)
        width = scores.dtype.type(temperature)
        memory: Memory = {"scores": scores, "temperature": width, "picks": []}
        if k in (0, scores.shape[1]):
            return np.full_like(scores, k > 0), memory
        alpha, p = scores + noise.astype(scores.dtype), np.zeros_like(scores)
        for _ in range(int(k)):
            picked, log_left = pick(alpha / width)
            alpha, p = alpha + log_left, p + picked.share
            memory["picks"].append(picked)
        return p, memory

    def backward(self, grad_p: Array, memory: Memory) -> Grads:
        """Gradients of ``scores`` and of ``temperature`` (0-d); the noise is held."""
        require_like(grad_p, memory["scores"], "grad_p")
        carry = np.zeros_like(memory["scores"])
        width, along = memory["temperature"], carry.dtype.type(0)
        for picked in reversed(memory["picks"]):
            pull = pick_backward(picked, grad_p, carry)
            carry = carry + pull / width
            along += (pull * picked.scaled).sum()
        return {"scores": carry, "temperature": np.asarray(-along / width)}
