import argparse
import json
from pathlib import Path

import pytest

from minimidl.cli import tutorials as command
from minimidl.course import shelf as shelves
from minimidl.course.generate import generate
from minimidl.errors import InputError

TINY = """\
# ---
# number: 3
# title: A tiny tutorial
# minutes: 5
# ---

# %%
from minimidl.course import Unsolved, check_close

# %% exercise="double"
def double(x):
    # >>> solution
    return x + x
    # stub: raise Unsolved("double", "twice the number")
    # <<< solution

# %% check="double"
check_close(double(3.0), 6.0, "double(3)", "add x to itself")

# %% exercise="half"
def half(x):
    # >>> solution
    return x / 2
    # stub: raise Unsolved("half", "half the number")
    # <<< solution

# %% check="half"
check_close(half(3.0), 1.5, "half(3)", "divide by two")
"""


@pytest.fixture(autouse=True)
def one_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf with one tiny tutorial, and a folder of one's own to stand in."""
    folder = tmp_path / "shelf"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "03_tiny.py").write_text(TINY, encoding="utf-8")
    generate(folder)
    monkeypatch.setattr(shelves, "shelf", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


def minimidl(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    options = parser.parse_args(["tutorials", *arguments])
    status: int = options.run(options)
    return status


def rows(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(path.read_text())["rows"]
    return found


def test_list_start_edit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows.json"
    assert minimidl("list", "--json", str(out)) == 0
    assert rows(out) == [
        {"number": 3, "title": "A tiny tutorial", "minutes": 5, "state": "not started"}]
    assert "A tiny tutorial" in capsys.readouterr().out
    assert minimidl("start", "3") == 0
    mine = tmp_path / "minimidl-tutorials" / "03_tiny.ipynb"
    assert "copied" in capsys.readouterr().out
    mine.write_text("my own notes")
    assert minimidl("start", "3", "--json", str(out)) == 0
    assert "left as it is" in capsys.readouterr().out
    assert mine.read_text() == "my own notes"
    assert rows(out)[0]["state"] == "edited"


def test_check_the_readers_file(
    tmp_path: Path, one_tutorial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    minimidl("start", "3", "--out", "mine")
    assert minimidl("check", "3", "--out", "mine", "--json", "rows.json") == 1
    told = capsys.readouterr().out
    assert "FAILED  double" in told
    assert "expected: twice the number" in told
    assert "0 of 2 checks passed; not solved yet" in told
    assert rows(tmp_path / "rows.json")[0]["state"] == "not solved"
    solution = one_tutorial / "solutions" / "03_tiny.ipynb"
    assert minimidl("check", str(solution), "--json", "rows.json") == 0
    assert "2 of 2 checks passed\n" in capsys.readouterr().out
    assert rows(tmp_path / "rows.json")[0]["state"] == "solved"


def test_bad_input() -> None:
    for arguments, told in [(["start"], "expected a tutorial's number: 3"),
                            (["start", "9"], "expected one of 3"),
                            (["check", "3"], "start N copies one"),
                            (["check", "nowhere.ipynb"], "expected a file"),
                            (["open"], "start N makes it"),
                            (["check", "3", "--limit", "-1"], "limit")]:
        with pytest.raises(InputError, match=told):
            minimidl(*arguments)


def test_open(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    started: list[list[str]] = []

    def start(words: list[str]) -> argparse.Namespace:
        started.append(words)
        return argparse.Namespace(returncode=0)

    monkeypatch.setattr(command.subprocess, "run", start)
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    assert minimidl("open", "3") == 1
    assert 'pip install "minimidl[notebooks]"' in capsys.readouterr().out
    assert not started
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: name)
    assert minimidl("open", "3") == 0
    assert started[0][2:] == ["jupyterlab", str(Path("minimidl-tutorials/03_tiny.ipynb"))]


def test_a_cell_that_breaks_early_is_told_and_what_follows_is_counted(
    one_tutorial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = one_tutorial / "solutions" / "03_tiny.ipynb"
    notebook = json.loads(solution.read_text())
    notebook["cells"][1]["source"] = "1 / 0"  # instead of the function that the check calls
    extra = dict(notebook["cells"][0], source="2 / 0", id="later")
    notebook["cells"].append(extra)
    mine = one_tutorial / "mine.ipynb"
    mine.write_text(json.dumps(notebook))
    assert minimidl("check", str(mine)) == 1
    told = capsys.readouterr().out
    assert "FAILED  code cell 2" in told
    assert "ZeroDivisionError" in told
    assert "1 other cells stopped" in told
    assert "passed  half" in told
