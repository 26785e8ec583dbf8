"""Changes of inputs: noise and blur. The same seed gives the same noise, for every model.

A *change* is a small object that is called with inputs ``(n, n_features)`` and a generator and
gives new inputs; the old ones stay as they are. Noise of twice the size is the same noise twice as
large, so results along a row of sizes differ by the size and not by luck.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.data.dataset import PARTS, Dataset
from minimidl.errors import require

Change = Callable[[Array, Rng], Array]
"""Inputs and a generator to new inputs of the same shape and dtype."""


@dataclass(frozen=True)
class GaussianNoise:
    """Add normal noise to every feature.

    Args:
        sigma: its standard deviation, in the units of the normalised inputs.

    """

    sigma: float

    def __post_init__(self) -> None:
        require(0 <= self.sigma < np.inf, "sigma", self.sigma, "a number of at least 0")

    def __call__(self, x: Array, rng: Rng) -> Array:
        """``x + sigma * normal``."""
        return x + (self.sigma * rng.standard_normal(x.shape)).astype(x.dtype)


@dataclass(frozen=True)
class SaltAndPepper:
    """Set random entries to the lowest or the highest value, half of them each.

    Args:
        share: of the entries, on average; who is hit at a small share is hit at a larger one too.
        low: the lowest value; None for that of the inputs at hand.
        high: the highest value; likewise.

    """

    share: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share", self.share, "a number in [0, 1]")

    def __call__(self, x: Array, rng: Rng) -> Array:
        """Draw one uniform number per entry: below ``share / 2`` low, above 1 minus that high."""
        low = x.min() if self.low is None else x.dtype.type(self.low)
        high = x.max() if self.high is None else x.dtype.type(self.high)
        drawn = rng.random(x.shape)
        return np.where(drawn < self.share / 2, low, np.where(drawn >= 1 - self.share / 2, high, x))


@dataclass(frozen=True)
class Blur:
    """Mix every pixel with its eight neighbours: weights (1, 2, 1) / 4 in both directions.

    Beyond the border the border goes on. The mean of a picture may change a little there.

    Args:
        image_shape: ``(height, width)`` of a row of the inputs.
        times: how often.

    Raises:
        InputError: no such shape: rows that are no pictures have no neighbours.

    """

    image_shape: tuple[int, ...] | None
    times: int = 1

    def __post_init__(self) -> None:
        require_picture(self.image_shape, "blur mixes neighbouring pixels")
        require(self.times >= 0, "times", self.times, "0 or more")

    def __call__(self, x: Array, rng: Rng) -> Array:
        """Blur ``times`` times; nothing is drawn."""
        pictures = as_pictures(x, self.image_shape)
        for _ in range(self.times):
            for axis in (1, 2):
                width = [(0, 0), (0, 0), (0, 0)]
                width[axis] = (1, 1)
                padded = np.moveaxis(np.pad(pictures, width, mode="edge"), axis, 0)
                mixed = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
                pictures = np.moveaxis(mixed, 0, axis)
        return pictures.reshape(x.shape).astype(x.dtype, copy=False)


@dataclass(frozen=True)
class Chain:
    """Several changes, one after the other."""

    changes: tuple[Change, ...]

    def __call__(self, x: Array, rng: Rng) -> Array:
        """Apply them in order; they draw from the one generator."""
        for change in self.changes:
            x = change(x, rng)
        return x


def require_picture(image_shape: tuple[int, ...] | None, reason: str) -> None:
    """Raise InputError with the reason unless the shape is ``(height, width)``."""
    require(image_shape is not None and len(image_shape) == 2, "image_shape", image_shape,
            "(height, width)", f"{reason}, and these features are not pixels of a grey picture")


def as_pictures(x: Array, image_shape: tuple[int, ...] | None) -> Array:
    """Rows ``(n, height * width)`` as ``(n, height, width)``."""
    height, width = image_shape or (0, 0)
    require(x.ndim == 2 and x.shape[1] == height * width, "x", f"shape {x.shape}",
            f"(samples, {height * width}), pictures of {height} x {width} pixels")
    return x.reshape(-1, height, width)


def with_change(
    dataset: Dataset, change: Change, seed: int = 0, parts: Sequence[str] = ("test",)
) -> Dataset:
    """Return the set with changed inputs; ``about["changes"]`` says what was done.

    Every part has its own stream of random numbers, so the noise of the test part is the same
    whether or not the training part is changed too.

    Args:
        dataset: any set; it stays as it is.
        change: what to do to the inputs.
        seed: of the noise.
        parts: which of ``"train"``, ``"val"`` and ``"test"``.

    Raises:
        InputError: an unknown part, a change that does not keep shape and dtype.

    """
    made = {}
    for part in parts:
        x, _ = dataset.part(part)
        changed = change(x, part_rng(seed, part))
        require(changed.shape == x.shape and changed.dtype == x.dtype, "change",
                f"{changed.dtype} {changed.shape}", f"{x.dtype} {x.shape}, as the inputs")
        made[f"x_{part}"] = changed
    return remember(dataset, f"{change} of {', '.join(parts)}, seed {seed}", **made)


def remember(dataset: Dataset, what: str, **fields: Any) -> Dataset:
    """Replace fields of a set and add a line to ``about["changes"]``."""
    changes = [*dataset.about.get("changes", []), what]
    return replace(dataset, about=dataset.about | {"changes": changes}, **fields)


def part_rng(seed: int, part: str) -> Rng:
    """Generator of one part: seed and part make the stream, and nothing else does."""
    return stream(seed, PARTS.index(part))


def stream(seed: int, *place: int) -> Rng:
    """Generator for a place, such as a part or a step, that has nothing in common with others.

    Not with ``default_rng(seed)`` either, from which a generated set may have been drawn: as seeds
    ``s`` and ``(s, 0)`` are the same to NumPy, places count from 1 here.

    Raises:
        InputError: a seed that is no whole number; a generator would not give the same noise twice.

    """
    check_seed(seed)
    return np.random.default_rng([seed, *(number + 1 for number in place)])


def check_seed(seed: int) -> None:
    """Raise InputError unless a whole number of at least 0."""
    require(isinstance(seed, int | np.integer) and seed >= 0, "seed", repr(seed),
            "a whole number from 0 up")
