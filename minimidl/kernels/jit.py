"""The only place with compile options; kernel files stay plain.

Lazy: a decorator costs nothing until the first call. What is compiled is kept on disk; where no
folder can be written, it is compiled again in every process instead of failing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
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
            "fastmath": REASSOCIATE if reassociate else False,
        }
        if os.environ.get("MINIMIDL_NO_CACHE"):
            return numba.njit(**options)(function)
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no folder for the cache can be written
            return numba.njit(**options)(function)

    return decorate


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
