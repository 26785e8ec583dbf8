"""Tables and the JSON file of the contract."""

import json

import numpy as np
import pytest

import minimidl
from minimidl.cli.output import check_writable, format_table, write_json
from minimidl.errors import InputError


def test_json_has_the_contract_and_no_nan(tmp_path):
    path = tmp_path / "new" / "rows.json"
    write_json(path, "train", [{"a": np.float32(0.5), "b": np.nan, "c": (1, np.int64(2))}])
    content = json.loads(path.read_text())
    assert content.pop("machine").keys() >= {"system", "cores", "python", "numpy"}
    assert content == {"minimidl": minimidl.__version__, "command": "train",
                       "rows": [{"a": 0.5, "b": None, "c": [1, 2]}]}
    assert [p.name for p in path.parent.iterdir()] == ["rows.json"]  # no temporary file is left


def test_no_path_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json(None, "train", [])
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "rows.json"
    write_json(path, "train", [])
    before = path.read_text()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk is full")))
    with pytest.raises(InputError, match="disk is full"):
        write_json(path, "train", [{"a": 1}])
    assert path.read_text() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unwritable_place_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="expected a place that can be written"):
        check_writable(tmp_path / "file" / "rows.json")
    check_writable(tmp_path / "new" / "folder" / "rows.json", None)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]  # nothing is left of the attempt


def test_numbers_stand_to_the_right():
    rows = [{"model": "midl", "accuracy": 0.98123, "macs": 12345}, {"model": "dense"}]
    assert format_table(rows, ["model", "accuracy", "macs"]).split("\n") == [
        "model  accuracy    macs", "-----  --------  ------", "midl     0.9812  12,345",
        "dense         -       -"]
