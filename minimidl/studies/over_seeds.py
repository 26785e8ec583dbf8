"""Rows of several seeds to one row with means and intervals, and the runs that make such rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minimidl.data import Dataset
from minimidl.experiment.run import Result, run_experiment
from minimidl.experiment.settings import Settings
from minimidl.experiment.statistics import half_width, mean, paired_difference

Row = dict[str, Any]


def over_seeds(
    rows: Sequence[Mapping[str, Any]], keys: Sequence[str], values: Sequence[str]
) -> list[Row]:
    """One summary row per combination of ``keys``, in the order of their first rows.

    Args:
        rows: one per seed and combination.
        keys: what a summary row is about, such as ``("dataset", "model", "mode")``.
        values: columns to average. A seed where one is None (nothing to tell) is left out of it.

    Returns:
        Rows with the keys, ``"seed": None``, ``seeds`` (how many rows), and for every value
        ``<value>_mean`` and ``<value>_ci95`` (half-width of the 95 % interval; None for one seed).

    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [dict(zip(keys, group, strict=True)) | {"seed": None, "seeds": len(members)}
            | averages(members, values) for group, members in groups.items()]


def averages(members: Sequence[Mapping[str, Any]], values: Sequence[str]) -> Row:
    """``<value>_mean`` and ``<value>_ci95`` of every value."""
    made: Row = {}
    for value in values:
        told = [row[value] for row in members if row.get(value) is not None]
        made[f"{value}_mean"] = mean(told) if told else None
        made[f"{value}_ci95"] = half_width(told) if told else None
    return made


def against(
    rows: Sequence[Mapping[str, Any]], mine: Mapping[str, Any], other: Mapping[str, Any],
    value: str,
) -> tuple[float | None, float | None]:
    """Mean difference of ``value`` between two selections of rows, paired by seed, and half-width.

    Args:
        rows: of runs.
        mine: what the rows of the first selection have, such as ``{"mode": "gates"}``.
        other: the same for the second one.
        value: the column; rows without it are left out.

    """
    def by_seed(chosen: Mapping[str, Any]) -> dict[int, float]:
        return {row["seed"]: row[value] for row in rows if row.get(value) is not None
                and all(row[key] == wanted for key, wanted in chosen.items())}

    return paired_difference(by_seed(mine), by_seed(other))


def trained(
    models: Sequence[str], data: Dataset, settings: Mapping[str, Settings], seeds: Sequence[int],
    bar: Any = None,
) -> Iterator[tuple[str, int, Result]]:
    """Train every model with every seed, one after the other, and hand each over at once.

    Args:
        models: names.
        data: to train on.
        settings: by model.
        seeds: one training each.
        bar: a progress bar that is told what runs now.

    Yields:
        Name, seed, and the trained model with its row.

    """
    for seed in seeds:
        for name in models:
            if bar is not None:
                bar.set_postfix_str(f"{name}, seed {seed}")
            yield name, seed, run_experiment(name, data, settings[name], seed=seed,
                                             progress=False, timed=False)
