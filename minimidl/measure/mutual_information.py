"""Mutual information from samples, in nats: by neighbours, without bins.

``I(X; Y)`` is 0 exactly when ``X`` says nothing about ``Y``. The estimators here compare how dense
the samples are together and apart. They are **not** cut off at 0: around 0 they err to both sides,
and cutting would push every average of them up.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.measure.chance import own_rng
from minimidl.measure.neighbours import (
    column,
    digamma,
    is_constant,
    kth_in_plane,
    kth_on_line,
    on_a_grid,
    strictly_closer,
)


def pair_information(x: Array, y: Array, k: int = 3, seed: int | Rng = 0) -> float:
    """Information between two continuous variables, in nats.

        I = psi(k) + psi(n) - mean_i[ psi(nx_i + 1) + psi(ny_i + 1) ]

    ``e_i`` is the distance ``max(|dx|, |dy|)`` of sample ``i`` to its k-th neighbour, ``nx_i`` the
    number of *others* with ``|dx| < e_i``, strictly, and ``ny_i`` likewise. Both variables are
    standardised first, and ties are broken by a jitter of 1e-10.

    Source: Kraskov, Stoegbauer and Grassberger, Phys. Rev. E 69, 066138 (2004), eq. 8 (KSG1).

    Args:
        x: ``(n,)`` numbers.
        y: ``(n,)`` numbers.
        k: neighbours, 3 to 5 as a rule: more is steadier and more biased.
        seed: of the jitter, a whole number or a generator.

    Returns:
        The estimate; it may be a little below 0. Exactly 0 where one variable is constant.

    Raises:
        InputError: other shapes or lengths, numbers that are not finite, ``n <= k``.

    """
    first, second, rng = column(x, "x", k), column(y, "y", k), own_rng(seed)
    require(len(first) == len(second), "y", f"{len(second)} samples", f"{len(first)}, as in x")
    if is_constant(first) or is_constant(second):
        return 0.0
    return ksg(on_a_grid(first, rng), on_a_grid(second, rng), k)


def ksg(x: Array, y: Array, k: int) -> float:
    """Do the arithmetic of :func:`pair_information`, on whole numbers."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    radius = kth_in_plane(x, y, k)
    # The counts include the sample itself, so they are already n + 1.
    apart = digamma(strictly_closer(x, x, radius)) + digamma(strictly_closer(np.sort(y), y, radius))
    return float(digamma(k) + digamma(len(x)) - apart.mean())


def label_information(x: Array, labels: Array, k: int = 3, seed: int | Rng = 0) -> float:
    """Information between a continuous variable and a label, in nats.

        I = psi(n) + mean_i[ psi(k) - psi(n_label(i)) - psi(m_i) ]

    ``d_i`` is the distance of sample ``i`` to the k-th neighbour *of its own class*, ``m_i`` the
    number of samples of any class that are as close (itself instead of the farthest). A class of
    ``c <= k`` samples uses ``k = c - 1``; a class of one sample has no neighbours and is left out.

    Source: Ross, PLoS ONE 9(2), e87357 (2014). One sort and a few searches: O(n log n).

    Args:
        x: ``(n,)`` numbers.
        labels: ``(n,)`` anything that can be sorted.
        k: neighbours.
        seed: of the jitter, a whole number or a generator.

    Returns:
        The estimate; it may be a little below 0. Exactly 0 where ``x`` is constant or there is one
        class only.

    Raises:
        InputError: other shapes or lengths, numbers that are not finite, ``n <= k``, or no class
            with two samples.

    """
    values, rng = column(x, "x", k), own_rng(seed)
    codes, usable = label_codes(labels, len(values))
    if is_constant(values) or len(np.unique(codes[usable])) == 1:
        return 0.0
    grid = on_a_grid(values, rng)[usable]
    order = np.argsort(grid, kind="stable")
    return ross(grid[order], codes[usable][order], k)


def ross(line: Array, codes: Array, k: int) -> float:
    """Do the arithmetic of :func:`label_information`.

    Args:
        line: ``(n,)`` whole numbers in rising order.
        codes: their labels; every label occurs at least twice.
        k: neighbours.

    """
    radius, own = np.empty_like(line), np.empty(len(line))
    # One stable sort brings every class together and leaves it in rising order.
    for members in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]):
        if len(members):
            neighbour = min(k, len(members) - 1)
            radius[members] = kth_on_line(line[members], neighbour)
            own[members] = digamma(neighbour) - digamma(len(members))
    return float(digamma(len(line)) + np.mean(own - digamma(strictly_closer(line, line, radius))))


def label_codes(labels: Array, n: int) -> tuple[Array, Array]:
    """Labels as ``0, 1, ...`` and which samples have a companion in their class, both ``(n,)``."""
    labels = np.asarray(labels)
    require(labels.shape == (n,), "labels", f"shape {labels.shape}", f"({n},), one per sample")
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    usable = counts[codes] > 1
    require(bool(usable.any()), "labels", "a class of its own for every sample",
            "at least one class with two samples",
            "for a continuous y use pair_information or sliced_information")
    return codes, usable


def normal_information(correlation: float | Array) -> Array:
    """``-1/2 ln(1 - rho^2)``, the information between two normal variables, in nats.

    Raises:
        InputError: a correlation outside (-1, 1), where it is infinite.

    """
    rho = np.asarray(correlation, dtype=np.float64)
    require(bool((np.abs(rho) < 1).all()), "correlation", correlation, "numbers in (-1, 1)")
    return -0.5 * np.log1p(-rho**2)
