"""Randomness is an argument: a whole number or a generator."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Rng
from minimidl.errors import require


def make_rng(seed: int | Rng, argument: str = "seed") -> Rng:
    """Turn a seed into a generator; a generator is used as it is, and moves on.

    Raises InputError for anything but a whole number of at least 0 or a generator.
    """
    good = isinstance(seed, np.random.Generator) or (
        isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0)
    require(good, argument, repr(seed), "a whole number of at least 0, or a numpy Generator")
    return np.random.default_rng(seed)
