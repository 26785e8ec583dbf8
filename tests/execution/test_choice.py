"""The choice of a path: measured once, kept, never in the way."""

from __future__ import annotations

import json
import time

import pytest

from minimidl.execution.choice import MANY, Choice, race, read, size_of


def calls(slow="dense"):
    """Two paths, one of which takes a thousand times longer."""
    def wait():
        time.sleep(2e-3)

    return {path: wait if path == slow else lambda: None for path in ("dense", "neuron")}


@pytest.mark.parametrize(("slow", "wanted"), [("dense", "neuron"), ("neuron", "dense")])
def test_the_faster_path_is_picked(tmp_path, slow, wanted):
    assert Choice(tmp_path / "paths.json").pick("a kind", calls(slow)) == wanted


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path):
    file = tmp_path / "below" / "paths.json"
    first = Choice(file)
    first.pick("a kind", calls())
    assert json.loads(file.read_text()) == first.found

    def never():
        raise AssertionError("measured again")

    again = Choice(file)
    assert again.pick("a kind", {"dense": never, "neuron": never}) == "neuron"
    with pytest.raises(AssertionError, match="measured again"):
        again.pick("another kind", {"dense": never, "neuron": never})


def test_two_processes_do_not_lose_each_others_measurements(tmp_path):
    one, other = (Choice(tmp_path / "paths.json") for _ in range(2))
    one.pick("first", calls())
    other.pick("second", calls())
    assert set(read(tmp_path / "paths.json")) == {"first", "second"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": 3}', '{"kind": {"dense": "fast"}}'])
def test_a_broken_file_is_measured_anew(tmp_path, content):
    file = tmp_path / "paths.json"
    file.write_text(content)
    assert read(file) == {}
    assert Choice(file).pick("a kind", calls()) == "neuron"
    assert set(read(file)) == {"a kind"}


def test_a_folder_that_cannot_be_written_is_no_harm(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert Choice(tmp_path / "file" / "paths.json").pick("a kind", calls()) == "neuron"


def test_race_returns_seconds_per_call():
    seconds = race(calls())
    assert seconds["dense"] >= 2e-3  # it sleeps as long
    assert 0 < seconds["neuron"] < seconds["dense"]


def test_batches_of_one_kind():
    assert [size_of(batch) for batch in (1, 2, 3, 64, 65, 4096)] == [1, 2, 4, 64, 128, MANY]
