"""Proofs of the estimators that are right, or wrong by a known amount, in the mean.

The mean is a sum over all outcomes of a few gates (``enumeration.py``), so that no chance is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.proof.entry import Proof
from minimidl.proof.enumeration import (
    Estimate,
    moments,
    pathwise,
    score_function,
    true_gradient,
)
from minimidl.proof.exact import Scripted, prove_exact
from minimidl.proof.gate_losses import Loss, quadratic, small_network
from minimidl.proof.mistakes import Mistake, spoiled
from minimidl.proof.subject import Values
from minimidl.proof.surrogates import sigmoid
from minimidl.proof.verdict import Report


def random_quadratic(rng: Rng, m: int) -> tuple[Loss, Array, Array]:
    """A quadratic loss with interactions, and its two parts."""
    matrix, linear = rng.normal(size=(m, m)), rng.normal(size=m)
    matrix = matrix + matrix.T
    return quadratic(matrix, linear), matrix, linear


def mean_proof(
    name: str, thing: object, estimate_of: Callable[[Mistake | None], Estimate],
    loss_of: Callable[[Rng], Loss], mistakes: dict[str, Mistake], *, twins: bool = False,
) -> Proof:
    """The mean over all outcomes of three gates is the true gradient."""
    def prove_mean(rng: Rng, mistake: Mistake | None) -> Report:
        loss, logits = loss_of(rng), rng.normal(size=3)
        estimate = estimate_of(mistake)
        return prove_exact(
            lambda: {"mean gradient": moments(estimate, loss, logits, twins=twins).mean},
            {"mean gradient": true_gradient(loss, logits)}, name=name, kind="enumeration",
            mutate=mistake is None)

    return Proof(name, (thing,), prove_mean, mistakes)


def reinmax_proof(reinmax: Any) -> Proof:
    """ReinMax has no bias for a quadratic loss."""
    return mean_proof(
        "estimator reinmax, quadratic loss", type(reinmax),
        lambda mistake: pathwise(mistake(reinmax) if mistake else reinmax),
        lambda rng: random_quadratic(rng, 3)[0], {"outcomes exchanged": outcomes_exchanged})


def outcomes_exchanged(reinmax: Any) -> Any:
    """``p g / 2`` if open and ``(1 - p) g / 2`` if closed."""
    def backward(self: Any, grad_mask: Array, memory: Memory) -> Array:
        return grad_mask * (0.5 - memory["slope"])

    return spoiled(reinmax, backward=backward)


def score_proof(name: str, functions: Any, source: Any, twins: bool) -> Proof:
    """A score-function estimator has no bias for any loss."""
    return mean_proof(
        f"score function {name}", source,
        lambda mistake: score_function(mistake(functions[name]) if mistake else functions[name]),
        lambda rng: small_network(3, int(rng.integers(2**31))),
        {"uniform numbers turned round": turned_round}, twins=twins)


def turned_round(function: Any) -> Any:
    """The losses of ``1 - u`` are handed over with the gate of ``u``."""
    def spoilt(loss: Any, logits: Array, uniform: Array) -> Array:
        return np.asarray(function(lambda mask: loss(1 - mask), logits, uniform))

    return spoilt


def bias_proof(estimator: Any) -> Proof:
    """Identity on the probability, met by drawn gates: its bias on a quadratic, in closed form.

    With ``f = b'Ab + c'b`` the mean is ``p (1 - p) (2 A_ii p_i + c_i + 2 sum_{j != i} A_ij p_j)``;
    true is ``A_ii`` in place of ``2 A_ii p_i``; the bias is ``p (1 - p) A_ii (2 p_i - 1)``.
    """
    name = "estimator identity-probability, bias on a quadratic"

    def prove_bias(rng: Rng, mistake: Mistake | None) -> Report:
        loss, matrix, _ = random_quadratic(rng, 3)
        logits, gate = rng.normal(size=3), mistake(estimator) if mistake else estimator
        p = sigmoid(logits)

        def answer() -> Values:
            mean = moments(pathwise(gate), loss, logits).mean
            return {"bias": mean - true_gradient(loss, logits)}

        return prove_exact(answer, {"bias": p * (1 - p) * np.diag(matrix) * (2 * p - 1)},
                           name=name, kind="enumeration", mutate=mistake is None)

    return Proof(name, (type(estimator),), prove_bias, {"slope of the score": slope_of_the_score})


def slope_of_the_score(estimator: Any) -> Any:
    """Identity on the score instead."""
    def backward(self: Any, grad_mask: Array, memory: Memory) -> Array:
        return grad_mask

    return spoiled(estimator, backward=backward)


def categorical_proof(gate: Any) -> Proof:
    """Categorical ReinMax: the mean over the n outcomes, for a quadratic loss."""
    name = "estimator reinmax, categorical, quadratic loss"

    def prove_categorical(rng: Rng, mistake: Mistake | None) -> Report:
        chooser = mistake(gate) if mistake else gate
        logits, (loss, _, _) = rng.normal(size=4), random_quadratic(rng, 4)
        p, one_hots = np.exp(logits) / np.exp(logits).sum(), np.eye(4)
        # Far-out noise makes outcome i win in row i, whatever the scores.
        script = Scripted(np.where(one_hots == 1, 1 - 1e-12, 1e-12))

        def answer() -> Values:
            drawn, memory = chooser.forward(np.tile(logits, (4, 1)), 1.0, script)
            grads = chooser.backward(loss(drawn)[1], memory)
            return {"drawn": drawn, "mean gradient": p @ grads}

        value = loss(one_hots)[0]
        return prove_exact(answer, {"drawn": one_hots, "mean gradient": p * (value - p @ value)},
                           name=name, kind="enumeration", mutate=mistake is None)

    return Proof(name, (type(gate),), prove_categorical, {"one softmax only": one_softmax_only})


def one_softmax_only(gate: Any) -> Any:
    """Straight-through on the softmax: ``J(p) g``."""
    def backward(self: Any, grad_mask: Array, memory: Memory) -> Array:
        p = memory["plain"]
        return np.asarray(p * (grad_mask - (p * grad_mask).sum(axis=1, keepdims=True)))

    return spoiled(gate, backward=backward)


def mean_proofs(room: Any) -> list[Proof]:
    """ReinMax, the bias of straight-through, and the score functions."""
    known = room.ESTIMATORS
    return [
        reinmax_proof(known["reinmax"]),
        bias_proof(known["identity-probability"]),
        categorical_proof(room.CategoricalReinMax()),
        *(score_proof(name, room.SCORE_FUNCTIONS, source, twins) for name, source, twins in (
            ("reinforce", room.reinforce, False), ("reinforce-baseline", room.reinforce, False),
            ("arm", room.arm, True), ("disarm", room.disarm, True))),
    ]
