from __future__ import annotations

import pytest

from minimidl.errors import InputError
from minimidl.proof import catalogue
from minimidl.proof.report import COLUMNS, missing, run, select, summary


def test_rows_hold_the_keys_of_the_contract() -> None:
    rows = run(["LayerNorm"])
    assert [row["name"] for row in rows] == ["LayerNorm", "LayerNorm, 256"]
    assert all(set(row) == {*COLUMNS, "dtype"} for row in rows)
    assert {row["kind"] for row in rows} == {"finite-difference", "projection"}


def test_the_same_seed_gives_the_same_rows_and_another_does_not() -> None:
    assert run(["huber"], seed=4) == run(["huber"], seed=4)
    assert run(["huber"], seed=4) != run(["huber"], seed=5)


def test_upper_and_lower_case_are_alike_and_nothing_found_is_bad_input() -> None:
    assert [proof.name for proof in select(["layernorm, 256"])] == ["LayerNorm, 256"]
    with pytest.raises(InputError, match="only: got nonsense"):
        select(["nonsense"])


def test_progress_sees_every_proof() -> None:
    seen = []

    def watch(proofs):
        for proof in proofs:
            seen.append(proof.name)
            yield proof

    run(["budget"], progress=watch)
    assert seen == [proof.name for proof in select(["budget"])]


def test_hand_worked_summary() -> None:
    row = {"passed": True, "entries": 10, "max_rel_error": 2e-9, "mutants": 5, "mutants_caught": 5}
    bad = {"passed": False, "entries": 1, "max_rel_error": 0.5, "mutants": 2, "mutants_caught": 1}
    assert summary([row, bad]) == (
        "1 of 2 proofs passed: 11 entries, largest error 5.0e-01; 6 of 7 mutants caught")


def test_what_has_no_proof_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    before = missing()
    everything = catalogue.catalogue()
    monkeypatch.setattr(catalogue, "catalogue", lambda: [
        proof for proof in everything if not proof.name.startswith("Tanh")])
    added = [line for line in missing() if line not in before]
    assert added == ["minimidl.layers.activations.Tanh: has a backward and no proof"]
