"""What the generated sets share: cut one random stream of samples into the three parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.data.dataset import PARTS, Dataset
from minimidl.data.splits import cut
from minimidl.errors import require

Sizes = tuple[int, int, int]
"""Numbers of training, validation and test samples."""


def generator(seed: int, sizes: Sizes) -> Rng:
    """Return a fresh generator, after a look at the two arguments every generated set takes."""
    require(isinstance(seed, int | np.integer) and seed >= 0, "seed", seed,
            "a whole number from 0 up")
    require(len(sizes) == 3 and min(sizes) > 0, "sizes", sizes, "three positive counts")
    return np.random.default_rng(seed)


def in_parts(x: Array, y: Array, sizes: Sizes, extra: dict[str, Array] | None = None,
             **fields: Any) -> Dataset:
    """Build the set from samples that are already in random order.

    Args:
        x: ``(sum(sizes), n_features)``.
        y: ``(sum(sizes),)`` labels.
        sizes: how many samples each part gets, in order.
        extra: facts per sample by name; ``regime`` becomes ``regime_train``, ``regime_val``, ...
        fields: the remaining fields of :class:`Dataset`.

    """
    pieces = {f"{name}_{part}": piece for name, column in (extra or {}).items()
              for part, piece in zip(PARTS, cut(column, sizes), strict=True)}
    x_train, x_val, x_test = cut(x.astype(np.float32, copy=False), sizes)
    y_train, y_val, y_test = cut(y.astype(np.int64), sizes)
    return Dataset(x_train=x_train, y_train=y_train, x_val=x_val, y_val=y_val, x_test=x_test,
                   y_test=y_test, extra=pieces, **fields).validated()
