from __future__ import annotations

import platform
from pathlib import Path

import pytest

from minimidl.data.folders import (
    cache_folder,
    data_folder,
    prepared_path,
    writable_folder,
)
from minimidl.errors import InputError


@pytest.mark.parametrize(("system", "variable", "tail"), [
    ("Linux", "XDG_CACHE_HOME", ".cache/minimidl"),
    ("Darwin", "", "Library/Caches/minimidl"),
    ("Windows", "LOCALAPPDATA", "AppData/Local/minimidl"),
])
def test_the_cache_folder_is_the_platforms_own(monkeypatch, tmp_path, system, variable, tail):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert cache_folder() == tmp_path / tail
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        assert cache_folder() == tmp_path / "elsewhere" / "minimidl"


def test_argument_beats_variable_beats_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("MINIMIDL_DATA", raising=False)
    assert data_folder() == cache_folder()
    monkeypatch.setenv("MINIMIDL_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    assert prepared_path("mnist", tmp_path / "mine") == tmp_path / "mine" / "mnist.npz"


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match=r"taken.*cannot write.*MINIMIDL_DATA"):
        writable_folder(tmp_path / "taken")
    with pytest.raises(InputError, match="cannot write"):
        writable_folder(tmp_path / "taken" / "below")
    assert writable_folder(tmp_path / "a" / "b").is_dir()
