from __future__ import annotations

import argparse
import json

import numpy as np
import pytest

from minimidl.cli import data
from minimidl.data import NAMES, PARTS
from minimidl.data.prepared import write
from minimidl.errors import InputError

KEYS = {"name", "prepared", "n_train", "n_val", "n_test", "n_features", "n_classes", "sha256"}


def call(*words: object) -> int:
    parser = argparse.ArgumentParser()
    data.add_parser(parser.add_subparsers())
    args = parser.parse_args(["data", *map(str, words)])
    return args.run(args)


def rows(path) -> list[dict]:
    content = json.loads(path.read_text())
    assert {"minimidl", "command", "machine", "rows"} <= set(content)
    assert content["command"] == "data"
    assert all(set(row) >= KEYS for row in content["rows"])
    return content["rows"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with a tiny prepared set under the name mnist."""
    arrays = {}
    for part, n in zip(PARTS, (30, 10, 20), strict=True):
        arrays[f"x_{part}"] = np.random.default_rng(n).integers(0, 256, (n, 784), dtype=np.uint8)
        arrays[f"y_{part}"] = (np.arange(n) % 10).astype(np.uint8)
    write(tmp_path / "data" / "mnist.npz", arrays,
          {"name": "mnist", "class_names": list("0123456789"), "image_shape": [28, 28]})
    monkeypatch.setenv("MINIMIDL_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_list_has_the_keys_of_the_contract(folder, tmp_path, capsys):
    assert call("list", "--json", tmp_path / "rows.json") == 0
    got = rows(tmp_path / "rows.json")
    assert [row["name"] for row in got] == list(NAMES)
    assert all(row["prepared"] for row in got)
    assert str(folder) in capsys.readouterr().out


def test_list_tells_how_to_get_what_is_missing(tmp_path, capsys):
    assert call("list", "--data-dir", tmp_path) == 0
    assert "minimidl data fetch mnist" in capsys.readouterr().out


def test_verify_good_then_damaged_then_missing(folder, tmp_path, capsys):
    assert call("verify", "mnist", "--json", tmp_path / "rows.json") == 0
    row = rows(tmp_path / "rows.json")[0]
    assert row["verified"] is True
    assert len(row["sha256"]) == 64

    path = folder / "mnist.npz"
    path.write_bytes(path.read_bytes()[:-100])
    assert call("verify", "mnist", "--json", tmp_path / "rows.json") == 1
    assert rows(tmp_path / "rows.json")[0]["verified"] is False
    assert "damaged" in capsys.readouterr().err

    path.unlink()
    with pytest.raises(InputError, match="mnist, not prepared"):
        call("verify", "mnist")


def test_verify_without_a_name_takes_everything_that_is_there(tmp_path):
    assert call("verify", "--data-dir", tmp_path, "--json", tmp_path / "rows.json") == 0
    assert [row["name"] for row in rows(tmp_path / "rows.json")] == list(NAMES[:-1])


def test_describe_counts_classes_and_draws(folder, tmp_path, capsys):
    assert call("describe", "mnist", "--out", tmp_path / "figures",
                "--json", tmp_path / "rows.json") == 0
    row = rows(tmp_path / "rows.json")[0]
    assert row["counts_test"] == [2] * 10
    assert row["image_shape"] == [28, 28]
    assert (tmp_path / "figures" / "mnist.png").read_bytes().startswith(b"\x89PNG")
    assert "class  train  val  test" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["digits", "spirals", "regimes"])
def test_describe_draws_every_kind_of_set(name, tmp_path, capsys):
    assert call("describe", name, "--out", tmp_path, "--seed", "3") == 0
    assert (tmp_path / f"{name}.png").stat().st_size > 5000
    assert "licence" in capsys.readouterr().out


def test_what_is_always_ready_needs_no_fetching(capsys):
    assert call("fetch", "digits") == 0
    assert call("prepare", "regimes") == 0
    assert "always ready" in capsys.readouterr().out


def test_dry_runs_write_nothing(tmp_path, capsys):
    assert call("fetch", "mnist", "--dry-run", "--data-dir", tmp_path) == 0
    assert "would download" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("words", "message"), [
    (("describe", "minst"), "'minst'.*digits"),
    (("fetch", "minst"), "'minst'.*digits"),
    (("verify", "minst"), "'minst'.*digits"),
    (("prepare", "mnist", "--raw", "nowhere"), "no such file.*--raw DIR"),
    (("describe", "regimes", "--seed", "-1"), "seed"),
])
def test_bad_input_is_one_line(words, message, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        call(*words, "--data-dir", tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--out", "--json"])
def test_an_unwritable_output_is_bad_input(tmp_path, option):
    (tmp_path / "taken").write_text("")
    target = tmp_path / "taken" if option == "--out" else tmp_path / "taken" / "rows.json"
    with pytest.raises(InputError, match="taken"):
        call("describe", "digits", option, target)
