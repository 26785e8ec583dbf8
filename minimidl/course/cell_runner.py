"""Child process of :mod:`minimidl.course.examine`: run code cells one by one, report each as JSON.

Reads a JSON list of cell texts from standard input; writes one line per event to standard output,
``{"event": "begin" | "end", "cell": place, "error": null | text}``. No kernel, no display.
"""

from __future__ import annotations

import contextlib
import io
import json
import linecache
import re
import sys
import traceback
import warnings
from typing import Any, TextIO

from minimidl.course.checks import CheckFailed

MARK = "minimidl-cell "
"""Start of every event line: a print that slips past Python's stdout is not taken for one."""


def run_cell(text: str, place: int, namespace: dict[str, Any]) -> str | None:
    """Execute one cell in ``namespace``; return the error as text, or None."""
    name = f"<cell {place}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        exec(_compile(text, name), namespace)
    except CheckFailed as fault:
        return str(fault)
    except (Exception, SystemExit) as fault:
        lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__)
                 if frame.filename == name]
        where = f"\n  where:    line {lines[-1]} of this cell" if lines else ""
        return f"\n  got:      {type(fault).__name__}: {fault}{where}"
    return None


def _compile(text: str, name: str) -> Any:
    try:
        return compile(text, name, "exec")
    except SyntaxError:
        # Notebook commands such as %timeit or !ls are not Python: skipped, there is no kernel.
        return compile(re.sub(r"(?m)^[%!].*$", "pass", text), name, "exec")


def run_all(cells: list[str], events: TextIO) -> None:
    """Execute the cells in one namespace, like a notebook, whatever fails on the way."""
    namespace: dict[str, Any] = {"__name__": "__main__", "display": print}
    for place, text in enumerate(cells):
        _tell(events, event="begin", cell=place)
        with contextlib.redirect_stdout(io.StringIO()):
            error = run_cell(text, place, namespace)
        _tell(events, event="end", cell=place, error=error)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def _tell(events: TextIO, **event: object) -> None:
    events.write(MARK + json.dumps(event) + "\n")
    events.flush()


def main() -> None:
    """Run the cells given on standard input."""
    sys.path.insert(0, "")  # a notebook can import what lies beside it
    # A reader's plt.show() is harmless here.
    warnings.filterwarnings("ignore", message=".*non-interactive.*")
    run_all(json.load(sys.stdin), sys.stdout)


if __name__ == "__main__":
    main()
