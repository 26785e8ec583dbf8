"""The ratios this project wants to reach, by case. Yardsticks: change them never to meet them.

Ideal = dense MACs / executed MACs with gate, so a target that is a share of it moves with the cost
of the gate. Batch sizes and densities between those of the table have no target.
"""

from __future__ import annotations

LARGE = (64, 256, 1024)
DENSITIES = (0.45, 0.25, 0.10)

OF_IDEAL: dict[tuple[int, int], tuple[float, float, float]] = {
    (1, 1): (0.95, 0.95, 0.85), (1, 16): (0.95, 0.95, 0.85), (16, 32): (0.80, 0.80, 0.75),
    **{(batch, 32): (0.90, 0.85, 0.75) for batch in LARGE},
}
"""``(batch, neurons per gate)`` -> share of the ideal ratio, at each of :data:`DENSITIES`."""

OF_DENSE = {"random": (1.1, 1.6, 3.3), "trained": (1.3, 2.2, 4.5)}
"""Per-neuron masks at :data:`LARGE` batches: the ratio itself."""

MODEL, MODEL_BATCHES, MODEL_POINTS = 1.7, (1, 256), 0.2
"""A trained model end to end, and how many points of accuracy it may lose to its dense twin."""

STEP = {"torch": 1.7, "own dense": 1.6}
EPOCH = {"torch": 1.25, "scikit-learn": 2.0}
"""Training: one gated step, and one dense epoch, by peer."""

MEMORY_BYTES = 60_000_000
"""Over weights, activations and a process that has run one trivial cached kernel."""

IMPORT_TIMES, COLD_SECONDS, WARM_SECONDS = 1.3, 5.0, 0.8
"""``import minimidl`` in units of ``import numpy``; a whole process with an empty, a full cache."""


def layer_target(
    kind: str, batch: int, block: int, density: float, ideal: float
) -> float | None:
    """The ratio to reach, or None where the table has no entry.

    Args:
        kind: ``"random"`` or ``"trained"``.
        batch: samples.
        block: neurons per gate.
        density: nominal, as in :data:`DENSITIES`.
        ideal: dense MACs / executed MACs with gate.

    """
    if density not in DENSITIES:
        return None
    column = DENSITIES.index(density)
    if kind == "random" and (batch, block) in OF_IDEAL:
        return OF_IDEAL[batch, block][column] * ideal
    return OF_DENSE[kind][column] if block == 1 and batch in LARGE else None
