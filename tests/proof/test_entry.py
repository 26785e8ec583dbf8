from __future__ import annotations

import numpy as np
from toys import Dead, Forgets, Square

from minimidl.proof import prove_layer
from minimidl.proof.entry import Proof, generator, run_proof


def entry(mistakes: dict, kinked: int = 0) -> Proof:
    """A proof of the square layer; its first ``kinked`` test points lie on a kink of ``|x|``."""
    draws = []

    class Folded(Square):
        def forward(self, x, training=False, rng=None):
            output, memory = super().forward(x)
            return output + np.abs(x - 1.0), memory

        def backward(self, grad_output, memory, grad_gate=None):
            grad_x, grads = super().backward(grad_output, memory)
            return grad_x + grad_output * np.sign(memory["x"] - 1.0), grads

    def prove(rng: np.random.Generator, mistake):
        layer, x = Folded(), 2 + rng.uniform(size=(2, 3))
        draws.append(x[0, 0])
        if len(draws) <= kinked:
            x[1, 1] = 1.0
        return prove_layer(mistake(layer) if mistake else layer, x, mutate=False)

    return Proof("toy", (Square,), prove, mistakes)


def forget(layer: Square) -> Square:
    layer.__class__ = Forgets
    return layer


def test_test_points_are_drawn_until_one_is_clear_of_kinks() -> None:
    assert run_proof(entry({}, kinked=2)).passed


def test_after_many_draws_the_kink_is_reported() -> None:
    assert run_proof(entry({}, kinked=10**6)).kinks


def dull_entry(layer: Square, dull: int) -> Proof:
    """A proof whose first ``dull`` test points are 0, where the square has no gradient."""
    draws = []

    def prove(rng: np.random.Generator, mistake):
        draws.append(rng)
        return prove_layer(layer, (len(draws) > dull) * (1 + rng.uniform(size=(2, 3))))

    return Proof("dull", (Square,), prove)


def test_a_point_that_shows_no_gradient_is_drawn_again() -> None:
    assert run_proof(dull_entry(Square(), dull=3)).passed


def test_a_gradient_that_is_zero_everywhere_stays_a_failure() -> None:
    assert run_proof(dull_entry(Dead(), dull=0)).objections == [
        "unused: gradient is 0, or too weak to prove"]


def test_a_wrong_derivative_is_not_drawn_away() -> None:
    report = dull_entry(Forgets(), dull=0).prove(np.random.default_rng(0), None)
    assert report.objections
    assert not report.bad_luck
    assert not run_proof(dull_entry(Forgets(), dull=0)).passed


def test_named_mistakes_are_counted_when_they_change_something() -> None:
    report = run_proof(entry({"forgets": forget, "nothing": lambda layer: layer}))
    assert (report.mutants, report.missed, report.passed) == (1, [], True)


def test_a_mistake_that_is_not_caught_fails_the_proof() -> None:
    def slightly(layer: Square) -> Square:
        class Slightly(type(layer)):
            def backward(self, grad_output, memory, grad_gate=None):
                grad_x, grads = super().backward(grad_output, memory)
                return grad_x * (1 + 1e-12), grads

        layer.__class__ = Slightly
        return layer

    report = run_proof(entry({"slightly": slightly}))
    assert report.missed == ["slightly"]
    assert not report.passed


def test_every_proof_has_randomness_of_its_own() -> None:
    proof = entry({})
    same = generator(proof, 0, 0).random(), generator(proof, 0, 0).random()
    others = {generator(proof, 1, 0).random(), generator(proof, 0, 1).random(),
              generator(Proof("other", (), proof.prove), 0, 0).random()}
    assert same[0] == same[1]
    assert len(others | {same[0]}) == 4
