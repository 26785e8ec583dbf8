"""Compiled or not: one question, asked in one place."""

from __future__ import annotations

import hashlib
import importlib
import os
import platform
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

ENOUGH_SCORES = 65_536
"""From this many scores on, rows of Top-k problems are solved by compiled kernels.

Per score they save 20 to 140 ns, so at this size a millisecond or more per call; importing Numba
costs 0.25 s once per process. The rule looks at the size of the array and at whether Numba is
there, and at nothing else: not at what is loaded already, not at a clock. So the same program with
the same seed takes the same path and gives the same bits every time on one machine. Between a
machine with Numba and one without, the last bits may differ.
"""

ENOUGH_WEIGHTS = 131_072
"""From this many parameters on, an optimiser's step is made by compiled kernels.

They save about 1 ns per parameter and step of Adam, so at this size the 0.25 s of importing Numba
come back after 2,000 steps. Again a rule of sizes alone; here even the bits are the same.
"""


def why_not_compiled() -> str:
    """Why the compiled kernels are not used here; the empty string where they are."""
    if os.environ.get("MINIMIDL_NO_NUMBA"):
        return "MINIMIDL_NO_NUMBA is set"
    try:
        importlib.import_module("numba")
    except ImportError as error:
        return f"Numba cannot be imported ({error})"
    return ""


def threads_there() -> int:
    """How many threads Numba could start here; ImportError without it."""
    return int(importlib.import_module("numba").config.NUMBA_NUM_THREADS)


def compiled_kernels() -> ModuleType | None:
    """The module of compiled kernels, or None where NumPy has to do; imports Numba when called."""
    if why_not_compiled():
        return None
    return importlib.import_module("minimidl.kernels.compiled")


def chain_kernels() -> ModuleType | None:
    """As :func:`compiled_kernels`, the kernels of gated layers that follow each other."""
    if why_not_compiled():
        return None
    return importlib.import_module("minimidl.kernels.compiled_chain")


def wire_kernels() -> ModuleType | None:
    """As :func:`compiled_kernels`, the kernels of dead connections and of given decisions."""
    if why_not_compiled():
        return None
    return importlib.import_module("minimidl.kernels.compiled_wires")


def row_kernels(size: int, dtype: Any) -> ModuleType | None:
    """The module of row-wise Top-k solvers, or None where NumPy does it.

    Args:
        size: rows times n; see :data:`ENOUGH_SCORES`.
        dtype: of the scores; the kernels know float32 and float64.

    """
    if size < ENOUGH_SCORES or str(dtype) not in ("float32", "float64") or why_not_compiled():
        return None
    return importlib.import_module("minimidl.kernels.rows")


def optimizer_kernels(size: int, dtype: Any) -> ModuleType | None:
    """The module of one-pass optimiser steps, or None where NumPy does it.

    Args:
        size: numbers in all parameters of the dtype together; see :data:`ENOUGH_WEIGHTS`.
        dtype: of the parameters; the kernels know float32 and float64.

    """
    if size < ENOUGH_WEIGHTS or str(dtype) not in ("float32", "float64") or why_not_compiled():
        return None
    return importlib.import_module("minimidl.kernels.optimizers")


def cache_folder() -> Path:
    """Where compiled kernels and what was measured of them are kept; need not be writable."""
    return Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__")


def machine_name() -> str:
    """A short name for what a timing depends on: processor, libraries, and these kernels."""
    import numpy as np

    from minimidl.kernels.jit import sources_hash

    model = sources = ""
    with suppress(OSError):  # in an archive what was measured is kept until somebody deletes it
        sources = sources_hash()
    with suppress(OSError):  # platform.processor() is empty on most Linux systems
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line for line in lines if line.startswith("model name")), "")
    parts = (platform.machine(), platform.processor(), model, np.__version__, sources,
             why_not_compiled() or "compiled")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
