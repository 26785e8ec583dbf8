from __future__ import annotations

import pytest

from minimidl.data import NAMES, scripts
from minimidl.data.registry import ENTRIES
from minimidl.errors import InputError


def test_every_prepared_set_has_a_script_with_the_two_functions():
    for name in NAMES:
        if ENTRIES[name].kind == "prepared":
            script = scripts.load_script(name)
            assert name == script.NAME
            assert callable(script.prepare)
            assert callable(script.main)


def test_the_shelf_in_the_wheel_comes_first(monkeypatch, tmp_path):
    package = tmp_path / "minimidl"
    shelf = package / "_shelf" / "data_scripts"
    shelf.mkdir(parents=True)
    (tmp_path / "data_scripts").mkdir()
    (shelf / "my_set.py").write_text("WHERE = 'shelf'\n")
    monkeypatch.setattr(scripts, "PACKAGE", package)
    assert scripts.load_script("my-set").WHERE == "shelf"


def test_a_missing_script_or_folder_is_told(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="'nothing'"):
        scripts.load_script("nothing")
    monkeypatch.setattr(scripts, "PACKAGE", tmp_path / "minimidl")
    with pytest.raises(InputError, match="install minimidl again"):
        scripts.script_folder()
