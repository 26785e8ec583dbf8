"""The one place of the package that may use the network, and only when asked to."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path

from minimidl.data.folders import writable_folder
from minimidl.data.raw import RawFile, sha256_of
from minimidl.errors import InputError


def download(files: Iterable[RawFile], url: str, folder: Path) -> Path:
    """Fetch what is not yet in ``folder`` from ``url`` + name, with a progress bar.

    A file appears under its name only once it is complete and its checksum is right.

    Raises:
        InputError: pooch is not installed, the address does not answer, the checksum is wrong, or
            the folder cannot be written.

    """
    writable_folder(folder)
    for file in files:
        path = folder / file.name
        if not (path.is_file() and sha256_of(path) == file.sha256):
            _fetch(file, f"{url.rstrip('/')}/{file.name}", folder)
    return folder


def _fetch(file: RawFile, address: str, folder: Path) -> None:
    """Fetch one file; whatever goes wrong becomes one clear line."""
    try:
        import pooch
    except ImportError as error:
        raise InputError("download: pooch is not installed, expected it for downloads "
                         '(pip install "minimidl[data]", or give files you have with --raw DIR)'
                         ) from error
    pooch.get_logger().setLevel(logging.WARNING)  # the bar says enough
    try:
        pooch.retrieve(address, f"sha256:{file.sha256}", fname=file.name, path=folder,
                       downloader=pooch.HTTPDownloader(progressbar=True, timeout=30))
    except Exception as error:  # requests' errors, pooch's ValueError, OSError: told in one line
        raise InputError(f"{address}: {_in_short(error, file)} (try again, give another address "
                         "with --url, or files you have with --raw DIR)") from error


def _in_short(error: Exception, file: RawFile) -> str:
    """Return the first line of an error, or got and expected where the checksum is wrong."""
    text = " ".join(str(error).split())
    if file.sha256 in text:  # pooch names both checksums
        got = set(re.findall(r"[0-9a-f]{64}", text)) - {file.sha256}
        return f"got sha256 {' '.join(got)}, expected {file.sha256}"
    return f"got {type(error).__name__}: {text[:120]}, expected {file.name}"
