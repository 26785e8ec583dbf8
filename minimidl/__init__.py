"""minimidl: networks that decide, for every input, which neurons to run.

Importing this package loads NumPy and nothing heavier. The rooms load when they are first named;
Numba, matplotlib and the rest when they are first used.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from minimidl.errors import InputError

if TYPE_CHECKING:
    from minimidl import gates, layers, losses

__version__ = "0.1.0"

__all__ = ["InputError", "__version__", "gates", "layers", "losses"]


def __getattr__(name: str) -> ModuleType:
    """Load ``minimidl.gates``, ``minimidl.layers`` or ``minimidl.losses`` when it is named."""
    if name in ("gates", "layers", "losses"):
        return importlib.import_module(f"minimidl.{name}")
    raise AttributeError(f"module 'minimidl' has no attribute {name!r}")
