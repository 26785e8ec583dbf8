"""As :class:`minimidl.execution.places.Places` where nothing is compiled: all places, masked.

Closed neurons are *masked* here, not skipped: the arithmetic is done, and the gate that multiplies
is 0. Compact arrays are simply ``(batch, n_units)``.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array


class MaskedPlaces:
    """Every pair of a sample and a neuron.

    Args:
        active: mask ``(batch, n_gates)``.
        block: neurons per gate.

    """

    def __init__(self, active: Array, block: int) -> None:
        self.active, self.block = active, block

    def per_unit(self, values: Array) -> Array:
        """``(n_units,)``: one number per neuron, for every sample."""
        return values

    def gather(self, per_gate: Array) -> Array:
        """``(batch, n_gates) -> (batch, n_units)``."""
        return np.repeat(per_gate, self.block, axis=1)

    def gather_units(self, per_unit: Array) -> Array:
        """``(batch, n_units)``, as it is."""
        return per_unit

    def to_gates(self, values: Array, shape: tuple[int, ...]) -> Array:
        """``(batch, n_units) -> (batch, n_gates)``: sums per open gate, 0 where it is closed."""
        sums: Array = values.reshape(*shape, self.block).sum(axis=2) * self.active
        return sums

    def to_units(self, values: Array, shape: tuple[int, ...]) -> Array:
        """``(batch, n_units)``, as it is."""
        return values

    def products(self, x: Array, weight_t: Array) -> Array:
        """``x . w``, ``(batch, n_units)``."""
        result: Array = x @ weight_t.T
        return result

    def spread(self, values: Array, weight: Array, out: Array) -> None:
        """``out += values @ weight``; the values of closed places are 0."""
        out += values @ weight

    def weight_gradients(self, values: Array, x: Array) -> Array:
        """``sum_s value[s] x[s]`` for every neuron, ``(n_units, n)``."""
        result: Array = values.T @ x
        return result

    def sums(self, values: Array) -> Array:
        """``sum_s value[s]`` for every neuron, ``(n_units,)``."""
        result: Array = values.sum(axis=0)
        return result

    def touched(self) -> Array:
        """Rising numbers of the neurons that at least one sample opened."""
        return np.flatnonzero(np.repeat(self.active.any(axis=0), self.block))
