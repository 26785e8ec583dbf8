"""Check a reader's notebook: run it top to bottom in a process of its own, with time limits."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from minimidl.course.cell_runner import MARK
from minimidl.course.notebook import Notebook, labels_of, read_notebook, text_of
from minimidl.errors import require

START_LIMIT = 60.0
"""Seconds that Python may take to start and import, before the first cell."""


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: a check by its name, any other cell by its place."""

    name: str
    is_check: bool
    error: str | None
    seconds: float


def examine(path: Path, student: Path, limit: float = 60.0) -> list[Outcome]:
    """Run the notebook at ``path`` and say what became of each code cell.

    A check cell always runs as it is on the shelf, so an edited check proves nothing, and one that
    was deleted is reported as missing.

    Args:
        path: the reader's notebook.
        student: the notebook it was copied from, which knows the checks.
        limit: seconds allowed per cell; the run ends at the first cell that takes longer.

    Raises:
        InputError: no notebook there, or ``limit`` is not above 0.

    """
    require(limit > 0, "limit", limit, "seconds above 0")
    cells, originals = _code(read_notebook(path)), _code(read_notebook(student))
    checks = {labels_of(c)["check"]: text_of(c) for c in originals if "check" in labels_of(c)}
    names = [labels_of(cell).get("check", "") for cell in cells]
    texts = [checks.get(name) or text_of(cell) for name, cell in zip(names, cells, strict=True)]
    results = _run(texts, path.resolve().parent, limit)
    found = [Outcome(name or f"code cell {place + 1}", name in checks, error, seconds)
             for place, (name, (error, seconds)) in enumerate(zip(names, results, strict=False))]
    reached = {outcome.name for outcome in found if outcome.is_check}
    return found + [Outcome(name, True, _absent(name in names), 0.0)
                    for name in checks if name not in reached]


def _absent(in_notebook: bool) -> str:
    if in_notebook:
        return "\n  got:      not reached\n  hint:     mend the cell before it first"
    return ("\n  got:      this check is missing from the notebook\n"
            "  hint:     take its cell from a fresh copy (minimidl tutorials start N --out DIR)")


def _code(notebook: Notebook) -> list[Notebook]:
    return [cell for cell in notebook["cells"] if cell.get("cell_type") == "code"]


def _run(texts: list[str], folder: Path, limit: float) -> list[tuple[str | None, float]]:
    """Error and seconds of every cell that was run; the last may have been cut off."""
    child = subprocess.Popen(
        [sys.executable, "-m", "minimidl.course.cell_runner"], cwd=folder, env=_environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, encoding="utf-8")
    assert child.stdin is not None  # it is a pipe
    assert child.stdout is not None
    try:
        events = _events(child.stdout)
        with contextlib.suppress(BrokenPipeError), child.stdin:  # a child that died is told below
            child.stdin.write(json.dumps(texts))
        return _collect(events, len(texts), limit)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _environment() -> dict[str, str]:
    # The child starts in the reader's folder, where a clone that was never installed is not found.
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": os.pathsep.join(paths)}


def _events(stream: IO[str]) -> queue.Queue[dict[str, Any] | None]:
    """Lines of the child as a queue, because a pipe cannot be read with a time limit everywhere."""
    events: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def pump() -> None:
        for line in stream:
            if line.startswith(MARK):
                events.put(json.loads(line.removeprefix(MARK)))
        events.put(None)

    threading.Thread(target=pump, daemon=True).start()
    return events


def _collect(
    events: queue.Queue[dict[str, Any] | None], count: int, limit: float
) -> list[tuple[str | None, float]]:
    results: list[tuple[str | None, float]] = []
    began, allowed = time.perf_counter(), START_LIMIT
    while len(results) < count:
        try:
            event = events.get(timeout=allowed)
        except queue.Empty:
            return [*results, (f"\n  got:      no end after {allowed:g} s\n"
                               "  hint:     a loop that never ends?", allowed)]
        if event is None:
            return [*results, ("\n  got:      Python ended in the middle of this cell", 0.0)]
        if event["event"] == "begin":
            began, allowed = time.perf_counter(), limit
        else:
            results.append((event["error"], time.perf_counter() - began))
    return results
