"""Proofs of the ranking family: isotonic regression, soft rank and sort, matrix masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import EVERY_OPERATOR, Mistake, spoiled
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report

Pair = tuple[Callable[..., Any], Callable[..., Any]]


def blocks_forgotten(pair: Pair) -> Pair:
    """Isotonic regression whose backward lets every entry keep its own gradient."""
    return pair[0], lambda grad_v, memory: grad_v


def every_entry_alone(operator: Any) -> Any:
    """Soft rank or sort that forgets which scores were pooled."""
    def backward(self: Any, grad: Array, memory: Memory) -> Grads:
        alone = np.ones_like(memory["starts"])
        grads: Grads = operator.backward(grad, memory | {"starts": alone})
        return grads

    return spoiled(operator, backward=backward)


def left_in_sorted_order(operator: Any) -> Any:
    """The gradient is never put back into the order of the input."""
    def backward(self: Any, grad: Array, memory: Memory) -> Grads:
        grads: Grads = operator.backward(grad, memory)
        in_order = np.take_along_axis(grads["scores"], memory["order"], axis=1)
        return {**grads, "scores": in_order}

    return spoiled(operator, backward=backward)


def rows_share_no_sum(operator: Any) -> Any:
    """The softmax without its second term: ``P * g`` where ``P (g - <P, g>)`` is due."""
    def backward(self: Any, grad_p: Array, memory: Memory) -> Grads:
        g = memory["matrix"] * grad_p[:, None, :]
        pull = operator.logits_vjp(memory["u"], g) / memory["temperature"]
        return {"scores": pull, "temperature": np.asarray(-(pull * memory["u"]).sum())}

    return spoiled(operator, backward=backward)


def isotonic_proof(
    name: str, gates: Any, shape: tuple[int, int], *, projection: bool = False
) -> Proof:
    """An entry for isotonic regression on random walks, which pool into several blocks."""
    pair = (gates.ranking.isotonic_decreasing, gates.ranking.isotonic_decreasing_backward)

    def prove_isotonic(rng: Rng, mistake: Mistake | None) -> Report:
        ahead, back = mistake(pair) if mistake else pair
        y = rng.normal(size=shape).cumsum(axis=1)

        def forward() -> tuple[Values, Memory]:
            v, memory = ahead(y)
            return {"v": v}, memory

        subject = Subject({"y": y}, forward, lambda g, memory: {"y": back(g["v"], memory)})
        return prove_subject(subject, name=name, mutate=mistake is None,
                             kind="projection" if projection else "finite-difference",
                             seed=int(rng.integers(2**31)))

    return Proof(name, (pair[1],), prove_isotonic, {"blocks forgotten": blocks_forgotten})


def operator_proof(
    name: str, operator: Any, temperature: float, mistakes: dict[str, Mistake], *,
    budget: tuple[int, ...] = (), shape: tuple[int, int] = (3, 6), projection: bool = False,
) -> Proof:
    """An entry for a soft rank, a soft sort, or (with a budget) a mask, at one temperature."""
    def prove_operator(rng: Rng, mistake: Mistake | None) -> Report:
        member = mistake(operator) if mistake else operator
        tensors = {"scores": rng.normal(size=shape), "temperature": np.array(temperature)}

        def forward() -> tuple[Values, Memory]:
            output, memory = member.forward(
                tensors["scores"], *budget, float(tensors["temperature"]))
            return {"output": output}, memory

        subject = Subject(tensors, forward, lambda g, memory: member.backward(g["output"], memory))
        return prove_subject(subject, name=name, mutate=mistake is None,
                             kind="projection" if projection else "finite-difference",
                             seed=int(rng.integers(2**31)))

    return Proof(name, (type(operator),), prove_operator, mistakes)


def proofs(gates: Any) -> list[Proof]:
    """Every member of the ranking family of ``minimidl.gates``, which is handed in."""
    pooled: dict[str, Mistake] = {"every entry alone": every_entry_alone}
    order: dict[str, Mistake] = {"left in sorted order": left_in_sorted_order}
    rows: dict[str, Mistake] = {"missing temperature": EVERY_OPERATOR["missing temperature"],
            "rows share no sum": rows_share_no_sum}
    rank, sort = gates.rank_operator("soft-rank"), gates.rank_operator("soft-sort")
    large: dict[str, Any] = {"shape": (16, 200), "projection": True}
    return [
        isotonic_proof("isotonic regression", gates, (3, 8)),
        isotonic_proof("isotonic regression, 16 x 200", gates, (16, 200), projection=True),
        *(operator_proof(f"soft rank, T={t:g}", rank, t, {**pooled, **order}) for t in (0.3, 1.5)),
        *(operator_proof(f"soft sort, T={t:g}", sort, t, {**pooled, **order}) for t in (1.5, 5.0)),
        operator_proof("soft rank, 16 x 200", rank, 0.02, pooled, **large),
        operator_proof("soft sort, 16 x 200", sort, 60.0, pooled, **large),
        *(operator_proof(f"{name} Top-k, k={k}, T={t:g}", gates.topk(name), t, rows, budget=(k,))
          for name, k, t in (("softsort", 1, 0.3), ("softsort", 3, 0.7), ("softsort", 5, 2.0),
                             ("neuralsort", 1, 2.0), ("neuralsort", 3, 1.5),
                             ("neuralsort", 5, 4.0))),
        operator_proof("softsort Top-k, 4 x 60", gates.topk("softsort"), 0.5, rows, budget=(20,),
                       shape=(4, 60), projection=True),
        operator_proof("neuralsort Top-k, 4 x 60", gates.topk("neuralsort"), 20.0, rows,
                       budget=(20,), shape=(4, 60), projection=True),
    ]
