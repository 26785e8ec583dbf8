"""How new connections begin: their share, their weights, and what the optimiser knows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.learning.schedules import Schedule, constant, cosine

ANNEALS = ("cosine", "constant", "power")


def drop_schedule(anneal: str, fraction: float, exponent: float) -> Schedule:
    """Share of the live connections to drop, from the progress between first and last rewiring.

    ``"cosine"``: ``fraction (1 + cos(pi progress)) / 2``; ``"constant"``: ``fraction``;
    ``"power"``: ``fraction (1 - progress)^exponent``. (The published code of RigL puts the number
    of the step into the cosine, not the progress; the two are the same where ``begin`` is 0.)

    Raises:
        InputError: an unknown name, or an exponent that is not positive.

    """
    require(anneal in ANNEALS, "anneal", repr(anneal), f"one of {', '.join(ANNEALS)}")
    require(exponent > 0, "exponent", exponent, "a positive number")
    if anneal == "power":
        return lambda progress: fraction * (1.0 - progress) ** exponent
    return constant(fraction) if anneal == "constant" else cosine(fraction, 0.0)


Growth = Callable[[Rng, int, Array, Array | None, Array | None], Array]
"""From ``(rng, how many, live weights, live weights of the start, gradients of the new ones)``."""


def zeros(rng: Rng, n: int, live: Array, start: Array | None, pull: Array | None) -> Array:
    """0: a new connection changes nothing yet, and learns from there (the choice of RigL)."""
    return np.zeros(n, live.dtype)


def normal(rng: Rng, n: int, live: Array, start: Array | None, pull: Array | None) -> Array:
    """Normal, as wide as the live weights."""
    return live.std() * rng.standard_normal(n)


def uniform(rng: Rng, n: int, live: Array, start: Array | None, pull: Array | None) -> Array:
    """Uniform between plus and minus the mean size of the live weights."""
    return np.abs(live).mean() * rng.uniform(-1.0, 1.0, n)


def initial(rng: Rng, n: int, live: Array, start: Array | None, pull: Array | None) -> Array:
    """Drawn from the weights that the layer started with."""
    assert start is not None  # the wiring keeps them where this is chosen
    return rng.choice(start, n)


def gradient(rng: Rng, n: int, live: Array, start: Array | None, pull: Array | None) -> Array:
    """The gradient itself; with a negative scale a step of descent."""
    assert pull is not None  # refused for wirings without a gradient
    return pull


def gradient_sign(rng: Rng, n: int, live: Array, start: Array | None, pull: Array | None) -> Array:
    """1 or -1 (0 for a gradient of 0), to be scaled."""
    assert pull is not None
    return np.sign(pull)


GROWTH: dict[str, Growth] = {
    "zeros": zeros, "normal": normal, "uniform": uniform, "initial": initial,
    "gradient": gradient, "gradient-sign": gradient_sign,
}
"""Weights of new connections, by name."""
BY_GRADIENT = ("gradient", "gradient-sign")

SQUARES = ("second",)
"""Slots that average squares: there a gradient enters as its square."""


def new_slots(
    names: Iterable[str], scale: float, pull: Array | None
) -> dict[str, Array | float]:
    """Start of the optimiser's slots of new connections: ``scale`` times the gradient, mostly 0."""
    if pull is None or scale == 0:
        return {}
    return {name: scale * (pull * pull if name in SQUARES else pull) for name in names}
