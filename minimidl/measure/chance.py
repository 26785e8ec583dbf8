"""What chance gives: shuffles, p-values, and random numbers that the samples have not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.seeds import make_rng

STREAM = 0x6D65
"""Second number of every seed in this room."""


def own_rng(seed: int | Rng) -> Rng:
    """Return a generator that has nothing in common with ``default_rng(seed)``.

    Samples are often drawn with seed 0, and noise with seed 0 too. From the same generator the
    noise *is* then the samples, slices point at them, and shuffles put labels back in order. A
    generator is used as it is.

    Raises:
        InputError: neither a whole number of at least 0 nor a generator.

    """
    if isinstance(seed, np.random.Generator):
        return seed
    make_rng(seed)  # a look at the seed, no more
    return np.random.default_rng([int(seed), STREAM])


def permutation_null(
    statistic: Callable[[Array], Array | float], n: int, n_permutations: int, seed: int | Rng
) -> Array:
    """``(n_permutations, ...)`` values of a statistic that is given the samples in random orders.

    Args:
        statistic: from an order ``(n,)`` of the samples to a number or an array.
        n: samples.
        n_permutations: how many orders; 0 gives an empty array.
        seed: of the orders.

    """
    require(n_permutations >= 0, "n_permutations", n_permutations, "0 (no null) or more")
    rng = own_rng(seed)
    return np.array([statistic(rng.permutation(n)) for _ in range(n_permutations)])


def permutation_p(value: float, null: Array) -> float:
    """``(1 + number of null values >= value) / (1 + number of null values)``, NaN without any.

    The one counts the order that was observed; without it p could be 0, which no finite number of
    shuffles can show (Phipson and Smyth, 2010). Equal means equal up to rounding: the same cells in
    another order are added in another order.
    """
    if null.size == 0 or np.isnan(value):
        return float("nan")
    as_good = np.count_nonzero(null >= value - 1e-12 * max(1.0, abs(value)))
    return (1 + as_good) / (1 + null.size)
