"""Proofs of the gates that draw.

With the noise held, a relaxed sample is an ordinary function and is differenced. A hard sample is
not: its backward is proved against a stand-in that has a derivative, and its *distribution* against
a closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entries.perturbed_entries import perturbed_proofs
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import (
    Mistake,
    operator_without_temperature,
    reversed_operator,
    spoiled,
)
from minimidl.proof.plackett_luce import follows_plackett_luce
from minimidl.proof.prove import LINEARISED_TOLERANCE, prove_pair
from minimidl.proof.subject import Subject, Values
from minimidl.proof.surrogates import topk_surrogate
from minimidl.proof.verdict import Report

Draw = Callable[..., tuple[Array, Memory]]


def sampled_proof(
    name: str, operator: Any, temperature: float, more: tuple[float, ...] = (),
    shape: tuple[int, int] = (3, 6), mistakes: Mapping[str, Mistake] | None = None,
    covers: tuple[object, ...] = (),
) -> Proof:
    """An entry for a relaxed sample: scores and temperature, the noise held by its seed."""
    def prove_sample(rng: Rng, mistake: Mistake | None) -> Report:
        sampler = mistake(operator) if mistake else operator
        scores, width = rng.normal(size=shape), np.array(temperature)
        noise_seed = int(rng.integers(2**31))

        def forward() -> tuple[Values, Memory]:
            p, memory = sampler.forward(scores, *more, float(width),
                                        np.random.default_rng(noise_seed))
            return {"p": p}, memory

        return prove_subject(
            Subject({"scores": scores, "temperature": width}, forward,
                    lambda g, memory: sampler.backward(g["p"], memory)),
            name=name, seed=int(rng.integers(2**31)), mutate=mistake is None)

    named = {"missing temperature": operator_without_temperature, **(mistakes or {})}
    return Proof(name, (type(operator), *covers), prove_sample, named)


def gumbel_proof(name: str, operator: Any, k: int, temperature: float) -> Proof:
    """Gumbel Top-k: the surrogate at the noisy scores, and the law of Plackett and Luce."""
    def prove_gumbel(rng: Rng, mistake: Mistake | None) -> Report:
        sampler = mistake(operator) if mistake else operator
        scores, budget, width = rng.normal(size=(3, 6)), np.array(float(k)), np.array(temperature)
        noise_seed, start = int(rng.integers(2**31)), scores.copy()

        def forward() -> tuple[Values, Memory]:
            p, memory = sampler.forward(scores, float(budget), float(width),
                                        np.random.default_rng(noise_seed))
            return {"p": p}, memory

        uniform = np.random.default_rng(noise_seed).random(scores.shape)
        noisy = start - np.log(-np.log(uniform))
        frozen = topk_surrogate(noisy, budget, width)

        def surrogate() -> tuple[Values, Memory]:
            noisy[...] = scores - np.log(-np.log(uniform))
            return frozen()

        return prove_subject(
            Subject({"scores": scores, "k": budget, "temperature": width}, forward,
                    lambda g, memory: sampler.backward(g["p"], memory), surrogate,
                    statements=(lambda: follows_plackett_luce(sampler),)),
            name=name, kind="linearised", tolerance=LINEARISED_TOLERANCE,
            seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (type(operator),), prove_gumbel, {
        "missing temperature": operator_without_temperature,
        "reversed straight-through": reversed_operator, "noise left out": noise_left_out,
        "noise of the wrong sign": noise_of_the_wrong_sign})


def noise_left_out(operator: Any) -> Any:
    """The scores are not disturbed: always the same choice."""
    return with_uniform(operator, lambda u: np.full_like(u, 0.5))


def noise_of_the_wrong_sign(operator: Any) -> Any:
    """``ln(-ln u)`` in place of ``-ln(-ln u)``: the law is no longer that of Plackett and Luce."""
    return with_uniform(operator, lambda u: np.exp(1 / np.log(np.clip(u, 1e-12, 1 - 1e-12))))


def with_uniform(operator: Any, change: Callable[[Array], Array]) -> Any:
    """A twin whose uniform numbers are changed before they become noise."""
    class Changed:
        def __init__(self, rng: Rng) -> None:
            self.rng = rng

        def random(self, shape: tuple[int, ...]) -> Array:
            return change(self.rng.random(shape))

    def forward(self: Any, scores: Array, k: float, temperature: float, rng: Rng) -> Any:
        return operator.forward(scores, k, temperature, Changed(rng))

    return spoiled(operator, forward=forward)


def others_forget_the_leader(operator: Any) -> Any:
    """The carry between the softmaxes is dropped: every softmax thinks it is alone."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        apart = [operator.backward(grad_p, {**memory, "picks": [one]}) for one in memory["picks"]]
        return {key: np.asarray(sum(g[key] for g in apart)) for key in ("scores", "temperature")}

    return spoiled(operator, backward=backward)


def hard_concrete_proof(name: str, gate: Any, draw: Callable[[Any, int], Draw]) -> Proof:
    """An entry for a stretched and clipped gate, sampled or at test time."""
    def prove_gate(rng: Rng, mistake: Mistake | None) -> Report:
        spoilt = mistake(gate) if mistake else gate
        scores = rng.normal(size=(3, 6))
        forward_of = draw(spoilt, int(rng.integers(2**31)))

        def forward() -> tuple[Values, Memory]:
            value, memory = forward_of(scores)
            return {"gate": value}, memory

        return prove_subject(
            Subject({"scores": scores}, forward,
                    lambda g, memory: {"scores": spoilt.backward(g["gate"], memory)}),
            name=name, seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (type(gate),), prove_gate, {"clip forgotten": clip_forgotten})


def clip_forgotten(gate: Any) -> Any:
    """The gradient passes through the clip as if it were not there."""
    def backward(self: Any, grad_gate: Array, memory: Memory) -> Array:
        return grad_gate * np.where(memory["inside"], memory["slope"], 0.1)

    return spoiled(gate, backward=backward)


def sampled(gate: Any, noise_seed: int) -> Draw:
    """The training gate, the same noise at every call."""
    return lambda scores: gate.forward(scores, np.random.default_rng(noise_seed))


def tested(gate: Any, noise_seed: int) -> Draw:
    """The gate of evaluation: no noise."""
    return lambda scores: gate.test_gate(scores)


def penalty_proof(sampling: Any) -> Proof:
    """The expected number of open gates."""
    def prove_penalty(rng: Rng, mistake: Mistake | None) -> Report:
        return prove_pair(sampling.expected_l0, sampling.expected_l0_backward,
                          rng.normal(size=(3, 6)), name="L0", mutate=mistake is None)

    return Proof("hard concrete, expected L0", (sampling.expected_l0_backward,), prove_penalty)


def proofs(gates: Any) -> list[Proof]:
    """Every sampler of ``minimidl.gates.sampling``, handed in."""
    room = gates.sampling
    hard, forgets = room.HardConcrete(), {"carry forgotten": others_forget_the_leader}
    inner = (room.relaxed_subset.pick_backward,)
    return [
        *(gumbel_proof(f"Gumbel Top-k, k={k}, T={t:g}", room.GumbelTopK(), k, t)
          for k, t in ((1, 2.0), (3, 0.3))),
        sampled_proof("relaxed subset, k=1, T=2", room.RelaxedSubset(), 2.0, (1,),
                      covers=inner),
        *(sampled_proof(f"relaxed subset, k={k}, T={t:g}", room.RelaxedSubset(), t, (k,),
                        mistakes=forgets, covers=inner) for k, t in ((2, 0.5), (4, 2.0), (5, 0.7))),
        *(sampled_proof(f"binary Concrete, T={t:g}", room.BinaryConcrete(), t)
          for t in (0.5, 2.0)),
        hard_concrete_proof("hard concrete, sampled", hard, sampled),
        hard_concrete_proof("hard concrete, test gate", room.HardConcrete(0.5, -0.4, 1.3), tested),
        penalty_proof(room),
        *perturbed_proofs(room),
    ]
