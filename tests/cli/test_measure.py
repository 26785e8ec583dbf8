"""``minimidl measure``: tables, rows of the contract, figures; bad input is refused in time."""

import json

import pytest

from minimidl.cli import main
from minimidl.measure.sliced import CAVEAT

QUICK = ["--quick", "--quiet", "--models", "dense,midl", "--set", "epochs=3", "--set", "width=64"]


def measured(what, folder, *more):
    out = folder / "rows.json"
    assert main(["measure", what, *QUICK, "--json", str(out), "--out", str(folder), *more]) == 0
    return json.loads(out.read_text())


def runs(content):
    return [row for row in content["rows"] if row["seed"] is not None]


def test_information_tells_of_open_and_closed_with_the_caveat(tmp_path, capsys):
    content = measured("information", tmp_path)
    printed = capsys.readouterr().out
    assert (content["command"], len(content["rows"])) == ("measure", 4)
    assert content["options"] == {
        "what": "information", "data": "digits", "models": ["dense", "midl"], "seeds": [0],
        "set": {"epochs": 3, "width": [64]}, "quick": True}
    dense, midl = runs(content)
    assert dense["smi_open"] is None
    assert midl["smi_open"] > midl["smi_open_null"] + 0.05
    assert " ".join(CAVEAT.split()) in " ".join(printed.split())
    assert "open - closed" in printed
    assert "one seed: no intervals" in printed
    assert (tmp_path / "information-digits.png").read_bytes().startswith(b"\x89PNG")


def test_robustness_has_a_table_for_every_kind_of_harm(tmp_path, capsys):
    content = measured("robustness", tmp_path)
    lines = capsys.readouterr().out.splitlines()
    for kind in ("noise", "blur", "labels", "samples"):
        assert sum(line.startswith(f"{kind}  ") for line in lines) == 1
    assert {row["kind"] for row in runs(content)} == {"noise", "blur", "labels", "samples"}
    assert all(0 <= row["accuracy"] <= 1 for row in runs(content))
    assert (tmp_path / "robustness-digits.png").exists()


def test_plasticity_says_which_models_have_nothing_between(tmp_path, capsys):
    content = measured("plasticity", tmp_path)
    printed = capsys.readouterr().out
    assert "dense: no gates, so there is nothing between neither and all." in printed
    assert [row["mode"] for row in runs(content)] == [
        "neither", "all", "neither", "gates", "closed", "both", "all"]
    assert all(row["curve"][0]["step"] == 0 for row in runs(content))
    assert (tmp_path / "plasticity-digits.png").exists()


def test_several_seeds_have_intervals(tmp_path, capsys):
    pytest.importorskip("scipy", reason="intervals need SciPy")
    content = measured("plasticity", tmp_path, "--seeds", "2", "--models", "dense")
    assert "95 % interval over 2 seeds" in capsys.readouterr().out
    summary = [row for row in content["rows"] if row["seed"] is None]
    assert [row["seeds"] for row in summary] == [2, 2]
    assert summary[1]["difference_ci95"] > 0


@pytest.mark.slow
def test_the_keys_of_the_rows_are_those_that_help_tells_of(tmp_path, capsys):
    rows = {what: runs(measured(what, tmp_path)) for what in
            ("information", "robustness", "plasticity")}
    with pytest.raises(SystemExit):
        main(["measure", "--help"])
    told = capsys.readouterr().out
    for what, mine in rows.items():
        keys = {key for row in mine for key in row}
        missing = {key for key in keys if key not in told and not key.startswith("smi_")}
        assert not missing, what


@pytest.mark.parametrize(("more", "words"), [
    (["--models", "dense,nope"], "model: got 'nope'"),
    (["--data", "nope"], "nope"),
    (["--seeds", "0"], "--seeds: got 0"),
    (["--models", "dense", "--set", "gate.rank=3"], "gate.rank for dense"),
    (["--models", "midl", "--set", "nonsense=1"], "--set: got nonsense"),
    (["--models", "dense,midl", "--set", "gate.rank=0"], "digits midl: rank: got 0"),
    (["--models", "dense", "--set", "epochs=0"], "epochs: got 0, expected at least 1"),
])
def test_bad_input_is_one_line_before_anything_trains(more, words, capsys, monkeypatch):
    monkeypatch.setattr("minimidl.studies.over_seeds.run_experiment", None)
    assert main(["measure", "information", *QUICK, *more]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert len(told.err.splitlines()) == 1
    assert not told.out
