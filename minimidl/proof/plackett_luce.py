"""Sampling without replacement, by enumeration: the law that Gumbel Top-k must follow."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np

from minimidl.arrays import Array

DRAWS = 4000
STANDARD_ERRORS = 4.0


def subset_chances(scores: Array, k: int) -> dict[tuple[int, ...], float]:
    """Chance of every set of ``k``, drawn one by one in proportion to ``exp(scores)``.

    The chance of an order is the product of the shares among those still there; that of a set is
    the sum over its orders.
    """
    weight = np.exp(scores - scores.max())

    def of_order(order: tuple[int, ...]) -> float:
        left, chance = weight.sum(), 1.0
        for item in order:
            chance *= weight[item] / left
            left -= weight[item]
        return float(chance)

    return {chosen: sum(of_order(order) for order in permutations(chosen))
            for chosen in combinations(range(len(scores)), k)}


def follows_plackett_luce(sampler: Any, k: int = 2, seed: int = 0) -> str:
    """Whether the frequencies of all sets lie within four standard errors; says what is wrong."""
    scores = np.array([1.2, 0.0, -0.7, 0.5])
    rows = np.broadcast_to(scores, (DRAWS, len(scores)))
    masks, _ = sampler.forward(rows, k, 1.0, np.random.default_rng(seed))
    for chosen, chance in subset_chances(scores, k).items():
        seen = float(np.mean(np.all(masks[:, chosen] == 1, axis=1)))
        if abs(seen - chance) > STANDARD_ERRORS * np.sqrt(chance * (1 - chance) / DRAWS):
            return f"set {chosen} has chance {chance:.4f}, but its share of the draws is {seen:.4f}"
    return ""
