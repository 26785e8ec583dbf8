"""The only place with compile options; kernel files stay plain.

Lazy: a decorator costs nothing until the first call. What is compiled is kept on disk; where no
folder can be written, it is compiled again in every process instead of failing.

Kernels call helpers from other files of this room, and a constant or a helper becomes part of the
machine code of whoever uses it. Numba itself compares only the file that a kernel is written in
(numba#1833), so everything that is kept carries the hash of all files here, too.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Kernel = Callable[..., Any]

REASSOCIATE = {"reassoc", "contract"}
"""Sums may be reordered (so that they vectorise) and multiply-adds fused; NaN and infinity keep
their meaning. Full ``fastmath`` assumes that they never occur and breaks every test for them."""

_announced: set[str] = set()


def compiled(reassociate: bool = False, nogil: bool = False) -> Callable[[Kernel], Kernel]:
    """Decorate a kernel; needs Numba (ImportError without it).

    Args:
        reassociate: allow :data:`REASSOCIATE`. Never where a NaN or an infinity decides.
        nogil: let other Python threads run meanwhile: what parallel execution needs.

    """
    def decorate(function: Kernel) -> Kernel:
        import numba

        _announce_compilation()
        options: dict[str, Any] = {
            # "python" would test every division for zero and could not vectorise it
            "error_model": "numpy",
            "nogil": nogil,
            "no_cfunc_wrapper": True,  # nobody calls kernels from C; a tenth of the compile time
            "fastmath": REASSOCIATE if reassociate else False,
        }
        if os.environ.get("MINIMIDL_NO_CACHE"):
            return numba.njit(**options)(function)
        try:
            kernel = numba.njit(cache=True, **options)(function)
            if kernel is function or stamped(kernel):  # itself: the compiler is switched off
                return kernel
        except RuntimeError:  # no folder for the cache can be written
            pass
        return numba.njit(**options)(function)

    return decorate


def stamped(kernel: Any) -> bool:
    """Tie what is kept of a kernel to the sources of this room; False where that is impossible.

    Numba keeps compiled code as long as its stamp is the old one. The stamp is a private attribute;
    in a Numba without it, nothing is kept: slow is better than stale.
    """
    try:
        file, sources = kernel._cache._cache_file, sources_hash()
        file._source_stamp = (file._source_stamp, sources)  # AttributeError if there is none
    except (AttributeError, OSError):
        return False
    return True


@functools.cache
def sources_hash() -> str:
    """Hash over every file of this room, made once per process; OSError where none can be read."""
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        content = path.read_bytes()
        total.update(f"{path.name} {len(content)} ".encode() + content)
    if not Path(__file__).is_file():  # in an archive, or compiled without its source
        raise FileNotFoundError(__file__)
    return total.hexdigest()


def _announce_compilation() -> None:
    """Tell Numba to call us when it compiles for real (a hit in its cache does not count)."""
    if "listener" in _announced:
        return
    _announced.add("listener")
    from numba.core import event

    class Announcer(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            announce(event.data["dispatcher"].py_func)

        def on_end(self, event: Any) -> None:
            """Nothing to say."""

    event.register("numba:compile", Announcer())


def announce(function: Kernel) -> None:
    """One line on stderr, once per process: why the first call takes seconds."""
    ours = str(function.__module__).startswith("minimidl.")
    if ours and "line" not in _announced:
        _announced.add("line")
        print("minimidl: compiling kernels (once; kept for the next run) ...", file=sys.stderr)
