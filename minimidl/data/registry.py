"""Every data set by name: what it is, whether it is ready, and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minimidl.data.dataset import PARTS, Dataset
from minimidl.data.digits import PATH as DIGITS_PATH
from minimidl.data.digits import digits
from minimidl.data.folders import prepared_path
from minimidl.data.glyphs import glyphs
from minimidl.data.prepared import fingerprint, read, read_about, read_arrays
from minimidl.data.regimes import regimes
from minimidl.data.spirals import spirals
from minimidl.errors import InputError, require


@dataclass(frozen=True)
class Entry:
    """What is known of a set before it is loaded.

    Args:
        kind: ``"embedded"`` (in the package), ``"generated"`` (from a seed) or ``"prepared"``
            (real data, fetched or prepared once).
        summary: one line for the list.
        sizes: samples in the training, validation and test part.
        n_features: width of a row.
        n_classes: number of classes.
        build: makes the set from a seed; None for a prepared set.

    """

    kind: str
    summary: str
    sizes: tuple[int, int, int]
    n_features: int
    n_classes: int
    build: Callable[[int], Dataset] | None = None


ENTRIES: dict[str, Entry] = {
    "digits": Entry("embedded", "handwritten digits, 8x8", (1078, 269, 450), 64, 10,
                    lambda seed: digits()),
    "spirals": Entry("generated", "three arms in the plane", (1200, 300, 600), 2, 3, spirals),
    "regimes": Entry("generated", "a cue says which features count", (4000, 1000, 2000), 36, 4,
                     regimes),
    "glyphs": Entry("generated", "printed digits, 28x28", (7000, 1000, 2000), 784, 10, glyphs),
    "mnist": Entry("prepared", "handwritten digits, 28x28", (55000, 5000, 10000), 784, 10),
}
NAMES = tuple(ENTRIES)
"""The data sets that exist, in the order of the list."""


def entry(name: str) -> Entry:
    """Look up a set by name.

    Raises:
        InputError: unknown name; the line lists the known ones.

    """
    require(name in ENTRIES, "data", repr(name), f"one of {', '.join(NAMES)}")
    return ENTRIES[name]


def load(name: str, seed: int = 0, data_dir: str | Path | None = None) -> Dataset:
    """Load a data set, normalised and checked.

    Args:
        name: one of :data:`NAMES`.
        seed: of a generated set; embedded and prepared sets are always the same.
        data_dir: folder of prepared sets; None is ``MINIMIDL_DATA`` or the cache folder.

    Raises:
        InputError: unknown name, a set that is not prepared yet (the line says how to), or a
            damaged file.

    """
    build = entry(name).build
    if build is not None:
        return build(seed)
    return read(prepared_path(name, data_dir), mend(name))


def mend(name: str) -> str:
    """Return the two commands that make a prepared set ready."""
    return f"run `minimidl data fetch {name}`, or `minimidl data prepare {name} --raw DIR`"


def describe(name: str, data_dir: str | Path | None = None) -> dict[str, Any]:
    """One row of ``minimidl data list``, without loading or generating anything.

    ``sha256`` is the fingerprint of the contents of a file; None for generated sets, whose bits
    depend on the seed. ``state`` is ``"ready"``, ``"missing"`` or ``"damaged"``, and ``note`` says
    what the set is, or what to do about its file.
    """
    known = entry(name)
    row = {"name": name, "prepared": True, "kind": known.kind, "state": "ready",
           **{f"n_{part}": n for part, n in zip(PARTS, known.sizes, strict=True)},
           "n_features": known.n_features, "n_classes": known.n_classes, "sha256": None,
           "note": known.summary}
    return row | (_state_of_file(name, data_dir) if known.kind != "generated" else {})


def verify(name: str, data_dir: str | Path | None = None) -> str:
    """Read everything again, compare it with the recorded fingerprint, and return that.

    A generated set is made twice instead, and must have the same bits both times.

    Raises:
        InputError: the file is missing, damaged, or not what it says it is.

    """
    if entry(name).kind == "generated":
        got, expected = (fingerprint(load(name).arrays()) for _ in range(2))
    else:
        load(name, data_dir=data_dir)  # shapes, labels and numbers
        arrays, about = read_arrays(_path(name, data_dir), mend(name))
        got, expected = fingerprint(arrays), about["sha256"]
    require(got == expected, name, f"contents with sha256 {got}", f"sha256 {expected}", mend(name))
    return got


def _path(name: str, data_dir: str | Path | None) -> Path:
    return DIGITS_PATH if name == "digits" else prepared_path(name, data_dir)


def _state_of_file(name: str, data_dir: str | Path | None) -> dict[str, Any]:
    """What the file of a set says of itself, or what is wrong with it."""
    path = _path(name, data_dir)
    if not path.is_file():
        return {"prepared": False, "state": "missing", "note": mend(name)}
    try:
        about = read_about(path, mend(name))
    except InputError as error:
        return {"prepared": False, "state": "damaged", "note": str(error)}
    keys = (*(f"n_{part}" for part in PARTS), "n_features", "sha256")
    return {key: about[key] for key in keys} | {"n_classes": len(about["class_names"])}
