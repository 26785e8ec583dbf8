"""What a handful of seeds can say: means, and how far off they may be.

Half-width of the 95 % interval of a mean of ``n`` numbers, Student 1908 ("The probable error of a
mean", Biometrika 6):

    t(0.975, n - 1) * s / sqrt(n),    s^2 = sum (v - mean)^2 / (n - 1)

With five seeds ``t`` is 2.78, not 1.96: the few numbers must also tell how much they spread.
Differences are paired: the same seed gives both models the same shuffling and often the same start,
so what a seed does to both cancels, and the interval of the difference is narrower than the two
intervals would suggest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from minimidl.errors import InputError, require

LEVEL = 0.95
"""The share of intervals made like this that hold the true mean, if seeds scatter normally."""


@cache
def t_quantile(freedom: int, level: float = LEVEL) -> float:
    """Two-sided quantile of Student's t with ``freedom`` degrees of freedom.

    Raises:
        InputError: SciPy is not installed; the line says how to mend it.

    """
    try:
        from scipy.stats import t
    except ImportError:
        raise InputError("intervals over seeds: got no SciPy, expected it to be installed "
                         "(python -m pip install 'minimidl[stats]', or --seeds 1)") from None
    return float(t.ppf(0.5 + level / 2, freedom))


def half_width(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of the mean of ``values``, in their unit.

    Returns:
        None for a single value, which says nothing about its spread.

    Raises:
        InputError: no values, or no SciPy.

    """
    require(len(values) > 0, "values", "none", "at least one")
    if len(values) == 1:
        return None
    spread = float(np.std(np.asarray(values, np.float64), ddof=1))
    return t_quantile(len(values) - 1) * spread / math.sqrt(len(values))


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean in float64; raises InputError for no values."""
    require(len(values) > 0, "values", "none", "at least one")
    return float(np.mean(np.asarray(values, np.float64)))


def paired_difference(
    mine: Mapping[int, float], others: Mapping[int, float]
) -> tuple[float | None, float | None]:
    """Mean of ``mine - others`` over the seeds that both have, and its half-width.

    Args:
        mine: a number by seed.
        others: the same of what it is compared with.

    Returns:
        ``(mean, half_width)``; both None without a common seed, the second one with a single one.

    """
    both = [mine[seed] - others[seed] for seed in sorted(mine.keys() & others.keys())]
    return (mean(both), half_width(both)) if both else (None, None)
