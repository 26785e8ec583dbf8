"""Stratified splits: every part sees the classes in the proportions of the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require


def stratified_split(labels: Array, sizes: Sequence[int], rng: Rng) -> list[Array]:
    """Cut the samples into parts of exactly the given sizes, each with all classes in proportion.

    Every sample gets a rank inside its class, drawn at random and spread evenly over (0, 1):
    ``(i + u) / n_class`` with one ``u`` per class. Sorted by rank, the classes are mixed like a
    well shuffled hand of cards, so any contiguous piece holds each class in proportion, up to one
    sample at either end.

    Args:
        labels: ``(n,)`` whole numbers.
        sizes: how many samples each part gets; they sum to ``n``.
        rng: source of randomness.

    Returns:
        One array of rising indices per part: disjoint, and together all of ``range(n)``.

    Raises:
        InputError: a negative size, or sizes that do not sum to ``n``.

    """
    require(min(sizes) >= 0 and sum(sizes) == len(labels), "sizes", list(sizes),
            f"counts that sum to {len(labels)}, the number of samples")
    order = np.argsort(even_ranks(labels, rng), kind="stable")
    return [np.sort(part) for part in np.split(order, np.cumsum(sizes)[:-1])]


def cut(x: Array, sizes: Sequence[int]) -> list[Array]:
    """Consecutive pieces of ``x``, for generated sets: their samples are in random order."""
    return np.split(x, np.cumsum(sizes)[:-1])


def even_ranks(labels: Array, rng: Rng) -> Array:
    """Random, evenly spread rank in (0, 1) of every sample inside its class, ``(n,)``."""
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        ranks[rng.permutation(members)] = (np.arange(len(members)) + rng.random()) / len(members)
    return ranks
