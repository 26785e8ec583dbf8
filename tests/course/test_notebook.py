import json
from pathlib import Path

import pytest

from minimidl.course.notebook import (
    about,
    build,
    digest,
    labels_of,
    read_notebook,
    text_of,
    to_bytes,
)
from minimidl.course.percent import read_source
from minimidl.errors import InputError


def test_same_source_same_bytes(tiny_source: str) -> None:
    source = read_source(tiny_source)
    assert to_bytes(build(source, "student")) == to_bytes(build(source, "student"))
    assert to_bytes(build(source, "student")) != to_bytes(build(source, "solution"))


def test_versions_differ_in_the_exercises_only(tiny_source: str) -> None:
    source = read_source(tiny_source)
    pairs = zip(build(source, "student")["cells"], build(source, "solution")["cells"], strict=True)
    for student, solution in pairs:
        same = text_of(student) == text_of(solution)
        assert same == ("exercise" not in labels_of(student))
    text = to_bytes(build(source, "student")).decode()
    assert "return factor * x" not in text
    assert "Unsolved" not in text_of(build(source, "solution")["cells"][2])


def test_it_is_a_valid_notebook(tiny_source: str) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is in the extra [test]")
    for version in ("student", "solution"):
        notebook = json.loads(to_bytes(build(read_source(tiny_source), version)))
        nbformat.validate(notebook)
        assert about(notebook)["version"] == version
        assert about(notebook)["title"] == notebook["metadata"]["title"] == "A tiny tutorial"


def test_cells_equal_jupytext(tiny_source: str) -> None:
    jupytext = pytest.importorskip("jupytext", reason="jupytext is in the extra [test]")
    # Without the header, which jupytext would turn into a cell of its own.
    body = tiny_source.split("# ---\n", 2)[2].lstrip("\n")
    theirs = jupytext.reads(body, fmt="py:percent")["cells"]
    ours = read_source(tiny_source).cells
    assert [cell.text for cell in ours] == [cell["source"] for cell in theirs]
    assert [cell.prose for cell in ours] == [cell["cell_type"] == "markdown" for cell in theirs]
    spacing = {"lines_to_next_cell"}  # jupytext's note to itself
    labels = [{k: v for k, v in cell["metadata"].items() if k not in spacing} for cell in theirs]
    assert [cell.labels for cell in ours] == labels


def test_digest_sees_text_and_not_outputs(tiny_source: str) -> None:
    cells = build(read_source(tiny_source), "student")["cells"]
    before = digest(cells)
    cells[1]["outputs"], cells[1]["execution_count"] = [{"output_type": "stream"}], 7
    cells[1]["source"] = text_of(cells[1])  # one string instead of lines: the format allows both
    assert digest(cells) == before
    cells[1]["source"] += "\n# mine"
    assert digest(cells) != before


@pytest.mark.parametrize("content", ["", "not json", "[1]", '{"cells": 3}'])
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(InputError, match="a notebook in JSON"):
        read_notebook(path)
    with pytest.raises(InputError, match="expected a file"):
        read_notebook(tmp_path / "missing.ipynb")
