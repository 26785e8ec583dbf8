"""A bar over runs whose time left is learned from the runs themselves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from statistics import mean
from typing import Any

from minimidl.experiment.plan import Plan, Run

Clock = Callable[[], float]


class Estimate:
    """Seconds that runs will take, from those that are known.

    A run takes what the same model took on the same data set; where that is not known yet, what
    other models took there; where nothing is known of the set, its share of work (training samples,
    epochs and MACs of the dense twin) at the speed of the other sets.

    Args:
        work: of one run, in any unit, by data set.

    """

    def __init__(self, work: Mapping[str, float]) -> None:
        self.work = dict(work)
        self.known: dict[Run, float] = {}

    def learn(self, run: Run, seconds: float) -> None:
        """Note how long a run took."""
        self.known[run] = seconds

    def of(self, run: Run) -> float | None:
        """Seconds of one run; None before anything is known."""
        alike = [seconds for other, seconds in self.known.items()
                 if (other.dataset, other.model) == (run.dataset, run.model)]
        near = [seconds for other, seconds in self.known.items() if other.dataset == run.dataset]
        if alike or near:
            return mean(alike or near)
        if not self.known:
            return None
        speed = sum(self.known.values()) / sum(self.work[other.dataset] for other in self.known)
        return speed * self.work[run.dataset]

    def left(self, runs: Iterable[Run]) -> float | None:
        """Seconds of several runs together; None before anything is known."""
        each = [self.of(run) for run in runs]
        return None if None in each else sum(seconds or 0 for seconds in each)


def work_of(plan: Plan) -> dict[str, float]:
    """Training samples x epochs x dense MACs of one run, by data set."""
    from minimidl.data.registry import entry

    work = {}
    for dataset in plan.datasets:
        known, settings = entry(dataset), plan.settings(dataset, plan.models[0])
        widths = (known.n_features, *settings.model.width, known.n_classes)
        macs = sum(a * b for a, b in pairwise(widths))
        work[dataset] = float(known.sizes[0] * settings.train.epochs * macs)
    return work


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
        self.estimate.learn(run, row["seconds"])
        self.began = self.clock()
        if self.bar is not None:
            self.bar.update()
            self.bar.set_postfix_str(self.time_left())
        elif not self.quiet:
            print(f"{self.total - len(self.runs)} of {self.total}: {told(run, row)}; "
                  f"{self.time_left()}", flush=True)

    def time_left(self) -> str:
        """``about 12 min left``; what has passed of the current run is taken off its share."""
        if not self.runs:
            return "all done"
        rest = self.estimate.left(self.runs[1:])
        current = self.estimate.of(self.runs[0])
        if rest is None or current is None:
            return "time left not known yet"
        return f"about {words(rest + max(0.0, current - (self.clock() - self.began)))} left"

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
