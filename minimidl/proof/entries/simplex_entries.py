"""Proofs of the simplex family: scores, temperature, and alpha where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import EVERY_OPERATOR, Mistake, spoiled
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report


def slope_of_softmax(operator: Any) -> Any:
    """Every member treated as a softmax: ``s = p``."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        grads: Grads = operator.backward(grad_p, memory | {"slope": memory["p"]})
        return grads

    return spoiled(operator, backward=backward)


def slope_outside_support(operator: Any) -> Any:
    """Closed entries pull on the cut as well: the support is forgotten."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        full = np.where(memory["support"], memory["slope"], 1.0)
        grads: Grads = operator.backward(grad_p, memory | {"slope": full})
        return grads

    return spoiled(operator, backward=backward)


def entropy_left_out(operator: Any) -> Any:
    """``dp/dalpha`` without the second of its two terms, the one in ``p ln p``."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        slope, rest = memory["slope"], memory["alpha"] - 1
        change = (memory["p"] - slope / slope.sum(axis=1, keepdims=True)) / rest**2
        grads: Grads = operator.backward(grad_p, memory)
        return {**grads, "alpha": np.asarray((grad_p * change).sum())}

    return spoiled(operator, backward=backward)


def simplex_proof(
    name: str, operator: Any, temperature: float, mistakes: dict[str, Mistake], *,
    alpha: float | None = None, shape: tuple[int, int] = (3, 6), projection: bool = False,
    covers: tuple[object, ...] = (),
) -> Proof:
    """An entry for one member at one temperature, and at one alpha where it takes one."""
    def prove_member(rng: Rng, mistake: Mistake | None) -> Report:
        member = mistake(operator) if mistake else operator
        tensors = {"scores": rng.normal(size=shape), "temperature": np.array(temperature)}
        if alpha is not None:
            tensors["alpha"] = np.array(alpha)

        def forward() -> tuple[Values, Memory]:
            dial = {"alpha": float(tensors["alpha"])} if alpha is not None else {}
            p, memory = member.forward(tensors["scores"], float(tensors["temperature"]), **dial)
            return {"p": p}, memory

        def sums_to_one() -> str:
            p = forward()[0]["p"]
            off = float(np.max(np.abs(p.sum(axis=1) - 1)))
            return f"rows sum to 1 only to {off:.1e}" if off > 1e-12 or p.min() < 0 else ""

        subject = Subject(tensors, forward, lambda g, memory: member.backward(g["p"], memory),
                          statements=(sums_to_one,))
        return prove_subject(subject, name=name, mutate=mistake is None,
                             kind="projection" if projection else "finite-difference",
                             seed=int(rng.integers(2**31)))

    return Proof(name, (type(operator), *covers), prove_member, mistakes)


def proofs(gates: Any) -> list[Proof]:
    """Every member of ``minimidl.gates.SIMPLEX``, which is handed in."""
    cut = {"constant cut": EVERY_OPERATOR["constant cut"]}
    faults = {**EVERY_OPERATOR, "slope of softmax": slope_of_softmax,
              "slope outside the support": slope_outside_support}
    family: dict[str, Any] = {"covers": (gates.threshold.base.implicit_backward,)}
    large: dict[str, Any] = {"shape": (16, 200), "projection": True}
    dial = {"entropy term left out": entropy_left_out}
    alpha_entmax = gates.simplex("alpha-entmax")
    return [
        *(simplex_proof(f"{name}, T={t:g}", gates.simplex(name), t, faults if t != 1 else cut,
                        **family)
          for name in ("softmax", "sparsemax", "entmax15") for t in (1.0, 0.4)),
        *(simplex_proof(f"{name}, 16 x 200", gates.simplex(name), 0.5, cut, **large)
          for name in ("softmax", "sparsemax", "entmax15")),
        *(simplex_proof(f"alpha-entmax, alpha={a:g}, T={t:g}", alpha_entmax, t, {**faults, **dial},
                        alpha=a, **family)
          for a, t in ((1.01, 0.7), (1.25, 0.5), (1.5, 0.7), (1.9, 2.0))),
        simplex_proof("alpha-entmax, 16 x 200", alpha_entmax, 0.5, cut, alpha=1.25, **large),
    ]
