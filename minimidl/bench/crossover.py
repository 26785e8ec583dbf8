"""Where skipping stops to pay: the density at which a gated layer is as fast as the dense one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from minimidl.bench.suite import Row

LINE = ("case", "n_in", "n_units", "n_out", "batch", "granularity")
"""Rows that agree in these differ in density alone: one line of the figure."""


def lines_of(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Rows with a density, grouped by :data:`LINE`, each group sorted by density."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row.get("density") is not None and row.get("ratio"):
            groups.setdefault(tuple(row[key] for key in LINE), []).append(row)
    return [sorted(group, key=lambda row: row["density"]) for group in groups.values()]


def crossovers(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The crossover of every line that has one.

    Between two densities the logarithm of the ratio is taken to be straight. A line that is above
    1 everywhere, or below, has no crossover; of several the densest counts.

    Returns:
        Rows with the keys :data:`LINE`, and ``density``.

    """
    found = []
    for line in lines_of(rows):
        for low, high in reversed(list(pairwise(line))):
            a, b = math.log(low["ratio"]), math.log(high["ratio"])
            if a >= 0 > b:
                density = low["density"] + (high["density"] - low["density"]) * a / (a - b)
                found.append({key: low[key] for key in LINE} | {"density": density})
                break
    return found
