"""Arrays and facts in one file: NumPy's zip of arrays, with JSON inside, no pickle, atomic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import InputError, require
from minimidl.files import whole_file

FACTS = "facts.json"
"""Name of the entry that holds the JSON, as UTF-8 bytes."""


def write_archive(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write a file as a whole or not at all.

    Everything goes to a temporary file in the same folder, which then takes the name in one step.
    Whatever happens before, Ctrl-C included, the old file stays as it was.

    Args:
        path: of the file; its folder exists.
        arrays: by name; of numbers, any memory order.
        facts: what JSON can hold.

    Raises:
        InputError: the file cannot be written.

    """
    # asarray, not ascontiguousarray: that one would turn 0-d arrays into 1-d ones
    entries = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    entries[FACTS] = np.frombuffer(to_json(facts), np.uint8)
    require_numbers(entries)
    try:
        with whole_file(path) as file:
            np.savez(file, **entries)  # type: ignore[arg-type]
    except OSError as error:
        raise InputError(f"checkpoint: got {path}, which cannot be written ({error.strerror}), "
                         "expected a file in an existing, writable folder") from None


def to_json(facts: Mapping[str, Any]) -> bytes:
    """UTF-8 bytes of the facts; raises InputError for what JSON cannot hold."""
    try:
        return json.dumps(facts, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"checkpoint config: got something that JSON cannot hold ({error}), "
                         "expected strings, finite numbers, lists and dicts") from None


def require_numbers(arrays: Mapping[str, Array]) -> None:
    """Raise InputError for arrays of Python objects: only a pickle could hold them."""
    for name, array in arrays.items():
        require(array.dtype.kind in "biuf", name, f"dtype {array.dtype}", "an array of numbers")


def read_archive(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what :func:`write_archive` wrote.

    Raises:
        InputError: no such file, a damaged or foreign one; anything that needs a pickle is refused.

    """
    require(path.is_file(), "checkpoint", f"{path}, which is no file", "an existing checkpoint",
            "train once without resume, or correct the name")
    try:
        # opened here, because np.load forgets to close a file that it cannot read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return arrays, json.loads(arrays.pop(FACTS).tobytes())
    except Exception:  # a damaged file makes zipfile and NumPy raise nearly anything
        raise InputError(f"checkpoint: got {path}, damaged or of another kind, expected a "
                         "checkpoint of minimidl (delete it and train again)") from None
