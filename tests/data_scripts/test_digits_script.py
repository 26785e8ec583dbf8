from __future__ import annotations

import pytest

from minimidl.data.digits import PATH
from minimidl.data.scripts import load_script


@pytest.mark.oracle
def test_the_script_remakes_the_shipped_file(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install minimidl[oracle]")
    assert load_script("digits").main(["--out", str(tmp_path)]) == 0
    path = tmp_path / "digits.npz"
    assert capsys.readouterr().out.strip() == str(path)
    from minimidl.data.prepared import read_about
    assert read_about(path) == read_about(PATH)


@pytest.mark.oracle
def test_an_unwritable_folder_is_bad_input(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install minimidl[oracle]")
    (tmp_path / "taken").write_text("")
    assert load_script("digits").main(["--out", str(tmp_path / "taken")]) == 2
    assert "cannot write" in capsys.readouterr().err
