from __future__ import annotations

import json
from pathlib import Path

import pytest

from minimidl import losses
from minimidl.cli import main
from minimidl.proof import catalogue, report


def test_the_table_the_summary_and_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "rows.json"
    assert main(["check", "--only", "layernorm", "--seed", "2", "--json", str(target)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "kind", "entries", "max_rel_error", "tolerance", "passed",
                                "mutants", "mutants_caught"]
    assert lines[-1].startswith("2 of 2 proofs passed")
    content = json.loads(target.read_text(encoding="utf-8"))
    assert content["command"] == "check"
    assert [row["name"] for row in content["rows"]] == ["LayerNorm", "LayerNorm, 256"]
    assert all(row["passed"] for row in content["rows"])


def test_a_wrong_derivative_is_status_1_and_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = losses.huber_backward
    monkeypatch.setattr(losses, "huber_backward", lambda memory: 0.5 * sound(memory))
    assert main(["check", "--only", "huber"]) == 1
    out = capsys.readouterr().out
    assert "huber: NOT PROVED" in out
    assert "x: analytic" in out


def test_something_without_a_proof_is_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = [proof for proof in catalogue.catalogue() if proof.name.startswith("LayerNorm")]
    monkeypatch.setattr(report, "catalogue", lambda: some)
    monkeypatch.setattr(catalogue, "catalogue", lambda: some)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "huber_backward: has a backward and no proof" in out
    assert "LayerNorm: has a backward" not in out


@pytest.mark.parametrize("arguments", [["--only", "nonsense"], ["--json", "a-file/rows.json"]])
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a-file").write_text("no folder", encoding="utf-8")
    assert main(["check", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("minimidl check: ")
    assert captured.err.count("\n") == 1


@pytest.mark.slow
def test_the_whole_catalogue_as_the_contract_wants_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "proofs.json"
    assert main(["check", "--json", str(target)]) == 0
    rows = json.loads(target.read_text(encoding="utf-8"))["rows"]
    assert max(row["max_rel_error"] for row in rows) <= 1e-6
    assert all(row["passed"] and row["mutants"] == row["mutants_caught"] for row in rows)
    assert {row["kind"] for row in rows} >= {"finite-difference", "projection", "linearised"}
    assert sum(row["mutants"] for row in rows) > 2000
