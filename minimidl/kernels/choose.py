"""Compiled or not: one question, asked in one place."""

from __future__ import annotations

import importlib
import os
from types import ModuleType


def why_not_compiled() -> str:
    """Why the compiled kernels are not used here; the empty string where they are."""
    if os.environ.get("MINIMIDL_NO_NUMBA"):
        return "MINIMIDL_NO_NUMBA is set"
    try:
        importlib.import_module("numba")
    except ImportError as error:
        return f"Numba cannot be imported ({error})"
    return ""


def compiled_kernels() -> ModuleType | None:
    """The module of compiled kernels, or None where NumPy has to do; imports Numba when called."""
    if why_not_compiled():
        return None
    return importlib.import_module("minimidl.kernels.cpu")
