"""Mistakes on purpose: a checker is worth what it catches.

Each mutator spoils one gradient tensor in a way that people really do: a wrong sign, a forgotten
term, a transposed matrix, a forgotten factor, rows that belong to the neighbour. A mutator answers
None where it does not apply. A mutant that is bitwise the original is equivalent: it is no mistake,
and it is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from minimidl.arrays import Array
from minimidl.proof.subject import Values


def negate(gradient: Array) -> Array:
    """Wrong sign."""
    return -gradient


def drop(gradient: Array) -> Array:
    """Forgotten: all zeros."""
    return np.zeros_like(gradient)


def scale_slightly(gradient: Array) -> Array:
    """A factor that is almost right: 1.01."""
    return gradient * 1.01


def scale_double(gradient: Array) -> Array:
    """The classical forgotten one half."""
    return gradient * 2.0


def transpose(gradient: Array) -> Array | None:
    """Transposed where square; where not, the transposed order poured into the right shape."""
    if gradient.ndim != 2:
        return None
    return np.ascontiguousarray(gradient.T).reshape(gradient.shape)


def transpose_shape(gradient: Array) -> Array | None:
    """Transposed with its shape, where that differs."""
    if gradient.ndim != 2 or gradient.shape[0] == gradient.shape[1]:
        return None
    return gradient.T


def shift(gradient: Array) -> Array | None:
    """Every row is its neighbour's: off by one sample, or by one neuron."""
    return np.roll(gradient, 1, axis=0) if gradient.ndim else None


MUTATORS: dict[str, Callable[[Array], Array | None]] = {
    "negate": negate, "drop": drop, "scale 1.01": scale_slightly, "scale 2": scale_double,
    "transpose": transpose, "transpose shape": transpose_shape, "shift one row": shift,
}


def equivalent(mutant: Array, original: Array) -> bool:
    """Whether a mutant is no change at all (0 and -0 are the same number)."""
    return mutant.shape == original.shape and bool(np.array_equal(mutant, original))


def mutants(gradients: Values) -> Iterator[tuple[str, Values]]:
    """All mutants of what one backward returned: one tensor spoiled at a time, and one missing."""
    for name, gradient in gradients.items():
        original = np.asarray(gradient)
        for mistake, mutate in MUTATORS.items():
            spoiled = mutate(original)
            if spoiled is not None and not equivalent(spoiled, original):
                yield f"{mistake}: {name}", {**gradients, name: spoiled}
        yield f"no key: {name}", {key: g for key, g in gradients.items() if key != name}
