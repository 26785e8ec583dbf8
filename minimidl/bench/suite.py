"""What every suite of ``minimidl bench`` is: how to run it, how to print it, how long it takes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minimidl.bench.timing import Timing
from minimidl.errors import require

Row = dict[str, Any]
NAMES = ("layers", "models", "training", "gates", "memory", "startup")
"""Each is a module of this room with a ``SUITE``; imported when it is asked for."""


@dataclass(frozen=True)
class Watch:
    """How a suite talks while it runs.

    Attributes:
        tick: called after every step, for a progress bar.
        note: called with one line on what is left out, and why.

    """

    tick: Callable[[], object] = lambda: None
    note: Callable[[str], object] = lambda line: None


SILENT = Watch()


@dataclass(frozen=True)
class Suite:
    """One suite.

    Attributes:
        run: ``run(watch, rounds=..., seed=..., **sizes) -> rows``.
        steps: ``steps(**sizes)``: how often ``run`` ticks.
        columns: of the printed table; rows may have more keys, for the JSON.
        legend: what the columns mean, a few lines.
        rounds: alternating rounds where the user names no number.
        sizes: arguments of a full pass.
        quick: what differs in a quick one.

    """

    run: Callable[..., list[Row]]
    steps: Callable[..., int]
    columns: tuple[str, ...]
    legend: str
    rounds: int = 9
    sizes: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)


def find_suite(name: str) -> Suite:
    """The suite of this name; InputError with the known ones."""
    require(name in NAMES, "--suite", repr(name), f"one of {', '.join(NAMES)}",
            "several are separated by commas")
    suite: Suite = importlib.import_module(f"minimidl.bench.{name}").SUITE
    return suite


def against(own: Timing, peer: Timing | None) -> Row:
    """Peer's time, and the ratio with its spread: unlucky and lucky quartiles of both."""
    if peer is None:
        return dict.fromkeys(("peer_seconds", "ratio", "spread_low", "spread_high"))
    return {"peer_seconds": peer.seconds, "ratio": peer.seconds / own.seconds,
            "spread_low": peer.low / own.high, "spread_high": peer.high / own.low}


def judged(ratio: float | None, target: float | None) -> Row:
    """``target``, and whether the ratio has reached it; ``met`` is None where nothing is asked."""
    met = None if target is None or ratio is None else ratio >= target
    return {"target": target, "met": met}
