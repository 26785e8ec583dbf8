"""The reader's own folder: copy a student notebook into it, and never overwrite their work."""

from __future__ import annotations

from pathlib import Path

from minimidl.course.notebook import about, digest, read_notebook
from minimidl.course.shelf import Tutorial
from minimidl.errors import InputError, require
from minimidl.files import whole_file

DEFAULT_FOLDER = Path("minimidl-tutorials")


def own_path(tutorial: Tutorial, folder: Path) -> Path:
    """Where the reader's copy of a tutorial is, or would be."""
    return folder / tutorial.filename


def state(tutorial: Tutorial, folder: Path) -> str:
    """``"not started"``, ``"started"`` (copied, cells as they came) or ``"edited"``.

    Running the cells or saving the file is not an edit: only the cells' texts count. A file that
    cannot be read as a notebook counts as edited, so that it is never overwritten.
    """
    path = own_path(tutorial, folder)
    if not path.exists():
        return "not started"
    try:
        copy = read_notebook(path)
    except InputError:
        return "edited"
    return "started" if about(copy).get("digest") == digest(copy["cells"]) else "edited"


def start(tutorial: Tutorial, folder: Path) -> tuple[Path, str]:
    """Copy the student notebook into ``folder`` unless the reader has edited their copy.

    An unedited copy of an older version is refreshed, an edited one is left as it is.

    Returns:
        the path of the reader's copy, and what was done: ``"copied"``, ``"already there"``,
        ``"refreshed"`` or ``"kept"``.

    Raises:
        InputError: the folder cannot be written.

    """
    path, now = own_path(tutorial, folder), state(tutorial, folder)
    if now == "edited":
        return path, "kept"
    if now == "started":
        fresh = about(read_notebook(tutorial.student))["digest"]
        if about(read_notebook(path))["digest"] == fresh:
            return path, "already there"
    _copy(tutorial.student, path)
    return path, "copied" if now == "not started" else "refreshed"


def _copy(original: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(original.read_bytes())
    except OSError as fault:
        require(False, "--out", str(path.parent), "a folder that can be written", str(fault))
