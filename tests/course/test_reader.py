import json
from pathlib import Path

import pytest

from minimidl.course.generate import generate
from minimidl.course.reader import own_path, start, state
from minimidl.course.shelf import Tutorial, tutorial
from minimidl.errors import InputError


@pytest.fixture
def tiny(tiny_shelf: Path) -> Tutorial:
    return tutorial(3, tiny_shelf)


def edit(path: Path) -> bytes:
    notebook = json.loads(path.read_text())
    notebook["cells"][2]["source"] = "def double(x):\n    return x + x"
    path.write_text(json.dumps(notebook))
    return path.read_bytes()


def test_from_not_started_to_edited(tiny: Tutorial, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert state(tiny, folder) == "not started"
    path, done = start(tiny, folder)
    assert (path, done) == (own_path(tiny, folder), "copied")
    assert path.read_bytes() == tiny.student.read_bytes()
    assert state(tiny, folder) == "started"
    assert start(tiny, folder) == (path, "already there")
    edit(path)
    assert state(tiny, folder) == "edited"


def test_an_edited_copy_is_never_overwritten(tiny: Tutorial, tmp_path: Path) -> None:
    path, _ = start(tiny, tmp_path)
    content = edit(path)
    assert start(tiny, tmp_path) == (path, "kept")
    assert path.read_bytes() == content
    path.write_text("no notebook any more, but the reader's own")
    assert start(tiny, tmp_path) == (path, "kept")
    assert path.read_text() == "no notebook any more, but the reader's own"


def test_running_and_saving_is_not_an_edit(tiny: Tutorial, tmp_path: Path) -> None:
    path, _ = start(tiny, tmp_path)
    notebook = json.loads(path.read_text())
    notebook["cells"][1] |= {"execution_count": 1, "outputs": [{"output_type": "stream"}]}
    notebook["cells"][1]["source"] = "".join(notebook["cells"][1]["source"])
    path.write_text(json.dumps(notebook))
    assert state(tiny, tmp_path) == "started"
    assert start(tiny, tmp_path) == (path, "already there")


def test_an_unedited_copy_of_an_older_version_is_refreshed(
    tiny: Tutorial, tiny_shelf: Path, tmp_path: Path
) -> None:
    path, _ = start(tiny, tmp_path)
    source = tiny_shelf / "source" / "03_tiny.py"
    source.write_text(source.read_text().replace("Double a number", "Double any number"))
    generate(tiny_shelf)
    assert start(tiny, tmp_path) == (path, "refreshed")
    assert path.read_bytes() == tiny.student.read_bytes()


def test_a_folder_that_cannot_be_written(tiny: Tutorial, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(InputError, match="--out"):
        start(tiny, blocker)
    assert blocker.read_text() == ""
