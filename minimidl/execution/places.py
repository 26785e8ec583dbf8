"""The open places of a batch: who opened what, and sums over it, forward and backward.

A thin dress over :mod:`minimidl.kernels.training`: it makes the room and shares the work among
threads, each of which owns words of samples, or neurons.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.workers import share


class Places:
    """Every pair of a sample and a gate it opened.

    Args:
        kernels: the compiled ones.
        active: mask ``(batch, n_gates)``.
        block: neurons per gate.
        threads: to share the sums among.

    Attributes:
        together: neurons per list: ``block`` where it is a multiple of four, else 1.
        count: number of lists' entries; compact arrays are ``(count, together)``.

    """

    def __init__(self, kernels: ModuleType, active: Array, block: int, threads: int = 1) -> None:
        self.kernels, self.threads = kernels, threads
        self.together = block if block % kernels.BLOCK_ROWS == 0 else 1
        self.shared = block // self.together  # lists per gate
        self.words = np.repeat(packed(active, kernels.CROWD), self.shared, axis=1)
        n_words, n_lists = self.words.shape
        self.lists = np.empty((n_words, n_lists, kernels.CROWD), np.uint8)
        self.starts = np.empty((n_words, n_lists + 1), np.int64)
        self.count = int(kernels.list_places(self.words, self.lists, self.starts))
        self.samples, self.order = np.empty(self.count, np.int32), np.empty(self.count, np.int64)
        self.row_starts = np.empty(n_lists + 1, np.int64)
        kernels.list_rows(self.lists, self.starts, self.samples, self.order, self.row_starts)
        self.rows = np.repeat(np.arange(n_lists), np.diff(self.row_starts))

    def gather(self, per_gate: Array) -> Array:
        """``(batch, n_gates) -> (count, 1)``: the value of every open place."""
        values = np.empty(self.count, per_gate.dtype)
        values[self.order] = per_gate[self.samples, self.rows // self.shared]
        return values[:, None]

    def gather_units(self, per_unit: Array) -> Array:
        """``(batch, n_units) -> (count, together)``."""
        values = np.empty((self.count, self.together), per_unit.dtype)
        n_lists = per_unit.shape[1] // self.together
        split = per_unit.reshape(len(per_unit), n_lists, self.together)
        values[self.order] = split[self.samples, self.rows]
        return values

    def per_unit(self, values: Array) -> Array:
        """``(n_units,) -> (count, together)``: every neuron's own number."""
        per_place = np.empty((self.count, self.together), values.dtype)
        per_place[self.order] = values.reshape(-1, self.together)[self.rows]
        return per_place

    def to_gates(self, values: Array, shape: tuple[int, ...]) -> Array:
        """``(count, together) -> (batch, n_gates)``: sums per open gate, 0 where it is closed."""
        where = self.samples * np.int64(shape[1]) + self.rows // self.shared
        sums = np.bincount(where, values.sum(axis=1)[self.order], shape[0] * shape[1])
        return sums.reshape(shape).astype(values.dtype)

    def to_units(self, values: Array, shape: tuple[int, ...]) -> Array:
        """``(count, together) -> (batch, n_units)``, 0 in closed places."""
        units = np.zeros(shape, values.dtype)
        by_list = units.reshape(shape[0], shape[1] // self.together, self.together)
        by_list[self.samples, self.rows] = values[self.order]
        return units

    def products(self, x: Array, weight_t: Array) -> Array:
        """``x . w`` in every open place, ``(count, together)``."""
        values, x = np.empty((self.count, self.together), x.dtype), self.padded(x)
        flat, weight_t = values.reshape(-1), self.padded(weight_t)
        share(lambda first, stop: self.kernels.products(
            x, weight_t, self.lists, self.starts, self.together, flat, first, stop),
            len(self.words), self.threads)
        return values

    def spread(self, values: Array, weight: Array, out: Array) -> None:
        """``out[s] += value * weight[neuron]`` for every open place."""
        flat = values.reshape(-1)
        share(lambda first, stop: self.kernels.spread(
            flat, weight, self.lists, self.starts, self.together, out, first, stop),
            len(self.words), self.threads)

    def weight_gradients(self, values: Array, x: Array) -> Array:
        """``sum_s value[s] x[s]`` for every neuron, ``(n_units, n)``; zeros for those unopened."""
        n, x = x.shape[1], self.padded(x)
        n_lists = len(self.row_starts) - 1
        grad_t = np.empty((n_lists * self.together, x.shape[1]), x.dtype)
        factors = values[self.order].reshape(-1)
        share(lambda first, stop: self.kernels.weight_gradients(
            factors, x, self.samples, self.row_starts, self.together, grad_t, first, stop),
            n_lists, self.threads)
        return grad_t if n == x.shape[1] else np.ascontiguousarray(grad_t[:, :n])

    def sums(self, values: Array) -> Array:
        """``sum_s value[s]`` for every neuron, ``(n_units,)``."""
        sums = np.zeros((len(self.row_starts) - 1, self.together), values.dtype)
        opened = np.diff(self.row_starts) > 0
        if opened.any():
            sums[opened] = np.add.reduceat(values[self.order], self.row_starts[:-1][opened], axis=0)
        return sums.reshape(-1)

    def padded(self, rows: Array) -> Array:
        """Rows at least as wide as a register: narrower ones get zeros behind."""
        missing = self.kernels.VECTOR_BYTES // rows.itemsize - rows.shape[1]
        return rows if missing <= 0 else np.pad(rows, ((0, 0), (0, missing)))

    def touched(self) -> Array:
        """Rising numbers of the neurons that at least one sample opened."""
        opened = np.repeat(np.diff(self.row_starts) > 0, self.together)
        return np.flatnonzero(opened)


def packed(active: Array, crowd: int) -> Array:
    """A mask ``(batch, n_gates)`` as words ``(ceil(batch / 64), n_gates)`` uint64."""
    batch, n_gates = active.shape
    n_words = -(-batch // crowd)
    padded = np.zeros((n_words * crowd, n_gates), bool)
    padded[:batch] = active
    by_word = padded.reshape(n_words, crowd, n_gates).transpose(0, 2, 1)
    bits = np.packbits(by_word, axis=2, bitorder="little")
    words: Array = np.ascontiguousarray(bits).view("<u8")[..., 0].astype(np.uint64)
    return words
