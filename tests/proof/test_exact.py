"""The exact prover: what it objects to."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.proof.exact import Scripted, prove_exact

TRUTH = {"p": np.array([[0.25, 0.75]])}


def test_the_truth_is_proved_and_every_mutant_is_caught() -> None:
    report = prove_exact(lambda: {"p": TRUTH["p"] + 1e-12}, TRUTH, name="x", kind="closed-form")
    assert report.passed
    assert report.kind == "closed-form"
    assert report.mutants >= 4
    assert report.entries == 2


@pytest.mark.parametrize(("answer", "words"), [
    ({"p": TRUTH["p"] + 1e-6}, "p: analytic"), ({}, "p: no gradient"),
    ({"p": TRUTH["p"][0]}, "shape"), ({"p": TRUTH["p"].astype(np.float32)}, "dtype")])
def test_anything_else_is_not(answer: dict, words: str) -> None:
    report = prove_exact(lambda: answer, TRUTH, name="x", kind="enumeration")
    assert not report.passed
    assert words in str(report)


def test_an_answer_that_changes_is_refused() -> None:
    rng = np.random.default_rng(0)
    report = prove_exact(lambda: {"p": TRUTH["p"] + 1e-13 * rng.normal(size=(1, 2))}, TRUTH,
                         name="x", kind="enumeration")
    assert report.objections == ["asked twice gives different answers"]


def test_a_failing_statement_is_told_and_kinds_are_known() -> None:
    report = prove_exact(lambda: TRUTH, TRUTH, name="x", kind="enumeration",
                         statements=(lambda: "the sky is green", lambda: ""))
    assert report.objections == ["the sky is green"]
    with pytest.raises(InputError, match="kind: got 'guess'"):
        prove_exact(lambda: TRUTH, TRUTH, name="x", kind="guess")


def test_a_script_is_played_again_and_again_but_only_in_its_own_shape() -> None:
    script = Scripted(np.array([[0.1, 0.2]]))
    assert script.random((1, 2)).tolist() == script.standard_normal((1, 2)).tolist()
    with pytest.raises(InputError, match="draw: got"):
        script.random((2, 2))
