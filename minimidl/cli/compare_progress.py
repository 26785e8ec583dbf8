"""A bar over runs whose time left is learned from the runs themselves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from statistics import mean, median
from typing import Any

from minimidl.experiment.plan import Run

Clock = Callable[[], float]


class Estimate:
    """Seconds that runs will take, learned from runs: training by data set and model.

    A model that has not run on a data set yet is taken for a mean one there. Judging (the test part
    and the times) takes the median of what it took on the data set: the first time it also loads
    libraries and compiles kernels, which no later run does again.
    """

    def __init__(self) -> None:
        self.training: dict[Run, float] = {}
        self.judging: dict[Run, float] = {}

    def learn(self, run: Run, row: Mapping[str, Any]) -> None:
        """Note how long a run took: ``seconds`` and ``seconds_judging`` of its row."""
        self.judging[run] = row["seconds_judging"]
        self.training[run] = row["seconds"] - row["seconds_judging"]

    def of(self, run: Run) -> float | None:
        """Seconds of one run; None where nothing has run on its data set."""
        near = [other for other in self.training if other.dataset == run.dataset]
        alike = [other for other in near if other.model == run.model]
        if not near:
            return None
        return (mean(self.training[other] for other in alike or near)
                + median(self.judging[other] for other in near))


class Watch:
    """Shows which run is going on, how many are done, and about how long the rest will take.

    On a terminal a bar; elsewhere one line per finished run; nothing when quiet. Without tqdm the
    lines stand in for the bar.

    Args:
        runs: still to do.
        done: how many are finished already.
        estimate: knows the finished ones.
        quiet: show nothing.
        clock: seconds that never go back.

    """

    def __init__(
        self, runs: list[Run], done: int, estimate: Estimate, *, quiet: bool = False,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.runs, self.total, self.estimate = list(runs), done + len(runs), estimate
        self.quiet, self.clock, self.began = quiet, clock, clock()
        self.bar = None if quiet else terminal_bar(self.total, done)

    def begin(self, run: Run) -> None:
        """A run starts."""
        self.began = self.clock()
        if self.bar is not None:
            self.bar.set_description_str(f"{run.dataset} {run.model} seed {run.seed}")
        self.tick()

    def tick(self, *_: object) -> None:
        """Some of the current run is done: an epoch."""
        if self.bar is not None:
            self.bar.set_postfix_str(self.time_left())

    def end(self, run: Run, row: Mapping[str, Any]) -> None:
        """A run is finished."""
        self.runs.remove(run)
        self.estimate.learn(run, row)
        self.began = self.clock()
        if self.bar is not None:
            self.bar.update()
            self.bar.set_postfix_str(self.time_left())
        elif not self.quiet:
            print(f"{self.total - len(self.runs)} of {self.total}: {told(run, row)}; "
                  f"{self.time_left()}", flush=True)

    def time_left(self) -> str:
        """``about 12 min left``; what has passed of the current run is taken off its share.

        ``more than`` where the runs on some data set are not known yet.
        """
        if not self.runs:
            return "all done"
        current, *rest = [self.estimate.of(run) for run in self.runs]
        if current is None and not any(rest):
            return "time left not known yet"
        left = max(0.0, (current or 0) - (self.clock() - self.began)) + sum(s or 0 for s in rest)
        sort = "more than" if None in (current, *rest) else "about"
        return f"{sort} {words(left)} left"

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()


def terminal_bar(total: int, done: int) -> Any:
    """A tqdm bar over runs; None where there is no terminal or no tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    if not sys.stderr.isatty():
        return None
    shape = "{desc} |{bar}| {n_fmt}/{total_fmt} runs, {elapsed}{postfix}"
    return tqdm(total=total, initial=done, leave=False, dynamic_ncols=True, bar_format=shape)


def told(run: Run, row: Mapping[str, Any]) -> str:
    """What a finished run says of itself."""
    return (f"{run.dataset} {run.model} seed {run.seed}, accuracy {row['accuracy']:.4f}, "
            f"MACs with gate {row['mac_ratio_with_gate']:.2f} of dense, {row['seconds']:.1f} s")


def words(seconds: float) -> str:
    """``40 s``, ``12 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
