"""Proofs of the threshold family: every member, and every member as surrogate of the hard Top-k."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minimidl.arrays import Array, Grads, Memory
from minimidl.proof.entries.gate_entries import topk_proof
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake, slope_of, spoiled


def plain_mean(operator: Any) -> Any:
    """``d (g - mean of g) / T``: the mean forgets that undecided entries weigh more."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads = operator.backward(grad_p, memory)
        pull = grad_p - grad_p.mean(axis=1, keepdims=True)
        return {**grads, "scores": slope_of(memory) * pull / memory["temperature"]}

    return spoiled(operator, backward=backward)


def growing_temperature(operator: Any) -> Any:
    """The sign of ``dL/dT`` is lost: a higher temperature would sharpen."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads = operator.backward(grad_p, memory)
        return {**grads, "temperature": -grads["temperature"]}

    return spoiled(operator, backward=backward)


def one_sided(operator: Any) -> Any:
    """The surrogate's F(0), not its F(u) = 1/2, is put at the cut: closed gates hear nothing."""
    twin = spoiled(operator)
    twin.member = spoiled(operator.member)
    twin.member.middle = 0.0
    return twin


FAMILY: dict[str, Mistake] = {
    "plain mean": plain_mean, "wrong sign of dL/dT": growing_temperature,
}


def with_mistakes(proof: Proof, mistakes: Mapping[str, Mistake]) -> Proof:
    """The same proof, which must catch these mistakes too."""
    return replace(proof, mistakes={**proof.mistakes, **mistakes})


def soft_proofs(gates: Any) -> list[Proof]:
    """Members at whole, broken, small and large budgets; cold and warm; and one larger shape."""
    members: list[tuple[str, Any]] = [
        ("LapSum", gates.LapSumTopK()), ("capped-simplex", gates.CappedSimplexTopK()),
        ("p-norm 4/3", gates.PNormTopK()), ("p-norm 1.5", gates.PNormTopK(1.5)),
        ("p-norm 2", gates.PNormTopK(2)), ("p-norm 3", gates.PNormTopK(3)),
        ("normal", gates.NormalTopK()),
    ]
    # At a budget of 0.2 or 5.9 of 6 a saturating member is undecided only where it is warm.
    points = ((1, 3.0), (2.5, 0.5), (0.2, 12.0), (5.9, 12.0))
    small = [topk_proof(f"{name} Top-k, k={k:g}, T={t:g}", operator, k, t)
             for name, operator in members for k, t in points]
    large = [topk_proof(f"{name} Top-k, 8 x 60", operator, 20.5, 1.5, (8, 60), projection=True)
             for name, operator in members]
    return [with_mistakes(proof, FAMILY) for proof in small + large]


def surrogate_proofs(gates: Any) -> list[Proof]:
    """The hard Top-k with every surrogate but the sigmoid, which has its entries already."""
    found = []
    for surrogate in ("lapsum", "capped-simplex", "pnorm", "normal"):
        operator = gates.HardTopK(surrogate)
        mistakes = {"one-sided cut": one_sided} if operator.member.middle else {}
        found += [with_mistakes(topk_proof(
            f"hard Top-k, {surrogate} surrogate, k={k}, T={t:g}", operator, k, t, hard=True,
            stand_in=surrogate), mistakes) for k, t in ((1, 3.0), (3, 2.0), (5, 5.0))]
    return found


def proofs(gates: Any) -> list[Proof]:
    """Every member of ``minimidl.gates``, handed in, soft and as a surrogate."""
    return soft_proofs(gates) + surrogate_proofs(gates)
