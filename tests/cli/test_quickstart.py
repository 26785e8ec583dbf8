"""``minimidl quickstart``, whole: four networks, a table, a picture, a page."""

import json

import pytest

from minimidl.cli import main


@pytest.mark.slow
def test_quickstart_writes_what_it_names(tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["quickstart", "--out", str(out), "--json", str(tmp_path / "rows.json")]) == 0
    printed = capsys.readouterr().out
    for path in (out / "quickstart.png", out / "quickstart.html"):
        assert path.stat().st_size > 10_000
        assert str(path) in printed
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [row["model"] for row in rows] == ["dense", "dropout", "midl", "dynamicgate"]
    for row in rows[2:]:
        assert row["active_ratio"] <= 0.45
        assert row["mac_ratio_with_gate"] <= 0.60
        assert row["accuracy"] > 0.95
