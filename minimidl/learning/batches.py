"""Where the rows come from: the parts of a data set, and shuffled batches of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require, require_finite


class TrainingData(Protocol):
    """What the loop needs of a data set: any object with these four arrays."""

    @property
    def x_train(self) -> Array:
        """Inputs to learn from, ``(n_train, n_in)``."""

    @property
    def y_train(self) -> Array:
        """Their targets."""

    @property
    def x_val(self) -> Array:
        """Inputs to judge epochs by, ``(n_val, n_in)``."""

    @property
    def y_val(self) -> Array:
        """Their targets."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The plainest :class:`TrainingData`: four arrays."""

    x_train: Array
    y_train: Array
    x_val: Array
    y_val: Array


def hold_out(x: Array, y: Array, fraction: float = 0.1, seed: int | Rng = 0) -> Parts:
    """Split a random part off for validation.

    Args:
        x: ``(n, n_in)``.
        y: ``n`` targets.
        fraction: share of the rows held out, in (0, 1); rounded, at least one row on each side.
        seed: whole number or generator.

    Raises:
        InputError: different lengths, fewer than two rows, a fraction outside (0, 1).

    """
    require(0 < fraction < 1, "fraction", fraction, "a share between 0 and 1")
    require(len(x) == len(y) and len(x) >= 2, "x and y", f"{len(x)} and {len(y)} rows",
            "as many rows in both, at least two")
    n_val = min(len(x) - 1, max(1, round(fraction * len(x))))
    order = np.random.default_rng(seed).permutation(len(x))
    val, train = order[:n_val], order[n_val:]
    return Parts(x[train], y[train], x[val], y[val])


def check_data(data: TrainingData) -> None:
    """Raise InputError unless both parts have rows, as many targets, and only finite inputs."""
    for part, x, y in (("train", data.x_train, data.y_train), ("val", data.x_val, data.y_val)):
        require(x.ndim == 2 and len(x) > 0, f"x_{part}", f"shape {x.shape}",
                "(samples, features), at least one sample")
        require(len(y) == len(x), f"y_{part}", f"{len(y)} targets", f"{len(x)}, one per sample")
        require_finite(x, f"x_{part}")


def count_steps(n_samples: int, batch_size: int) -> int:
    """Steps of one epoch; the last batch may be smaller."""
    require(batch_size >= 1, "batch_size", batch_size, "at least 1")
    return -(-n_samples // batch_size)


def shuffled_batches(n_samples: int, batch_size: int, rng: Rng) -> Iterator[Array]:
    """Row numbers of one batch after the other; every sample once, in random order."""
    order = rng.permutation(n_samples)
    for start in range(0, n_samples, batch_size):
        yield order[start:start + batch_size]
