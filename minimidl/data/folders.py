"""Where prepared data lives: the platform's cache folder, or wherever ``MINIMIDL_DATA`` says."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from minimidl.errors import InputError

VARIABLE = "MINIMIDL_DATA"
"""The environment variable that moves the data folder."""


def cache_folder() -> Path:
    """Return the platform's cache folder for this program; it need not exist yet."""
    home = Path.home()
    system = platform.system()
    if system == "Windows":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif system == "Darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "minimidl"


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Folder of prepared sets: ``data_dir``, else ``MINIMIDL_DATA``, else the cache folder."""
    return Path(data_dir or os.environ.get(VARIABLE) or cache_folder()).expanduser()


def prepared_path(name: str, data_dir: str | Path | None = None) -> Path:
    """Return the file of the prepared set ``name``."""
    return data_folder(data_dir) / f"{name}.npz"


def writable_folder(path: str | Path) -> Path:
    """Make the folder if need be, and return it.

    Raises:
        InputError: it cannot be made or written to.

    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise not_writable(folder, PermissionError("no permission"))
    return folder


def not_writable(path: Path, error: OSError) -> InputError:
    """Return the error to raise where ``path`` cannot be written."""
    return InputError(f"{path}: cannot write here ({error.strerror or error}), expected a folder "
                      f"with permission and room (choose another, or set {VARIABLE})")
