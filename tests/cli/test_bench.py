"""``minimidl bench``: the tables, the file, the figures, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from minimidl.bench import gates, layers, models
from minimidl.cli import main
from minimidl.cli.bench import disturbed
from minimidl.data import load
from minimidl.pictures.bench import time_against_n

TINY_GATES = ["--suite", "gates", "--n", "8", "16", "--rows", "1", "--rounds", "7", "--quiet"]
TINY_LAYERS = {"shapes": ((12, 16, 3),), "kinds": ((1, (1,)), (4, (4,))), "densities": (0.5,),
               "dense_end": (1.0,), "trained": (), "read_bytes": (4096, 8192),
               "peers": ("numpy",)}
TINY_MODELS = {"batches": (1, 8), "epochs": 1, "n_train": 128, "width": 16, "block": 4,
               "peers": ("numpy",)}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick passes that are quicker still."""
    monkeypatch.setattr(layers, "SUITE", replace(layers.SUITE, quick=TINY_LAYERS))
    monkeypatch.setattr(models, "SUITE", replace(
        models.SUITE, quick=TINY_MODELS | {"data": load("digits")}))


@pytest.mark.kernels
@pytest.mark.usefixtures("tiny")
def test_several_suites_one_file_all_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target, out = tmp_path / "rows.json", tmp_path / "pictures"
    assert main(["bench", "--suite", "layers,models", "--quick", "--quiet", "--json", str(target),
                 "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    parts = [printed.index(text) for text in ("layers\n", "this core at most", "models\n")]
    assert parts == sorted(parts)
    assert "quote ratios" in printed
    content = json.loads(target.read_text(encoding="utf-8"))
    assert content["command"] == "bench"
    suites = [row["suite"] for row in content["rows"]]
    assert suites == ["layers"] * (4 + 3) + ["models"] * 2
    for name in ("density", "roofline", "batch"):
        assert (out / f"bench-{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_gates_table_the_file_and_the_figure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target, out = tmp_path / "rows.json", tmp_path / "pictures"
    assert main(["bench", *TINY_GATES, "--json", str(target), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[2].split()[:5] == ["operator", "rows", "n", "path", "seconds"]
    content = json.loads(target.read_text(encoding="utf-8"))
    assert [row["n"] for row in content["rows"]] == [8] * 4 + [16] * 4
    assert (out / "bench-gates.png").read_bytes().startswith(b"\x89PNG")
    assert gates.steps((8, 16)) == 8


def test_what_is_left_out_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "mnist", lambda: None)
    assert main(["bench", "--suite", "models", "--quiet"]) == 0
    assert "minimidl data prepare mnist" in capsys.readouterr().out


@pytest.mark.parametrize(("wrong", "told"), [
    (["--suite", "kernels"], "expected one of layers, models, training, gates, memory, startup"),
    (["--suite", "gates,kernels"], "--suite: got 'kernels'"),
    (["--suite", "layers", "--n", "8"], "--suite gates with them"),
    (["--suite", "gates", "--n", "2"], "at least 4"),
    (["--suite", "layers", "--rounds", "3"], "at least 7"),
])
def test_what_cannot_be_measured_is_status_2(
    capsys: pytest.CaptureFixture[str], wrong: list[str], told: str
) -> None:
    assert main(["bench", "--quiet", *wrong]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_disturbed_measurement_is_said() -> None:
    quiet, wild = {"spread_low": 2.0, "spread_high": 2.2}, {"spread_low": 1.0, "spread_high": 2.0}
    assert disturbed([quiet, {"spread_low": None}, {}]) == []
    assert disturbed([quiet, wild])[0].startswith("disturbed: in 1 rows")


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "--help"])
    assert stopped.value.code == 0
    assert "minimidl bench --suite layers --quick" in capsys.readouterr().out


def test_the_figure_says_what_it_shows_and_leaves_missing_peers_out() -> None:
    base = {"rows": 2, "seconds": 2e-3, "sorts": 2.0}
    rows = [base | {"operator": name, "n": n, "peer_seconds": peer}
            for name, peer in (("sigmoid", 4e-3), ("lapsum", None)) for n in (100, 1000)]
    ax = time_against_n(rows)
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert lines == {"sigmoid": [1000.0] * 2, "sigmoid: fastest peer": [2000.0] * 2,
                     "lapsum": [1000.0] * 2, "one NumPy sort": [500.0] * 2}
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "n" in ax.get_xlabel()
    assert "microseconds" in ax.get_ylabel()
