"""Write the notebooks from the sources: ``python -m minimidl.course.generate [--check]``.

One way only: ``tutorials/source/NN_title.py`` is edited by hand, ``student/NN_title.ipynb`` and
``solutions/NN_title.ipynb`` are not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from minimidl.course.notebook import build, to_bytes
from minimidl.course.percent import read_source
from minimidl.course.shelf import shelf
from minimidl.errors import InputError, require

FOLDERS = {"student": "student", "solution": "solutions"}


def wanted(folder: Path) -> dict[Path, bytes]:
    """Every generated file of a tutorials folder and the bytes it should hold."""
    sources = sorted((folder / "source").glob("*.py"))
    require(bool(sources), "tutorials", f"no sources in {folder / 'source'}",
            "files NN_title.py", "generation needs a clone; the wheel holds the same folder")
    files = {}
    for path in sources:
        source = read_source(path.read_text(encoding="utf-8"))
        require(path.name.startswith(f"{source.number:02d}_"), "tutorial source", path.name,
                f"a name that starts with {source.number:02d}_, as its header says")
        for version, place in FOLDERS.items():
            files[folder / place / f"{path.stem}.ipynb"] = to_bytes(build(source, version))
    return files


def out_of_date(folder: Path) -> list[Path]:
    """Generated files that are missing, differ from their source, or have no source any more."""
    files = wanted(folder)
    stale = [path for path, content in files.items()
             if not path.is_file() or path.read_bytes() != content]
    there = (path for place in FOLDERS.values() for path in (folder / place).glob("*.ipynb"))
    return sorted([*stale, *(path for path in there if path not in files)])


def generate(folder: Path) -> list[Path]:
    """Bring the generated files up to date; return those that were written or removed."""
    files, stale = wanted(folder), out_of_date(folder)
    for path in stale:
        if path in files:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(files[path])
        else:
            path.unlink()
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Command of this module; 0 done or current, 1 out of date under ``--check``, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m minimidl.course.generate",
                                     description="Write the notebooks from tutorials/source.")
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    parser.add_argument("--folder", type=Path, help="tutorials folder (default: the shelf)")
    options = parser.parse_args(arguments)
    try:
        folder = options.folder or shelf()
        stale = out_of_date(folder) if options.check else generate(folder)
    except InputError as fault:
        print(fault, file=sys.stderr)
        return 2
    for path in stale:
        print(f"{'out of date' if options.check else 'updated'}: {path.relative_to(folder)}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
