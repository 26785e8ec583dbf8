import os
from pathlib import Path

import numpy as np
import pytest

from minimidl import InputError
from minimidl.learning.archive import read_archive, write_archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.npz"


def test_arrays_and_facts_come_back_bit_for_bit(path):
    arrays = {
        "fortran": np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4))),
        "zero-d": np.array(0.1, np.float32), "a/b.c": np.array([1, 2], np.int64),
        "strided": np.arange(10)[::3], "empty": np.zeros((0, 2)), "odd": np.array([np.nan, -0.0]),
    }
    facts = {"big": 2**127 + 1, "third": 1 / 3, "text": "é", "none": None, "list": [1, {"a": True}]}
    write_archive(path, arrays, facts)
    back, facts_back = read_archive(path)
    assert facts_back == facts
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].shape == array.shape
        assert back[name].dtype == array.dtype
        assert back[name].tobytes() == np.ascontiguousarray(array).tobytes()


def test_the_file_holds_no_pickle(path):
    write_archive(path, {"a": np.ones(3)}, {"b": 1})
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


@pytest.mark.parametrize("problem", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(path, monkeypatch, problem):
    write_archive(path, {"a": np.ones(3)}, {})
    before = path.read_bytes()

    def fail(file, **entries):
        file.write(b"half a file")
        raise problem

    monkeypatch.setattr(np, "savez", fail)
    expected = InputError if isinstance(problem, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_archive(path, {"a": np.zeros(3)}, {})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(("arrays", "facts", "words"), [
    ({"a": np.array([{}], object)}, {}, "array of numbers"),
    ({}, {"f": object()}, "JSON"), ({}, {"f": float("nan")}, "JSON"),
])
def test_what_cannot_be_written_is_refused_before_a_file_exists(path, arrays, facts, words):
    with pytest.raises(InputError, match=words):
        write_archive(path, arrays, facts)
    assert os.listdir(path.parent) == []


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_archive(tmp_path / "none" / "file.npz", {}, {})


def test_a_missing_file_is_told(path):
    with pytest.raises(InputError, match="no file"):
        read_archive(path)


def foreign_text(path: Path) -> None:
    path.write_text("not a checkpoint")


def foreign_npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def foreign_npz(path: Path) -> None:
    np.savez(path, a=np.ones(3))


def pickled(path: Path) -> None:
    np.savez(path, **{"facts.json": np.array([{}], object)})


def not_json(path: Path) -> None:
    np.savez(path, **{"facts.json": np.frombuffer(b"{", np.uint8)})


@pytest.mark.parametrize("make", [foreign_text, foreign_npy, foreign_npz, pickled, not_json,
                                  Path.touch])
def test_a_foreign_file_is_told(path, make):
    make(path)
    with pytest.raises(InputError, match="damaged or of another kind"):
        read_archive(path)


def test_a_truncated_file_is_told_wherever_it_ends(path):
    write_archive(path, {"a": np.ones(30), "b": np.ones(3)}, {"c": 1})
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="damaged"):
            read_archive(path)


def test_a_flipped_byte_never_gives_other_numbers(path):
    write_archive(path, {"a": np.arange(20.0)}, {"c": 1})
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1:])
        try:
            arrays, facts = read_archive(path)
        except InputError:
            refused += 1
        else:  # a byte that carries no data, such as a date
            assert all(np.array_equal(array, np.arange(20.0)) for array in arrays.values())
            assert facts == {"c": 1}
    assert refused > len(whole) / 3 / 2
