"""What every command shares: the JSON file of the contract, plain tables, the machine's words."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

import minimidl
from minimidl.errors import InputError, require
from minimidl.files import whole_file

Row = dict[str, Any]


def seed_number(text: str) -> int:
    """The type of every ``--seed``; argparse turns the error into one line."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text}, expected a whole number, at least 0")
    return int(text)


def machine() -> dict[str, Any]:
    """Describe this machine in words that mean something elsewhere; no names, no paths."""
    return {
        "system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count(),
        "python": platform.python_version(), "numpy": np.__version__,
    }


def plain(value: Any) -> Any:
    """A value JSON can carry: NumPy numbers to Python's, NaN and infinity to null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_atomically(path: Path, content: str) -> None:
    """Write text so that the file is either the old one or the whole new one, never half.

    Raises InputError when the place cannot be written.
    """
    with refuse_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(content.encode())


def check_writable(*paths: str | Path | None) -> None:
    """Refuse an output that cannot be written *before* minutes are spent on making it.

    Leaves nothing behind, no empty folder either.
    """
    for path in (Path(path) for path in paths if path is not None):
        require(not path.is_dir(), f"output {path}", "a folder", "the name of a file")
        place = next(folder for folder in path.parents if folder.exists())
        with refuse_unwritable(path), NamedTemporaryFile(dir=place):
            pass


@contextmanager
def refuse_unwritable(path: Path) -> Iterator[None]:
    """Tell in one line why ``path`` cannot be written."""
    try:
        yield
    except OSError as error:
        raise InputError(f"output {path}: got {error.strerror or error}, expected a place that can "
                         "be written (choose another with --json, --out or --checkpoint)"
                         ) from error


def write_json(
    path: str | Path | None, command: str, rows: Sequence[Row], facts: Row | None = None
) -> None:
    """Write ``{"minimidl": VERSION, "command": ..., "machine": ..., "rows": [...]}``.

    ``facts`` are further keys, before the rows. Does nothing for ``path=None``. Raises InputError
    when the place cannot be written.
    """
    if path is None:
        return
    content = {"minimidl": minimidl.__version__, "command": command, "machine": machine(),
               **plain(facts or {}), "rows": plain(list(rows))}
    write_atomically(Path(path), json.dumps(content, indent=1, allow_nan=False) + "\n")


def cell(value: Any) -> str:
    """One table cell: four significant digits for floats, a dash for nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:.4g}" if abs(number) < 1000 else f"{number:,.0f}"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return str(value)


def format_table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Rows as aligned text, one header line, numbers to the right."""
    cells = [list(columns), *([cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(text) for text in texts) for texts in zip(*cells, strict=True)]
    numeric = [all(isinstance(row.get(c), int | float | np.number | None) for row in rows)
               for c in columns]
    lines = [cells[0], ["-" * width for width in widths], *cells[1:]]
    return "\n".join(
        "  ".join(text.rjust(w) if right else text.ljust(w)
                  for text, w, right in zip(line, widths, numeric, strict=True)).rstrip()
        for line in lines)


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Print :func:`format_table`."""
    print(format_table(rows, columns))
