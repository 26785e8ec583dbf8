"""When the connections of a network change: a few appointments during a training."""

from __future__ import annotations

from dataclasses import dataclass

from minimidl.errors import require

MOST_STEPS_BETWEEN, LEAST_STEPS_BETWEEN, USUAL_TIMES = 100, 5, 20


@dataclass(frozen=True)
class Timetable:
    """Every ``every`` steps from ``begin`` to ``end``.

    Steps are counted by how many were done before, and nothing happens before the first one:
    weights that have learnt nothing say nothing about who is needed.
    """

    begin: int
    end: int
    every: int

    def is_due(self, done: int) -> bool:
        """Whether something happens when ``done`` steps lie behind."""
        inside = max(1, self.begin) <= done <= self.end
        return inside and (done - self.begin) % self.every == 0

    def times(self) -> list[int]:
        """All of them."""
        return [done for done in range(self.begin, self.end + 1, self.every) if done > 0]

    def progress(self, done: int) -> float:
        """From 0 at ``begin`` to 1 at ``end``."""
        return (done - self.begin) / max(1, self.end - self.begin)


def make_timetable(total_steps: int, begin: float, until: float, every: int) -> Timetable:
    """Turn shares of a training into steps.

    Args:
        total_steps: of the training.
        begin: share of them that passes before the first time.
        until: share after which nothing happens any more; equal to ``begin``: once, there. The
            very last step is never one: what it changes could not be learnt.
        every: steps from one time to the next; 0: 100, or less where that gives under 20 times.

    """
    first, last = int(begin * total_steps), min(int(until * total_steps), total_steps - 1)
    if begin == until:
        once = min(max(1, first), total_steps - 1)
        return Timetable(once, once, 1)
    usual = min(MOST_STEPS_BETWEEN, max(LEAST_STEPS_BETWEEN, (last - first) // USUAL_TIMES))
    return Timetable(first, last, every or usual)


def check_shares(begin: float, until: float, every: int) -> None:
    """Raise InputError unless ``0 <= begin <= until <= 1`` and ``every`` is whole, at least 0."""
    require(0 <= begin <= until <= 1, "begin and until", f"{begin} and {until}",
            "two shares of the training, in order")
    require(isinstance(every, int) and every >= 0, "every", every,
            "a whole number of steps, or 0 to choose one")


def require_times(times: list[int], table: Timetable, total_steps: int, what: str) -> None:
    """Raise InputError, with all numbers, where a timetable comes to no times."""
    require(len(times) > 0, "wiring",
            f"{what} every {table.every} steps from step {table.begin} to {table.end} in a "
            f"training of {total_steps} steps, which is never", "at least one",
            "train longer, or lower every")
