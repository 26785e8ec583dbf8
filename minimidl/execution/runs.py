"""What the executor asks of anything that runs several layers as one, and how that one chooses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from minimidl.arrays import Array, Memory
from minimidl.execution.choice import MANY, Call, calibration_file, shared_choice
from minimidl.execution.wires import Wires


class Runs(ABC):
    """Some layers in a row, run as one.

    Attributes:
        copies: what was copied from the layers' weights; of most there is nothing.

    """

    copies: Sequence[Wires] = ()

    @abstractmethod
    def predict(self, x: Array, path: str) -> Array:
        """Output ``(batch, n_out)`` by a path, or by ``"auto"``; NaN and infinity are refused."""

    @abstractmethod
    def forward(self, x: Array, path: str) -> tuple[Array, list[Memory]]:
        """As :meth:`predict`, bit for bit, and what every layer remembers."""

    @abstractmethod
    def complete(self, memories: Sequence[Memory]) -> list[Memory]:
        """The memories with the values of what was skipped; those given are not changed."""

    @abstractmethod
    def explain(self, batch: int) -> str:
        """What ``"auto"`` picks at this batch of normal noise, and why: the times measured here."""

    def about(self) -> str:
        """What the paths mean here, where that needs words."""
        return ""

    def refresh(self) -> None:
        """Forget what was copied from the layers."""
        for copy in self.copies:
            copy.refresh()


class Measured(Runs):
    """Paths that are measured once per kind of batch; see :mod:`minimidl.execution.choice`."""

    def __init__(self) -> None:
        self.choice = shared_choice(calibration_file())
        self.known: dict[tuple[int, ...], str] = {}

    def fastest(self, case: tuple[int, ...], kind: str, calls: Mapping[str, Call]) -> str:
        """The path to take for a case; what one of a kind took is taken by all."""
        if len(calls) == 1:
            return next(iter(calls))
        self.known[case] = self.choice.pick(kind, calls)
        return self.known[case]

    def told(self, kind: str, calls: Mapping[str, Call], batch: int, words: str) -> str:
        """One line for :meth:`explain`."""
        if len(calls) == 1:
            return f"{next(iter(calls))} at batch {batch} ({words}; no other path is worth a look)"
        path, found = self.choice.pick(kind, calls), self.choice.found[kind]
        times = ", ".join(f"{name} {1e6 * found[name]:.0f}" for name in calls)
        return f"{path} at batch {batch} ({words}; us for {min(batch, MANY)} samples here: {times})"
