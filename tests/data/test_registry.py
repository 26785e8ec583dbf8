from __future__ import annotations

import numpy as np
import pytest

from minimidl.data import NAMES, PARTS, describe, load, verify
from minimidl.data.prepared import fingerprint, read_arrays, write
from minimidl.data.registry import ENTRIES
from minimidl.errors import InputError

READY = [name for name in NAMES if ENTRIES[name].build is not None]


def fake_mnist(folder) -> None:
    arrays = {}
    for part, n in zip(PARTS, (30, 10, 20), strict=True):
        arrays[f"x_{part}"] = np.random.default_rng(n).integers(0, 256, (n, 784), dtype=np.uint8)
        arrays[f"y_{part}"] = (np.arange(n) % 10).astype(np.uint8)
    about = {"name": "mnist", "class_names": list("0123456789"), "image_shape": [28, 28]}
    write(folder / "mnist.npz", arrays, about)


@pytest.mark.parametrize("name", READY)
def test_a_set_is_what_the_list_says(name):
    dataset, row = load(name), describe(name)
    assert dataset.name == name
    assert [len(dataset.part(part)[0]) for part in PARTS] == [row[f"n_{part}"] for part in PARTS]
    assert (dataset.n_features, dataset.n_classes) == (row["n_features"], row["n_classes"])
    assert row["prepared"] is True
    assert dataset.about["licence"]


@pytest.mark.parametrize("name", READY)
def test_same_seed_same_bits_and_another_seed_other_bits(name):
    first = fingerprint(load(name, 5).arrays())
    assert fingerprint(load(name, 5).arrays()) == first
    other = fingerprint(load(name, 6).arrays())
    assert (other == first) == (ENTRIES[name].kind == "embedded")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"'minst'.*digits, spirals, regimes, glyphs, mnist"):
        load("minst")


def test_a_set_that_is_not_prepared_names_both_mends(tmp_path):
    with pytest.raises(InputError) as caught:
        load("mnist", data_dir=tmp_path)
    assert "minimidl data fetch mnist" in str(caught.value)
    assert "minimidl data prepare mnist --raw DIR" in str(caught.value)
    row = describe("mnist", tmp_path)
    assert (row["prepared"], row["state"], row["sha256"]) == (False, "missing", None)


def test_a_prepared_set_is_found_where_the_variable_says(monkeypatch, tmp_path):
    fake_mnist(tmp_path)
    monkeypatch.setenv("MINIMIDL_DATA", str(tmp_path))
    assert load("mnist").counts("val") == [1] * 10
    row = describe("mnist")
    assert (row["state"], row["n_train"]) == ("ready", 30), "counts come from the file"
    assert row["sha256"] == verify("mnist")


def test_verify_notices_contents_that_are_not_what_was_recorded(tmp_path):
    fake_mnist(tmp_path)
    arrays, _ = read_arrays(tmp_path / "mnist.npz")
    with np.load(tmp_path / "mnist.npz") as file:
        about = file["about"]
    arrays["y_test"] = arrays["y_test"][::-1].copy()
    np.savez(tmp_path / "mnist.npz", about=about, **arrays)
    assert load("mnist", data_dir=tmp_path).n_classes == 10, "a whole file, but not the right one"
    with pytest.raises(InputError, match="contents with sha256"):
        verify("mnist", tmp_path)


def test_a_damaged_file_is_listed_as_such(tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 and then nothing")
    row = describe("mnist", tmp_path)
    assert (row["prepared"], row["state"]) == (False, "damaged")
    assert "minimidl data fetch mnist" in row["note"]
    with pytest.raises(InputError, match="damaged"):
        load("mnist", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["digits", "regimes"])
def test_what_needs_no_preparation_verifies(name):
    assert len(verify(name)) == 64
