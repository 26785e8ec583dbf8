"""Proofs of DSelect-k: smooth, so every entry of every tensor is differenced."""

from __future__ import annotations

from typing import Any

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake, spoiled
from minimidl.proof.prove import prove_pair
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report


def dselect_proof(name: str, selector: Any, spread: float) -> Proof:
    """DSelect-k, with a gradient of the selectors as a penalty would send it."""
    def prove_dselect(rng: Rng, mistake: Mistake | None) -> Report:
        chooser = mistake(selector) if mistake else selector
        bits = rng.uniform(-spread, spread, size=(3, selector.k, selector.bits))
        weights = rng.normal(size=(3, selector.k))

        def forward() -> tuple[Values, Memory]:
            q, memory = chooser.forward(bits, weights)
            return {"q": q, "selectors": memory["selectors"]}, memory

        def backward(g: Values, memory: Memory) -> Values:
            grads: Values = chooser.backward(g["q"], memory, g["selectors"])
            return grads

        return prove_subject(Subject({"bits": bits, "weights": weights}, forward, backward),
                             name=name, seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (type(selector),), prove_dselect, {
        "penalty left out": penalty_left_out, "bits turned round": bits_turned_round})


def penalty_left_out(selector: Any) -> Any:
    """The gradient of the penalty is accepted and ignored."""
    def backward(self: Any, grad_q: Array, memory: Memory, _: Array) -> Grads:
        grads: Grads = selector.backward(grad_q, memory)
        return grads

    return spoiled(selector, backward=backward)


def bits_turned_round(selector: Any) -> Any:
    """The first bit is taken for the last on the way back."""
    def backward(self: Any, grad_q: Array, memory: Memory, more: Array) -> Grads:
        grads = selector.backward(grad_q, memory, more)
        return {**grads, "bits": grads["bits"][:, :, ::-1]}

    return spoiled(selector, backward=backward)


def penalty_proof(room: Any, n: int) -> Proof:
    """The two penalties on the selectors."""
    name = f"DSelect-k penalty, n={n}"

    def prove_penalty(rng: Rng, mistake: Mistake | None) -> Report:
        return prove_pair(
            lambda selectors: room.selector_penalty(selectors, n, 0.7, 1.3),
            room.selector_penalty_backward, rng.uniform(0.05, 0.6, size=(2, 3, 8)), name=name,
            mutate=mistake is None)

    return Proof(name, (room.selector_penalty_backward,), prove_penalty)


def dselect_proofs(room: Any) -> list[Proof]:
    """The selector and its penalty, for powers of two and not."""
    return [
        dselect_proof("DSelect-k, 2 of 8", room.DSelectK(8, 2), 0.4),
        dselect_proof("DSelect-k, 3 of 6, width 2", room.DSelectK(6, 3, 2.0), 1.3),
        penalty_proof(room, 8), penalty_proof(room, 5),
    ]
