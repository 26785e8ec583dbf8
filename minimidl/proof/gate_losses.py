"""Losses of a few gates, with their gradients: what the enumeration of outcomes is fed with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array

Loss = Callable[[Array], tuple[Array, Array]]
"""Masks ``(rows, m)`` to losses ``(rows,)`` and their gradients ``(rows, m)``."""


def quadratic(matrix: Array, linear: Array, constant: float = 0.0) -> Loss:
    """``f(b) = b' A b + c' b + e``, ``A`` symmetric ``(m, m)``, ``c`` ``(m,)``."""
    def loss(b: Array) -> tuple[Array, Array]:
        return ((b @ matrix) * b).sum(axis=1) + b @ linear + constant, 2 * b @ matrix + linear

    return loss


def small_network(m: int, seed: int = 0, n_in: int = 3, n_out: int = 4) -> Loss:
    """A loss that is no quadratic: squared error of a small network whose hidden neurons are gated.

    ``f(b) = |tanh(V (b * h)) - y|^2 / 2`` with ``h = tanh(W x)``, everything drawn from ``seed``.
    """
    rng = np.random.default_rng(seed)
    hidden = np.tanh(rng.normal(size=(m, n_in)) @ rng.normal(size=n_in))
    out, target = rng.normal(size=(n_out, m)), rng.normal(size=n_out)

    def loss(b: Array) -> tuple[Array, Array]:
        y = np.tanh((b * hidden) @ out.T)  # (rows, n_out)
        grad_u = (y - target) * (1 - y**2)
        return 0.5 * ((y - target) ** 2).sum(axis=1), (grad_u @ out) * hidden

    return loss
