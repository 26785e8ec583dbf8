"""From the rows of runs to one row per model and data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from minimidl.experiment.pareto import on_front, why_not
from minimidl.experiment.statistics import half_width, mean, paired_difference

Row = dict[str, Any]

MEANS = ("accuracy", "active_ratio", "mac_ratio", "mac_ratio_with_gate", "macs", "latency_us",
         "dense_latency_us", "macro_f1", "latency_us_b256", "dense_latency_us_b256",
         "peak_memory_bytes", "params", "epochs", "seconds")
"""Columns whose mean over seeds stands under the same name."""

TWIN = "dense"
"""What differences are paired with."""

PLAIN = ("dense", "dropout")
"""Models that *are* dense networks in evaluation: any dense library may run them."""

TIMES = {"time_ratio": "latency_us", "time_ratio_b256": "latency_us_b256"}
"""By time against the best dense peer: the column of the time."""


def summaries(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """One summary row per data set and model, in the order of their first runs.

    Args:
        rows: of runs, as the contract of ``compare`` names their keys.

    Returns:
        Rows with ``"seed": None``, ``seeds`` (how many runs), means over them under the names of
        :data:`MEANS`, ``accuracy_mean accuracy_ci95 difference_mean difference_ci95`` (half-widths;
        the difference to ``dense``, paired by seed; None where there is nothing to tell),
        ``time_ratio time_ratio_b256`` (time over the best dense peer's in the same minute, the
        median over the seeds: one disturbed measurement decides nothing; 1 for networks that are
        dense in evaluation, which that peer may run),
        the flags ``pareto_macs pareto_time pareto_time_b256``, and ``why_not``: a sentence where
        ``pareto_macs`` is false, else None.

    """
    made: list[Row] = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        made += of_one_set([row for row in rows if row["dataset"] == dataset])
    return made


def of_one_set(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Summary rows of one data set."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    accuracies = {model: {row["seed"]: row["accuracy"] for row in rows if row["model"] == model}
                  for model in models}
    made = [of_one_model([row for row in rows if row["model"] == model],
                         accuracies.get(TWIN, {})) for model in models]
    for flag, cost in (("pareto_macs", "mac_ratio_with_gate"), ("pareto_time", "time_ratio"),
                       ("pareto_time_b256", "time_ratio_b256")):
        for row, on in zip(made, on_front(made, cost), strict=True):
            row[flag] = on
    for row in made:
        row["why_not"] = why_not(row, made, accuracies)
    return made


def of_one_model(runs: Sequence[Mapping[str, Any]], twin: Mapping[int, float]) -> Row:
    """Means of the runs of one model, and its difference to the twin's accuracies by seed."""
    own = {run["seed"]: run["accuracy"] for run in runs}
    difference, spread = paired_difference(own, twin)
    return {
        "model": runs[0]["model"], "dataset": runs[0]["dataset"], "seed": None, "seeds": len(runs),
        **{name: mean_or_none([run.get(name) for run in runs]) for name in MEANS},
        "accuracy_mean": mean(list(own.values())), "accuracy_ci95": half_width(list(own.values())),
        "difference_mean": difference, "difference_ci95": spread,
        **{name: median_ratio(runs, column) for name, column in TIMES.items()},
    }


def mean_or_none(values: Sequence[Any]) -> float | None:
    """The mean; None where one of the values is missing."""
    return None if any(value is None for value in values) else mean(values)


def median_ratio(runs: Sequence[Mapping[str, Any]], column: str) -> float | None:
    """Median over the runs of the time over the peer's; None where one was not measured."""
    pairs = [(run.get(column), run.get(f"dense_{column}")) for run in runs]
    if any(mine is None or peer is None for mine, peer in pairs):
        return None
    if runs[0]["model"] in PLAIN:
        return 1.0
    return float(median(mine / peer for mine, peer in pairs))  # type: ignore[operator]
