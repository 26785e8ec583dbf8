"""Where the tutorials live: beside the package in a clone, inside it in an installed wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from minimidl.course.notebook import about, read_notebook
from minimidl.errors import require


@dataclass(frozen=True)
class Tutorial:
    """One tutorial on the shelf: what it is called and where its generated notebooks are."""

    number: int
    title: str
    minutes: int
    student: Path
    solution: Path

    @property
    def filename(self) -> str:
        """Name of the notebook file, ``NN_title.ipynb``."""
        return self.student.name


def shelf() -> Path:
    """Folder that holds ``student/`` and ``solutions/``.

    Raises:
        InputError: neither the wheel's copy nor a clone's folder is there.

    """
    package = Path(__file__).resolve().parents[1]
    # The wheel's copy comes first: next to an installed package lies site-packages, where a folder
    # called "tutorials" may belong to someone else.
    places = (package / "_shelf" / "tutorials", package.parent / "tutorials")
    found = next((place for place in places if (place / "student").is_dir()), None)
    require(found is not None, "tutorials", f"nothing in {places[0]} or {places[1]}",
            "the folder of tutorials", "install the wheel again, or run inside a clone")
    assert found is not None  # for the type checker; require has raised otherwise
    return found


def tutorials(folder: Path | None = None) -> list[Tutorial]:
    """Every tutorial that exists, in order; ``folder`` is :func:`shelf` unless given."""
    folder = folder or shelf()
    found = (_tutorial(path, folder) for path in sorted((folder / "student").glob("*.ipynb")))
    return sorted(found, key=lambda tutorial: tutorial.number)


def _tutorial(path: Path, folder: Path) -> Tutorial:
    says = about(read_notebook(path))
    return Tutorial(int(says["number"]), str(says["title"]), int(says["minutes"]), path,
                    folder / "solutions" / path.name)


def tutorial(number: int, folder: Path | None = None) -> Tutorial:
    """The tutorial of that number; raises InputError with the numbers that exist."""
    known = {each.number: each for each in tutorials(folder)}
    require(number in known, "tutorial", number, f"one of {', '.join(map(str, known))}",
            "minimidl tutorials list shows their titles")
    return known[number]
