"""The prepared file: one ``NAME.npz`` with six arrays and their story, and no pickle.

Pixels stay uint8, as they came; the scalar mean and standard deviation of the *training* part are
in the story (``about``, JSON text inside the file) and are applied when the file is read.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from minimidl.arrays import Array
from minimidl.data.dataset import PARTS, Dataset, check_labels
from minimidl.data.folders import not_writable, writable_folder
from minimidl.errors import InputError, require
from minimidl.files import whole_file

ARRAYS = tuple(f"{axis}_{part}" for part in PARTS for axis in "xy")
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError)
"""What NumPy, zip and JSON raise on a file that is cut short or not ours."""

Progress = Callable[[Iterable[str]], Iterable[str]]
T = TypeVar("T")


def fingerprint(arrays: dict[str, Array]) -> str:
    """SHA-256 of the contents: names, dtypes, shapes and bytes, in alphabetical order.

    It is of the contents and not of the file, so that it does not depend on compression.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def write(path: Path, arrays: dict[str, Array], about: dict[str, Any],
          progress: Progress = iter) -> Path:
    """Write a prepared file, whole or not at all.

    Args:
        path: where; its folder is made if need be.
        arrays: ``x_*`` as they came (uint8 pixels, or floats) and ``y_*``; others become ``extra``.
        about: ``name``, ``class_names``, ``image_shape``, provenance and so on, as JSON can hold.
        progress: wraps the names of the arrays while they are written (a progress bar).

    Raises:
        InputError: a label out of range, or a place that cannot be written.

    """
    for part in PARTS:
        check_labels(arrays[f"y_{part}"], len(arrays[f"x_{part}"]), len(about["class_names"]),
                     f"{about['name']}.y_{part}")
    story = {**about, **normalisation(arrays["x_train"]), **sizes(arrays),
             "sha256": fingerprint(arrays), "format": 1}
    members = {"about": np.array(json.dumps(story, sort_keys=True)), **arrays}
    _replace_file(path, lambda file: _write_members(file, members, progress))
    return path


def normalisation(x: Array) -> dict[str, float]:
    """Scalar mean and standard deviation of the training inputs, in their own units."""
    spread = float(x.std(dtype=np.float64))
    return {"mean": float(x.mean(dtype=np.float64)), "std": spread or 1.0}


def sizes(arrays: dict[str, Array]) -> dict[str, int]:
    """Return the numbers of samples and features, for the list of sets."""
    counts = {f"n_{part}": len(arrays[f"x_{part}"]) for part in PARTS}
    return {**counts, "n_features": int(arrays["x_train"].shape[1])}


def normalised(x: Array, mean: float, std: float) -> Array:
    """``(x - mean) / std`` as float32; uint8 goes through a table of its 256 possible values."""
    if x.dtype == np.uint8:
        table: Array = ((np.arange(256) - mean) / std).astype(np.float32)
        return table[x]
    return ((x - mean) / std).astype(np.float32)


def read_about(path: Path, mend: str = "") -> dict[str, Any]:
    """Return the story alone, without reading the pixels.

    Raises:
        InputError: the file is missing, cut short, or not a prepared file.

    """
    return _read(path, mend, _story)


def read_arrays(path: Path, mend: str = "") -> tuple[dict[str, Array], dict[str, Any]]:
    """Return all arrays as they are stored, and the story. Raises as :func:`read_about`."""
    return _read(path, mend, lambda file: (
        {name: file[name] for name in file.files if name != "about"}, _story(file)))


def read(path: Path, mend: str = "") -> Dataset:
    """Return the prepared set, normalised and checked. Raises as :func:`read_about`."""
    arrays, about = read_arrays(path, mend)
    missing = sorted(set(ARRAYS) - set(arrays))
    require(not missing, str(path), f"no {', '.join(missing)}", "a prepared file", mend)
    parts: dict[str, Any] = {
        name: normalised(arrays[name], about["mean"], about["std"]) if name[0] == "x"
        else arrays[name].astype(np.int64) for name in ARRAYS}
    shape = about.get("image_shape")
    return Dataset(
        name=about["name"], class_names=tuple(about["class_names"]),
        feature_names=tuple(about.get("feature_names") or pixel_names(shape or ())),
        image_shape=tuple(shape) if shape else None, about=about,
        extra={name: arrays[name] for name in arrays if name not in ARRAYS}, **parts,
    ).validated()


def pixel_names(shape: Iterable[int]) -> tuple[str, ...]:
    """Names of the pixels of a picture, row by row: ``pixel_0_0``, ``pixel_0_1``, ..."""
    return tuple("pixel_" + "_".join(map(str, where)) for where in np.ndindex(*shape))


def _story(file: Any) -> dict[str, Any]:
    """Decode the story, and insist on the keys that reading needs."""
    about: dict[str, Any] = json.loads(str(file["about"]))
    missing = {"name", "class_names", "mean", "std", "sha256", "n_train", "n_features"} - set(about)
    if missing:
        raise ValueError(f"no {', '.join(sorted(missing))} in its story")
    return about


def _read(path: Path, mend: str, take: Callable[[Any], T]) -> T:
    """Open, take, close; whatever goes wrong becomes one clear line."""
    require(path.is_file(), str(path), "no such file", "a prepared data file", mend)
    try:
        # Opened here, so that the file is closed even where NumPy fails half-way.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return take(file)
    except UNREADABLE as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: got a damaged file ({text}), expected a prepared data file"
                         + (f" ({mend})" if mend else "")) from error


def _write_members(file: BinaryIO, members: dict[str, Array], progress: Progress) -> None:
    """Write the npz layout with the lightest compression: pixels shrink five-fold in a second."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in progress(members):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, members[name], allow_pickle=False)


def _replace_file(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """Fill a temporary file beside ``path``, then put it in place in one step."""
    writable_folder(path.parent)
    try:
        with whole_file(path) as file:
            fill(file)
    except OSError as error:
        raise not_writable(path, error) from error
