"""What a gate decided: one record that layers, budgets, kernels and pictures all read."""

from __future__ import annotations

from dataclasses import dataclass, field

from minimidl.arrays import Array, Memory


@dataclass(frozen=True)
class Decision:
    """A gate's answer for a batch; every array is ``(batch, n_gates)``.

    Attributes:
        scores: ``z``, the raw answers of the gate network.
        probability: ``a = sigmoid(z)`` (MID-L) or ``p = sigmoid(z / T)`` (DynamicGate).
        mask: what the operator chose: zeros and ones if hard, in [0, 1] if soft.
        gate: the value that multiplies: ``mask * probability``, or ``mask`` alone.
        active: which gates are open, boolean. What it reports is what is executed.
        memory: what the backward pass of the gate needs.

    """

    scores: Array
    probability: Array
    mask: Array
    gate: Array
    active: Array
    memory: Memory = field(default_factory=dict, repr=False)
