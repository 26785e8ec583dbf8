"""``minimidl bench``: the table, the file, the figure, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minimidl.cli import main
from minimidl.pictures.bench import time_against_n

TINY = ["--n", "8", "16", "--rows", "1", "--rounds", "7", "--quiet"]


def test_the_table_the_file_and_the_figure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "rows.json"
    out = tmp_path / "pictures"
    assert main(["bench", *TINY, "--suite", "gates", "--json", str(target),
                 "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].split()[:5] == ["operator", "rows", "n", "path", "seconds"]
    assert "quote ratios" in printed
    content = json.loads(target.read_text(encoding="utf-8"))
    assert content["command"] == "bench"
    assert [row["n"] for row in content["rows"]] == [8] * 4 + [16] * 4
    assert (out / "bench-gates.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("wrong", "told"), [
    (["--suite", "kernels"], "expected one of gates"),
    (["--n", "2"], "at least 4"),
    (["--rounds", "3"], "at least 7"),
])
def test_what_cannot_be_measured_is_status_2(
    capsys: pytest.CaptureFixture[str], wrong: list[str], told: str
) -> None:
    assert main(["bench", *TINY, *wrong]) == 2
    assert told in capsys.readouterr().err


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
