"""What the tricks of :mod:`minimidl.bench.tricks` are measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array
from minimidl.layers.initial import aligned_copy


@dataclass(frozen=True)
class Pair:
    """One trick: what it is, on what, and two functions with the same answer.

    ``restore`` puts the second answer into the order of the first; it is not timed.
    """

    name: str
    case: str
    before: Callable[[], Array]
    after: Callable[[], Array]
    restore: Callable[[Array], Array] = np.asarray


class Setting:
    """A gated layer and a linear one, 64 samples or one, and who opens what.

    Args:
        shape: ``(n_in, n_units, n_out)``; a register divides ``n_in``, 32 the units.
        samples: at most 64.
        density: share of open gates, the same number for every sample.
        block: neurons per gate.

    """

    def __init__(self, shape: tuple[int, int, int], samples: int, density: float,
                 block: int = 1) -> None:
        from minimidl.kernels.compiled import choose_words
        from minimidl.kernels.words import CROWD, list_samples

        rng = np.random.default_rng(0)
        n_in, n_units, n_out = shape
        n_gates = n_units // block
        self.x, self.weight_t, self.next_weight, self.scores = (
            aligned_copy(rng.standard_normal(size), np.float32) for size in
            ((samples, n_in), (n_units, n_in), (n_units, n_out), (samples, n_gates)))
        self.bias, self.base = np.zeros(n_units, np.float32), np.zeros((1, n_out), np.float32)
        self.k, self.block = round(density * n_gates), block
        self.words = np.empty((1, n_gates), np.uint64)
        choose_words(self.scores, self.k, 0.0, self.words)
        self.lists = np.empty((n_gates, CROWD), np.uint8)
        self.starts = np.empty(n_gates + 1, np.int64)
        list_samples(self.words[0], self.lists, self.starts)
        self.case = (f"{samples} samples" if samples > 1 else "1 sample") + f", {density:.2f}"
        self.out = np.empty((samples, n_out), np.float32)

    def per_neuron(self) -> tuple[Array, Array]:
        """Lists and starts as if every neuron of a block had a gate of its own."""
        counts = np.repeat(np.diff(self.starts), self.block)
        return np.repeat(self.lists, self.block, axis=0), np.concatenate([[0], np.cumsum(counts)])

    def shuffled(self, seed: int) -> tuple[Array, Array]:
        """Lists and starts with the gates in another order; 0 leaves them as they are."""
        order = np.random.default_rng(seed).permutation(len(self.lists))
        order = order if seed else np.arange(len(self.lists))
        counts = np.diff(self.starts)[order]
        return self.lists[order], np.concatenate([[0], np.cumsum(counts)])

    def by_neuron(self, values: Array) -> Array:
        """Values of blocks, sample by sample, in the order of :meth:`per_neuron`."""
        parts = np.split(values, self.starts[1:-1] * self.block)
        return np.concatenate([part.reshape(-1, self.block).T.ravel() for part in parts])

    def room(self) -> Array:
        """One number per open place, aligned."""
        return aligned_copy(np.zeros(int(self.starts[-1]) * self.block), np.float32)

    def arguments(self) -> tuple[object, ...]:
        """Everything of ``neuron_segment`` but its outputs."""
        none = np.empty((0, 0), np.float32)
        return (self.x, self.scores, self.k, 0.0, 1.0, False, self.block, self.weight_t, self.bias,
                none, 1, self.next_weight, self.base)

    def wide(self) -> int:
        """The next layer's outputs, rounded up to whole registers."""
        from minimidl.kernels.tiles import VECTOR_BYTES

        lanes = VECTOR_BYTES // 4
        return -(-self.out.shape[1] // lanes) * lanes
