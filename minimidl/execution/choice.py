"""Which path runs a segment: a short rule with measured constants.

The constants are where the paths cross on one x86-64 core with AVX-512, float32, one thread, for
784-512-10 and 784-1024-10. They are a first version; a calibration on the reader's own machine and
shapes can replace them. What they say: a matrix product re-uses every weight it loads for the whole
batch, a kernel that goes sample by sample does not, so the larger the batch, the emptier a mask has
to be before skipping pays; blocks bring the matrix product back.
"""

from __future__ import annotations

PATHS = ("auto", "dense", "neuron", "block")

NEURON_LIMITS = ((8, 0.9), (32, 0.5))
"""``(batch, density)``: up to this batch the neuron kernel beats the dense layers up to here."""

NEURON_LIMIT_BEYOND = 0.4
"""The same for all larger batches."""

BLOCK_NEURONS, BLOCK_BATCH, BLOCK_DENSITY = 32, 128, 0.5
"""Fewest neurons per block and samples per batch, and densest mask, for gathered blocks."""

NEURON_BEATS_BLOCK = 0.2
"""At this density or below, a block has so few samples that the neuron kernel wins again."""


def choose_path(batch: int, density: float, block: int, compiled: bool) -> str:
    """Pick ``"neuron"``, ``"block"`` or ``"dense"``.

    Args:
        batch: number of samples.
        density: fraction of open gates.
        block: neurons per gate.
        compiled: whether the compiled neuron kernel is at hand.

    """
    many = block >= BLOCK_NEURONS and batch >= BLOCK_BATCH and density <= BLOCK_DENSITY
    if many and (density > NEURON_BEATS_BLOCK or not compiled):
        return "block"
    return "neuron" if compiled and density <= neuron_limit(batch) else "dense"


def why(path: str, batch: int, density: float, block: int, compiled: bool) -> str:
    """Say in a few words why :func:`choose_path` picked ``path``."""
    if path == "block":
        return f"blocks of {block} at density {density:.2f}: one product per block"
    if not compiled:
        return "without compiled kernels one product beats gathering rows"
    limit = neuron_limit(batch)
    if path == "neuron":
        return f"density {density:.2f} is at most {limit}: only open neurons are read"
    return f"density {density:.2f} is above {limit}: one product is faster"


def neuron_limit(batch: int) -> float:
    """Densest mask for which the neuron kernel is the faster one at this batch."""
    for most, limit in NEURON_LIMITS:
        if batch <= most:
            return limit
    return NEURON_LIMIT_BEYOND
