"""Proofs of the estimators that have a stand-in: what would their backward be the derivative of?

The mask found at the test point plus the change of the stand-in is differenced on every entry; the
forward itself must be exactly hard, and flat. Estimators that are right in the mean only are proved
in ``mean_entries.py``, DSelect-k in ``dselect_entries.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.proof.differences import numeric_gradient
from minimidl.proof.engine import prove_subject
from minimidl.proof.entries.dselect_entries import dselect_proofs
from minimidl.proof.entries.mean_entries import mean_proofs
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake, spoiled
from minimidl.proof.prove import LINEARISED_TOLERANCE
from minimidl.proof.subject import Subject, Values
from minimidl.proof.surrogates import sigmoid
from minimidl.proof.verdict import Report

StandIn = Callable[[Array, float, float, Array], Array]
"""Scores, cut, temperature and logistic noise to the smooth value that replaces the mask."""

STAND_INS: dict[str, StandIn] = {
    "identity-probability": lambda z, cut, t, noise: sigmoid(z / t),
    "identity-score": lambda z, cut, t, noise: z,
    "clipped": lambda z, cut, t, noise: np.clip(z, cut - 1, cut + 1),
    "threshold-surrogate": lambda z, cut, t, noise: sigmoid((z - cut) / t),
    "concrete": lambda z, cut, t, noise: sigmoid((z - cut + noise) / t),
}
SAMPLES_HARD = "forward is not the hard decision"


def linearised_proof(name: str, estimator: Any, cut: float, temperature: float) -> Proof:
    """One estimator against its stand-in; the forward must be exactly hard, and flat."""
    def prove_estimator(rng: Rng, mistake: Mistake | None) -> Report:
        gate = mistake(estimator) if mistake else estimator
        z, noise_seed = rng.normal(size=(3, 5)), int(rng.integers(2**31))
        u = np.random.default_rng(noise_seed).random(z.shape)
        noise = np.log(u) - np.log1p(-u)

        def forward() -> tuple[Values, Memory]:
            mask, memory = gate.forward(z, cut, temperature, np.random.default_rng(noise_seed))
            return {"mask": mask}, memory

        start = STAND_INS[name](z.copy(), cut, temperature, noise)
        is_open = z + (noise if estimator.stochastic else 0) > cut

        def surrogate() -> tuple[Values, Memory]:
            change = STAND_INS[name](z, cut, temperature, noise) - start
            return {"mask": is_open + change}, {"open": change > 1e9}

        def is_hard() -> str:
            flat = not numeric_gradient(lambda _: float(forward()[0]["mask"].sum()), z).any()
            same = np.array_equal(forward()[0]["mask"], is_open)
            return "" if flat and same else SAMPLES_HARD

        return prove_subject(
            Subject({"scores": z}, forward,
                    lambda g, memory: {"scores": gate.backward(g["mask"], memory)}, surrogate,
                    statements=(is_hard,)),
            name=name, kind="linearised", tolerance=LINEARISED_TOLERANCE,
            seed=int(rng.integers(2**31)), mutate=mistake is None)

    title = f"estimator {name}, cut={cut:g}, T={temperature:g}"
    return Proof(title, (type(estimator),), prove_estimator, {
        "reversed straight-through": reversed_estimator, "missing temperature": without_temperature,
        "cut left out": without_cut})


def reversed_estimator(estimator: Any) -> Any:
    """The value is the soft probability, and nothing reaches the scores."""
    def forward(self: Any, scores: Array, *args: Any) -> tuple[Array, Memory]:
        return sigmoid(scores), estimator.forward(scores, *args)[1]

    def backward(self: Any, grad_mask: Array, memory: Memory) -> Array:
        return np.zeros_like(grad_mask)

    return spoiled(estimator, forward=forward, backward=backward)


def without_temperature(estimator: Any) -> Any:
    """The slope is that of temperature 1."""
    def forward(self: Any, scores: Array, cut: float, t: float, rng: Rng) -> Any:
        return estimator.forward(scores, cut, 1.0, rng)

    return spoiled(estimator, forward=forward)


def without_cut(estimator: Any) -> Any:
    """Everything is decided at 0."""
    def forward(self: Any, scores: Array, cut: float, t: float, rng: Rng) -> Any:
        return estimator.forward(scores, 0.0, t, rng)

    return spoiled(estimator, forward=forward)


def proofs(gates: Any) -> list[Proof]:
    """Every estimator of ``minimidl.gates.estimators``, handed in."""
    known = gates.estimators.ESTIMATORS
    return [
        *(linearised_proof(name, known[name], cut, t)
          for name in STAND_INS for cut, t in ((0.0, 0.3), (0.4, 2.0))),
        *mean_proofs(gates.estimators),
        *dselect_proofs(gates.estimators),
    ]
