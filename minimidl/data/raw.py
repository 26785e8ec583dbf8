"""Files as they were published: their checksums, and the IDX format of MNIST."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import InputError, require

HEADER = b"\x00\x00\x08"
"""An IDX file of unsigned bytes begins so; the fourth byte is the number of dimensions."""


@dataclass(frozen=True)
class RawFile:
    """One published file.

    Args:
        name: its file name.
        sha256: published checksum, lower-case hexadecimal.
        size: in bytes, for the reader who wonders how long a download takes.

    """

    name: str
    sha256: str
    size: int


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_files(folder: Path, files: Iterable[RawFile]) -> None:
    """Check that every file is in ``folder`` with the published contents.

    Raises:
        InputError: a file is missing (then the line lists what the folder should hold), or has
            another checksum.

    """
    files = tuple(files)
    names = ", ".join(file.name for file in files)
    for file in files:
        path = folder / file.name
        require(path.is_file(), str(path), "no such file", f"a folder with {names}",
                "give the folder that holds them with --raw DIR")
        got = sha256_of(path)
        require(got == file.sha256, str(path), f"sha256 {got}", f"sha256 {file.sha256}",
                "the file is incomplete or altered; delete it and fetch it again")


def read_idx(path: Path) -> Array:
    """Read an IDX file of unsigned bytes, gzip-compressed.

    The format: two zero bytes, the type (8 = unsigned byte), the number of dimensions, each
    dimension as a big-endian 32-bit number, then the values, last dimension fastest.

    Returns:
        A read-only uint8 array in the shape the file states.

    Raises:
        InputError: not gzip, cut short, another magic number, or a length that does not fit.

    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: got a damaged gzip file ({error}), expected a complete one "
                         "(delete it and fetch it again)") from error
    require(len(data) >= 4 and data[:3] == HEADER, str(path), f"magic number {data[:4].hex()}",
            "000008 and the number of dimensions: an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else ()
    require(len(data) - start == math.prod(shape) and len(shape) == data[3], str(path),
            f"{len(data) - start} values", f"{math.prod(shape)} for the shape {shape}",
            "the file is cut short or has something added")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
