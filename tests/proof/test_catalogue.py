from __future__ import annotations

import inspect
import sys
from types import CodeType, FrameType, ModuleType

import numpy as np
import pytest

import minimidl.layers
from minimidl.layers import MIDL, LayerNorm, Linear
from minimidl.losses import huber_backward
from minimidl.proof.catalogue import catalogue, things_with_backward, uncovered
from minimidl.proof.entry import Proof, run_proof

PROOFS = catalogue()
GAPS = set(uncovered(PROOFS))  # empty, says the first test; the others speak of what they add


def test_everything_with_a_backward_is_in_the_catalogue() -> None:
    assert sorted(GAPS) == []


def test_the_walk_finds_classes_functions_and_heirs_but_no_abstractions() -> None:
    found = {thing.__qualname__ for thing in things_with_backward()}
    assert {"Linear", "ReLU", "MIDL", "Sequential", "HardTopK", "LowRankNet", "IdentityPath",
            "cross_entropy_backward", "threshold_mask_backward"} <= found
    assert found.isdisjoint({"Layer", "Gated", "ThresholdTopK", "TopK", "Pair"})


@pytest.mark.parametrize("thing", [Linear, MIDL, LayerNorm, huber_backward],
                         ids=lambda thing: thing.__name__)
def test_without_its_entries_a_thing_is_reported(thing: object) -> None:
    others = [proof for proof in PROOFS if thing not in proof.covers]
    assert len(others) < len(PROOFS)
    assert set(uncovered(others)) - GAPS == {f"{thing.__module__}.{thing.__qualname__}"}


def test_a_new_layer_without_a_proof_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unproved(Linear):
        pass

    Unproved.__module__ = "minimidl.layers"
    Unproved.__qualname__ = "Unproved"
    monkeypatch.setattr(minimidl.layers, "Unproved", Unproved, raising=False)
    assert set(uncovered()) - GAPS == {"minimidl.layers.Unproved"}


def test_a_new_loss_without_a_proof_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def ranking_backward(memory: dict) -> None:
        """Return nothing."""

    ranking_backward.__module__ = "minimidl.losses"
    ranking_backward.__qualname__ = "ranking_backward"
    module: ModuleType = sys.modules["minimidl.losses"]
    monkeypatch.setattr(module, "ranking_backward", ranking_backward, raising=False)
    assert set(uncovered()) - GAPS == {"minimidl.losses.ranking_backward"}


def code(thing: object) -> CodeType:
    return inspect.unwrap(thing.backward if inspect.isclass(thing) else thing).__code__


def never_called(proof: Proof) -> set[CodeType]:
    """Those of the covered backwards that a run of the proof never enters."""
    waiting = {code(thing) for thing in proof.covers}

    def watch(frame: FrameType, event: str, _: object) -> None:
        waiting.discard(frame.f_code)
        if not waiting:
            sys.setprofile(None)  # watching is slow, and there is nothing left to see

    sys.setprofile(watch)
    try:
        proof.prove(np.random.default_rng(0), lambda sound: sound)  # a mistake that is none
    finally:
        sys.setprofile(None)
    return waiting


@pytest.mark.parametrize("proof", PROOFS, ids=[proof.name for proof in PROOFS])
def test_every_proof_passes_catches_its_mutants_and_runs_what_it_claims(proof: Proof) -> None:
    assert never_called(proof) == set(), "the entry covers what it never calls"
    report = run_proof(proof)
    assert report.passed, str(report)
    assert report.max_rel_error <= 1e-6
    assert report.mutants >= 3


def test_an_entry_that_covers_what_it_never_calls_is_noticed() -> None:
    liar = Proof("liar", (MIDL, huber_backward), PROOFS[0].prove)
    assert never_called(liar) == {code(MIDL), code(huber_backward)}


def test_hard_and_soft_gates_are_proved_at_low_temperature() -> None:
    cold = [proof.name for proof in PROOFS if "T=0.3" in proof.name]
    for kind in ("MIDL: hard", "MIDL: sigmoid in training", "DynamicGate",
                 "sigmoid Top-k", "hard Top-k"):
        assert any(name.startswith(kind) for name in cold), kind


