"""Proofs of perturbed Top-k, where differences of the forward see nothing.

Two proofs. *Weighted draws*: the same draws, seen from other scores, carry the weight
``w = density(draw; z, T) / density(draw; z0, T0)``; the weighted mean of the masks is smooth in z
and T, and its derivative at the test point is what backward must return, draw by draw. *Closed
form*, for two scores and k = 1: ``Phi((z_1 - z_2) / (T sqrt 2))`` for Gaussian noise, and
``softmax(z / T)`` for Gumbel noise. The noise is a script of equally likely strata whose edges hit
the step of the mask, so that the sums are exact and no chance is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entry import Proof
from minimidl.proof.exact import Scripted, prove_exact
from minimidl.proof.gate_stand_ins import log_density, top_rows
from minimidl.proof.mistakes import Mistake, operator_without_temperature, spoiled
from minimidl.proof.prove import LINEARISED_TOLERANCE
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report

STRATA = 8
OPEN_STRATA = 3
"""The first score wins in this many of the strata."""


def weighted_proof(name: str, operator: Any, k: int, temperature: float) -> Proof:
    """Every entry of backward against differences of the weighted mean of the masks."""
    def prove_weighted(rng: Rng, mistake: Mistake | None) -> Report:
        sampler = mistake(operator) if mistake else operator
        scores, width = rng.normal(size=(3, 5)), np.array(temperature)
        noise_seed, start = int(rng.integers(2**31)), scores.copy()

        def forward() -> tuple[Values, Memory]:
            p, memory = sampler.forward(scores, k, float(width), np.random.default_rng(noise_seed))
            return {"p": p}, memory

        e = forward()[1]["noise"]
        draws = start + temperature * e  # (samples, rows, n), from here on held
        masks, plain, n = top_rows(draws, k), top_rows(start, k), scores.shape[1]

        def surrogate() -> tuple[Values, Memory]:
            seen = log_density(operator.noise, (draws - scores) / width) - n * np.log(width)
            home = log_density(operator.noise, e) - n * np.log(temperature)
            weight = np.exp(seen - home)[..., None]
            return {"p": plain + (weight * (masks - plain)).mean(axis=0)}, {}

        def same_value() -> str:
            agree = np.allclose(forward()[0]["p"], masks.mean(axis=0), atol=1e-12)
            return "" if agree else "forward is not the mean of the hard masks"

        return prove_subject(
            Subject({"scores": scores, "temperature": width}, forward,
                    lambda g, memory: sampler.backward(g["p"], memory), surrogate,
                    statements=(same_value,)),
            name=name, kind="linearised", tolerance=10 * LINEARISED_TOLERANCE,
            seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (type(operator),), prove_weighted, {
        "missing temperature": operator_without_temperature,
        "slope of the other noise": slope_of_the_other_noise})


def slope_of_the_other_noise(operator: Any) -> Any:
    """Gumbel noise with the Gaussian formula, or the reverse."""
    def slope(self: Any, e: Array) -> Array:
        return e if operator.noise == "gumbel" else np.asarray(1 - np.exp(-e))

    return spoiled(operator, slope=slope)


def gaussian_script() -> Array:
    """Noise ``(2 STRATA, 1, 2)`` that stands for all Gaussian noise in the plane.

    Along the difference ``d`` it is the mean of each stratum; across, two opposite values that
    give ``d^2 + s^2`` its mean in the stratum. Then every sum of 1, ``e`` and ``|e|^2`` over whole
    strata is that of the Gaussian itself.
    """
    law = NormalDist()
    edges = [-math.inf, *(law.inv_cdf(i / STRATA) for i in range(1, STRATA)), math.inf]
    height = np.array([0.0, *(law.pdf(x) for x in edges[1:-1]), 0.0])
    moment = np.array([0.0, *(x * law.pdf(x) for x in edges[1:-1]), 0.0])
    d = -np.diff(height) * STRATA
    square = 1 - np.diff(moment) * STRATA  # mean of d^2 in the stratum
    s = np.sqrt(square + 1 - d * d)
    d, s = np.concatenate([d, d]), np.concatenate([s, -s])
    return np.asarray(np.stack([d + s, s - d], axis=1)[:, None, :] / math.sqrt(2))


def gumbel_script() -> Array:
    """Uniform numbers ``(STRATA, 1, 2)``: two exponentials of sum 2 in equally likely ratios.

    Gumbel noise is ``-ln E`` with exponential ``E``. The share ``E_1 / (E_1 + E_2)`` is uniform and
    independent of the sum, whose mean is 2; backward is linear in both.
    """
    share = (np.arange(STRATA) + 0.5) / STRATA
    return np.asarray(np.exp(-2 * np.stack([share, 1 - share], axis=1))[:, None, :])


def closed_form_proof(
    name: str, operator: Any, script: Callable[[], Array],
    expected: Callable[[float], tuple[float, float, Values]],
) -> Proof:
    """Two scores, k = 1: mean and gradient against the closed form."""
    def prove_closed(rng: Rng, mistake: Mistake | None) -> Report:
        sampler = mistake(operator) if mistake else operator
        temperature, g = float(rng.uniform(0.5, 2)), rng.normal(size=(1, 2))
        gap, slope, more = expected(temperature)
        scores = np.array([[gap, 0.0]]) + rng.normal()

        def answer() -> Values:
            p, memory = sampler.forward(scores, 1, temperature, Scripted(script()))
            grads = sampler.backward(g, memory)
            return {"p": p, **{key: grads[key] for key in ("scores", *more)}}

        share, pull = OPEN_STRATA / STRATA, slope * (g[0, 0] - g[0, 1])
        truth: Values = {"p": np.array([[share, 1 - share]]), "scores": np.array([[pull, -pull]])}
        truth |= {key: factor * pull for key, factor in more.items()}
        return prove_exact(answer, truth, name=name, kind="closed-form", mutate=mistake is None)

    return Proof(name, (type(operator),), prove_closed, {
        "missing temperature": operator_without_temperature,
        "slope of the other noise": slope_of_the_other_noise, "twice the step": twice_the_step})


def twice_the_step(operator: Any) -> Any:
    """The masks enter as -1 and 1: a gradient twice as large."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads: Grads = operator.backward(2 * grad_p, memory)
        return grads

    return spoiled(operator, backward=backward)


def gaussian_form(temperature: float) -> tuple[float, float, Values]:
    """Gap with ``Phi(gap / (T sqrt 2)) = 3/8``, ``dPhi/dgap``, and ``dp/dT = -(gap / T) dp/dz``."""
    law = NormalDist()
    quantile = law.inv_cdf(OPEN_STRATA / STRATA)
    gap = temperature * math.sqrt(2) * quantile
    slope = law.pdf(quantile) / (temperature * math.sqrt(2))
    return gap, slope, {"temperature": np.array(-gap / temperature)}


def gumbel_form(temperature: float) -> tuple[float, float, Values]:
    """Gap with ``sigmoid(gap / T) = 3/8`` and its slope; the script is too short for ``dT``."""
    share = OPEN_STRATA / STRATA
    return temperature * math.log(share / (1 - share)), share * (1 - share) / temperature, {}


def perturbed_proofs(sampling: Any) -> list[Proof]:
    """Perturbed Top-k with both kinds of noise."""
    def build(noise: str, samples: int) -> Any:
        return sampling.PerturbedTopK(noise, samples)

    return [
        *(weighted_proof(f"perturbed Top-k, {noise}, k={k}, T={t:g}", build(noise, 6), k, t)
          for noise, k, t in (("gaussian", 2, 0.5), ("gaussian", 1, 2.0), ("gumbel", 2, 0.5),
                              ("gumbel", 3, 2.0))),
        closed_form_proof("perturbed Top-k, gaussian, closed form", build("gaussian", 2 * STRATA),
                          gaussian_script, gaussian_form),
        closed_form_proof("perturbed Top-k, gumbel, closed form", build("gumbel", STRATA),
                          gumbel_script, gumbel_form),
    ]
