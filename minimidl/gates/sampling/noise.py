"""Noise for gates, made from uniform numbers, so that one convention serves all of them.

A gate with logit ``z`` opens when ``z + ln u - ln(1 - u) > 0``, that is when ``u > 1 - p``.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require

SMALLEST = 2.0**-60
"""Uniform numbers stay above this: ``ln 0`` is no noise."""

LARGEST = 1 - 2.0**-53
"""And at most at the largest float64 below 1."""


def need_rng(rng: Rng | None, who: str) -> Rng:
    """Return ``rng``; raises InputError when it is missing or no generator."""
    # By what it can do, not by its class: proofs hand over generators that follow a script.
    require(hasattr(rng, "random"), "rng", repr(rng), "a numpy.random.Generator",
            f"{who} draws at random: pass rng=numpy.random.default_rng(0)")
    assert rng is not None
    return rng


def uniform(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Uniform numbers strictly inside (0, 1), float64."""
    return np.clip(rng.random(shape), SMALLEST, LARGEST)


def logistic_noise(rng: Rng, shape: tuple[int, ...]) -> Array:
    """``ln u - ln(1 - u)``: the difference of two Gumbel variables, float64."""
    u = uniform(rng, shape)
    return np.log(u) - np.log1p(-u)


def gumbel_noise(rng: Rng, shape: tuple[int, ...]) -> Array:
    """``-ln(-ln u)``: standard Gumbel, float64."""
    return -np.log(-np.log(uniform(rng, shape)))
