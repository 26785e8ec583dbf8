"""What the backward of a chooser is the derivative of, by the kind of the chooser.

A hard mask ``m0`` is replaced by ``m0 + s(z) - s(z0)`` (see ``surrogates.py``); here are the ``s``:

    hard Top-k    a soft Top-k with a held budget, by the name of its surrogate
    Gumbel Top-k  the same at ``z + G``, with the noise drawn a second time
    perturbed     the mean of the drawn masks, each weighted by how likely ``z`` makes its draw
    threshold     the primitive of the estimator's slope, with its noise drawn a second time
    DSelect-k     (when it decides hard) the smooth answer, ``k`` times a mixture of codes

Everything is written here a second time. This room imports nothing that it proves, so a class goes
by its name; a spoiled twin counts as what it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.proof.surrogates import held_budget, is_hard, sigmoid

StandIn = Callable[[Array], Array]
HARD_OPERATORS = ("HardTopK", "GumbelTopK")


def kind_of(thing: object, known: Collection[str]) -> str:
    """Name of the class, or of the nearest one it inherits from, that is known; else empty."""
    return next((c.__name__ for c in type(thing).__mro__ if c.__name__ in known), "")


def decides_hard(chooser: Any, decision: Any) -> bool:
    """Whether a chooser answered with a hard mask; one of an unknown kind by the mask itself."""
    kind = kind_of(chooser, MAKERS)
    if kind == "SplitChooser":
        return all(decides_hard(*part)
                   for part in zip(chooser.choosers, decision.memory["parts"], strict=True))
    if kind == "TopKChooser":
        return kind_of(decision.memory["operator"], HARD_OPERATORS) != ""
    return kind == "ThresholdChooser" or (kind == "" and is_hard(decision.mask))


def gate_stand_in(chooser: Any, decision: Any, rng: Rng | None) -> StandIn | None:
    """``s`` for one decision of a chooser.

    Args:
        chooser: of one of the kinds in :data:`MAKERS`.
        decision: what it decided at the test point.
        rng: where it stood before the chooser drew; None in evaluation. It is used up.

    Returns:
        None where the chooser is differentiable as it is.

    """
    return MAKERS[kind_of(chooser, MAKERS)](chooser, decision, rng)


def gumbel(rng: Rng, shape: tuple[int, ...]) -> Array:
    """``-ln(-ln u)``."""
    return np.asarray(-np.log(-np.log(rng.random(shape))))


def for_topk(chooser: Any, decision: Any, rng: Rng | None) -> StandIn | None:
    """Hard, Gumbel and perturbed Top-k; all others have a derivative."""
    operator, z0, k = decision.memory["operator"], decision.scores.copy(), chooser.k
    temperature = float(chooser.state["temperature"])
    kind = kind_of(operator, (*HARD_OPERATORS, "PerturbedTopK"))
    if kind and k >= z0.shape[1]:
        return np.ones_like
    if kind == "HardTopK":
        return held_budget(operator.surrogate, z0, k, temperature)
    if kind == "GumbelTopK":
        assert rng is not None
        noise = gumbel(rng, z0.shape)
        held = held_budget("sigmoid", z0 + noise, k, temperature)
        return lambda z: np.asarray(held(z + noise))
    return weighted_masks(operator, z0, k, temperature, rng) if kind else None


def weighted_masks(
    operator: Any, z0: Array, k: int, temperature: float, rng: Rng | None
) -> StandIn:
    """The draws are held; moving ``z`` makes some of them likelier."""
    assert rng is not None
    shape = (operator.samples, *z0.shape)
    e = rng.standard_normal(shape) if operator.noise == "gaussian" else gumbel(rng, shape)
    draws = z0 + temperature * e
    plain = top_rows(z0, k)
    change = top_rows(draws, k) - plain

    def stand_in(z: Array) -> Array:
        seen = log_density(operator.noise, (draws - z) / temperature)
        weight = np.exp(seen - log_density(operator.noise, e))[..., None]
        return np.asarray(plain + (weight * change).mean(axis=0))

    return stand_in


def log_density(noise: str, e: Array) -> Array:
    """Sum over the last axis of the log density of the noise, up to a constant."""
    return np.asarray((-e * e / 2 if noise == "gaussian" else -e - np.exp(-e)).sum(axis=-1))


def top_rows(scores: Array, k: int) -> Array:
    """Zeros and ones at the k largest of the last axis, by sorting; for scores without ties."""
    cut = np.sort(scores, axis=-1)[..., -k, None]
    return np.asarray((scores >= cut).astype(np.float64))


def log_sigmoid(u: Array) -> Array:
    """``-ln(1 + exp(-u))``."""
    return np.asarray(-np.logaddexp(0, -u))


PRIMITIVES: dict[str, Callable[[Array, float, float, Any, Any], Array]] = {
    "IdentityProbability": lambda z, cut, t, noise, is_open: sigmoid(z / t),
    "IdentityScore": lambda z, cut, t, noise, is_open: z,
    "Clipped": lambda z, cut, t, noise, is_open: np.clip(z, cut - 1, cut + 1),
    "ThresholdSurrogate": lambda z, cut, t, noise, is_open: sigmoid((z - cut) / t),
    "ConcreteStraightThrough": lambda z, cut, t, noise, is_open: sigmoid((z - cut + noise) / t),
    "ReinMax": lambda z, cut, t, noise, is_open: 0.5 * np.where(
        is_open, log_sigmoid((z - cut) / t), -log_sigmoid((cut - z) / t)),
}
"""By estimator: what its slope is the derivative of, from scores, cut, T, noise, and the draw."""


def for_threshold(chooser: Any, decision: Any, rng: Rng | None) -> StandIn:
    """The primitive of the estimator's slope; ``min_keep`` changes the mask, not the slope."""
    temperature, theta = (float(chooser.state[name]) for name in ("temperature", "threshold"))
    cut = temperature * math.log(theta / (1 - theta))
    kind, z0, noise = kind_of(chooser.estimator, PRIMITIVES), decision.scores, np.zeros(())
    if rng is not None and chooser.estimator.stochastic:
        u = rng.random(z0.shape)
        noise = np.log(u / (1 - u))
    is_open = (z0 - cut) / temperature + noise > 0  # read by ReinMax alone
    return lambda z: PRIMITIVES[kind](z, cut, temperature, noise, is_open)


def for_split(chooser: Any, decision: Any, rng: Rng | None) -> StandIn | None:
    """Part by part, in the order in which the parts draw."""
    found = [gate_stand_in(part, own, rng) for part, own in zip(
        chooser.choosers, decision.memory["parts"], strict=True)]
    parts = [part for part in found if part is not None]
    if len(parts) < len(found):
        return None
    return lambda z: np.concatenate(
        [part(own) for part, own in zip(parts, chooser.split(z), strict=True)], axis=1)


def for_dselect(chooser: Any, decision: Any, rng: Rng | None) -> StandIn | None:
    """In training the answer itself is smooth; in evaluation that answer stands in."""
    if rng is not None:
        return None
    k, n, temperature = chooser.k, decision.mask.shape[1], float(chooser.state["temperature"])
    return lambda z: dselect(z, k, n, temperature)


def dselect(scores: Array, k: int, n: int, temperature: float) -> Array:
    """``k sum_r softmax(w)_r prod_b (S(t_rb) or 1 - S(t_rb))``, code by code."""
    parts = scores.reshape(len(scores), k, -1)
    bits, weights = parts[:, :, :-1] * 0.01 / temperature, parts[:, :, -1]
    t = np.clip(bits, -0.5, 0.5)
    step = -2 * t**3 + 1.5 * t + 0.5
    mix = np.exp(weights) / np.exp(weights).sum(axis=1, keepdims=True)
    columns = []
    for code in range(n):
        share = mix.copy()
        for bit in range(bits.shape[2]):
            share = share * (step[:, :, bit] if code >> bit & 1 else 1 - step[:, :, bit])
        columns.append(k * share.sum(axis=1))
    return np.stack(columns, axis=1)


MAKERS: dict[str, Callable[[Any, Any, Rng | None], StandIn | None]] = {
    "TopKChooser": for_topk, "ThresholdChooser": for_threshold, "SplitChooser": for_split,
    "DSelectChooser": for_dselect,
    "Router": lambda router, decision, rng: None,  # with the choice held, weights are smooth
    "FixedRateChooser": lambda chooser, decision, rng: None,  # drawn whatever the scores are
}
