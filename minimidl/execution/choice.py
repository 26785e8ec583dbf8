"""Which path runs a segment: measured once per machine and shape, then remembered.

A matrix product re-uses every weight it loads for the whole batch; a kernel that skips does less
and loads more. Where the two cross depends on the processor, the shapes, the batch and the density,
so it is not predicted: the first batch of its kind is run by every path a few times, in turns, and
the fastest is used from then on. "Of its kind" means the same widths, block, gate, type of number
and threads, the same batch up to a factor of two, and the same density up to 5 points.

What was found is kept in a small JSON file beside the compiled kernels. So the first answers on a
new machine may differ in their last bits from later ones; name a path where that matters.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from minimidl.files import whole_file
from minimidl.kernels.choose import cache_folder, machine_name

PATHS = ("auto", "dense", "neuron", "block")

ROUNDS, LONG_ENOUGH = 5, 200e-6
"""Turns per path, and seconds that one turn takes at least."""

MANY = 256
"""Samples to measure with, at most: beyond, every path takes its time per sample."""

Call = Callable[[], object]
Found = dict[str, dict[str, float]]
"""Seconds per call by path, by kind of batch."""


class Choice:
    """What was measured here, and how to measure more.

    Attributes:
        found: seconds by kind and path.

    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = calibration_file() if file is None else file
        self.found: Found = read(self.file)

    def pick(self, kind: str, calls: Mapping[str, Call]) -> str:
        """The fastest of ``calls`` for this kind of batch; measures where that is not known."""
        seconds = self.found.get(kind, {})
        if not set(calls) <= set(seconds):
            seconds = self.found[kind] = race(calls)
            self.keep()
        return min(calls, key=lambda path: seconds[path])

    def keep(self) -> None:
        """Write what was found, together with what others wrote meanwhile; a failure is no harm."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.found = read(self.file) | self.found
            with whole_file(self.file) as file:
                file.write(json.dumps(self.found, indent=1).encode())
        except OSError:  # nowhere to write: measure again next time
            return


def race(calls: Mapping[str, Call]) -> dict[str, float]:
    """Median seconds of every call, taken in turns; each is warmed up first."""
    repeats = {}
    for path, call in calls.items():
        call()  # whatever is compiled or allocated at the first call
        repeats[path] = max(1, int(LONG_ENOUGH / max(seconds_of(call, 1), 1e-7)))
    turns: dict[str, list[float]] = {path: [] for path in calls}
    for _ in range(ROUNDS):
        for path, call in calls.items():
            turns[path].append(seconds_of(call, repeats[path]))
    return {path: float(np.median(times)) for path, times in turns.items()}


def seconds_of(call: Call, count: int) -> float:
    """Seconds per call; one call first, off the clock, brings its data into the cache."""
    call()
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def calibration_file() -> Path:
    """Where measurements of this machine are kept."""
    return cache_folder() / f"paths-{machine_name()}.json"


def read(file: Path) -> Found:
    """What a file holds; nothing where it is missing, broken, or not of this form."""
    try:
        found = json.loads(file.read_text())
        return {str(kind): {str(path): float(seconds) for path, seconds in times.items()}
                for kind, times in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def size_of(batch: int) -> int:
    """The power of two at or above ``batch``, at most :data:`MANY`."""
    return min(MANY, 1 << max(0, batch - 1).bit_length())


@cache
def shared_choice(file: Path) -> Choice:
    """One memory of measurements per process and file."""
    return Choice(file)
