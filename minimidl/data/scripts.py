"""Find and load the scripts that prepare real data: beside a checkout, or inside the wheel."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from minimidl.errors import InputError, require

PACKAGE = Path(__file__).resolve().parents[1]


def script_folder() -> Path:
    """Folder of the data scripts: ``_shelf/data_scripts`` in a wheel, else beside the package.

    Raises:
        InputError: neither is there, so the installation is incomplete.

    """
    # The shelf first: in site-packages a neighbour called data_scripts would be somebody else's.
    for folder in (PACKAGE / "_shelf" / "data_scripts", PACKAGE.parent / "data_scripts"):
        if folder.is_dir():
            return folder
    raise InputError(f"data scripts: not in {PACKAGE}, expected them there "
                     "(install minimidl again)")


def load_script(name: str) -> ModuleType:
    """Load the script that prepares the set ``name``; it has ``prepare(...)`` and ``main(...)``.

    Raises:
        InputError: there is no such script.

    """
    path = script_folder() / f"{name.replace('-', '_')}.py"
    require(path.is_file(), "name", repr(name), "a data set with a script in data_scripts")
    spec = importlib.util.spec_from_file_location(f"minimidl_data_script_{path.stem}", path)
    assert spec is not None  # a .py file always has a spec and a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
