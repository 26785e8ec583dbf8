"""Starting values of weights: variance that neither fades nor explodes from layer to layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.seeds import make_rng

CACHE_LINE = 64
"""Bytes that a processor fetches at once."""

Seed = int | Rng
"""A whole number or a generator; the same number gives the same weights."""


def he(rng: Rng, n_in: int, n_out: int) -> Array:
    """Normal with variance ``2 / n_in``: keeps the scale through ReLU (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, np.sqrt(2.0 / n_in), (n_in, n_out))


def xavier(rng: Rng, n_in: int, n_out: int) -> Array:
    """Uniform with variance ``2 / (n_in + n_out)`` (Glorot and Bengio 2010, eq. 16)."""
    limit = np.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out))


def orthogonal(rng: Rng, n_in: int, n_out: int) -> Array:
    """Random matrix with orthonormal rows or columns (Saxe et al. 2014)."""
    tall = rng.normal(size=(max(n_in, n_out), min(n_in, n_out)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))  # without the signs QR would not draw uniformly
    return q if n_in >= n_out else q.T


INITIAL: dict[str, Callable[[Rng, int, int], Array]] = {
    "he": he, "xavier": xavier, "orthogonal": orthogonal,
}


def start_weight(
    init: str, seed: Seed, n_in: int, n_out: int, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Draw an ``(n_in, n_out)`` weight by name; raises InputError for an unknown name."""
    require(init in INITIAL, "init", repr(init), f"one of {', '.join(INITIAL)}")
    for name, width in (("n_in", n_in), ("n_out", n_out)):
        require(width >= 1, name, width, "a width of at least 1")
    require(np.dtype(dtype).kind == "f", "dtype", np.dtype(dtype), "float32 or float64")
    weight = INITIAL[init](make_rng(seed), n_in, n_out)
    return aligned_copy(weight, dtype)


def aligned_copy(values: Array, dtype: npt.DTypeLike | None = None) -> Array:
    """A C-contiguous copy that starts at a multiple of :data:`CACHE_LINE` bytes.

    NumPy promises 16. Rows that start in the middle of a cache line take two lines per load.
    """
    kind = np.dtype(dtype or values.dtype)
    room = np.empty(values.size * kind.itemsize + CACHE_LINE, np.uint8)
    skip = -room.ctypes.data % CACHE_LINE
    copy = room[skip:skip + values.size * kind.itemsize].view(kind).reshape(values.shape)
    copy[...] = values
    return copy
