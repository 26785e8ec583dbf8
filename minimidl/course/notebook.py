"""Notebook files (nbformat 4.5) as plain JSON: written without outputs, the same bytes each time.

A small own writer keeps the package free of jupytext and nbformat; a test compares its cells with
jupytext's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minimidl.course.exercises import pair_up, solved, unsolved
from minimidl.course.percent import Cell, Source
from minimidl.errors import require

Notebook = dict[str, Any]

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def build(source: Source, version: str) -> Notebook:
    """Notebook of a tutorial; ``version`` is ``"student"`` (stubs) or ``"solution"``."""
    require(version in ("student", "solution"), "version", repr(version),
            "'student' or 'solution'")
    pair_up(source.cells)
    cells = [_cell(cell, f"{source.number:02d}-{place:02d}", version)
             for place, cell in enumerate(source.cells)]
    about = {"number": source.number, "title": source.title, "minutes": source.minutes,
             "version": version, "digest": digest(cells)}
    return {"cells": cells, "metadata": {**KERNEL, "minimidl": about, "title": source.title},
            "nbformat": 4, "nbformat_minor": 5}


def _cell(cell: Cell, name: str, version: str) -> Notebook:
    # The id is the place in the source, so that editing one cell changes one cell of the file.
    text = cell.text
    if "exercise" in cell.labels:
        text = solved(cell) if version == "solution" else unsolved(cell)
    common = {"id": name, "metadata": {"minimidl": cell.labels} if cell.labels else {},
              "source": text.splitlines(keepends=True)}
    if cell.prose:
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **common}


def to_bytes(notebook: Notebook) -> bytes:
    """The file's content: sorted keys, one-space indent, UTF-8, one newline at the end."""
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_notebook(path: Path) -> Notebook:
    """Load a notebook file.

    Raises:
        InputError: the file is missing, or is not a notebook.

    """
    require(path.is_file(), "notebook", str(path), "a file",
            "minimidl tutorials start N copies one")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as fault:
        notebook = f"unreadable: {fault}"
    good = isinstance(notebook, dict) and isinstance(notebook.get("cells"), list)
    require(good, "notebook", str(path), "a notebook in JSON with a list 'cells'")
    result: Notebook = notebook
    return result


def text_of(cell: Notebook) -> str:
    """Source text of a cell, which the format allows to be a list of lines or one string."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def labels_of(cell: Notebook) -> dict[str, str]:
    """Labels of a cell: ``{"exercise": name}``, ``{"check": name}`` or nothing."""
    labels: dict[str, str] = cell.get("metadata", {}).get("minimidl", {})
    return labels


def about(notebook: Notebook) -> dict[str, Any]:
    """What the notebook says of itself: number, title, minutes, version, digest; may be empty."""
    found: dict[str, Any] = notebook.get("metadata", {}).get("minimidl", {})
    return found


def digest(cells: Sequence[Notebook]) -> str:
    """Fingerprint of the cells' kinds and texts; outputs and run counts do not matter."""
    parts = [[cell.get("cell_type", ""), text_of(cell)] for cell in cells]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
