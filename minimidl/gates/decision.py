"""What a gate decided, and what pulls on it from outside: two records that all others read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from minimidl.arrays import Array, Memory
from minimidl.errors import require_like


@dataclass(frozen=True)
class Decision:
    """A gate's answer for a batch; every array is ``(batch, n_gates)``.

    Attributes:
        scores: ``z``, the raw answers of the gate network.
        probability: ``a = sigmoid(z)`` (MID-L), ``p = sigmoid(z / T)`` (DynamicGate), or
            ``softmax(z / T)`` (routers).
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


@dataclass(frozen=True)
class GateGradient:
    """What budgets want of a gate, by what they pull on; fits wherever ``grad_gate`` is an array.

    An array alone is a pull on the probabilities. Sums with arrays and with each other add part by
    part.

    Attributes:
        probability: ``dL/d(probability)``.
        scores: ``dL/d(scores)``, as the z-loss has it.
        gate: ``dL/d(gate)``, as a penalty on the importance of experts has it.
        load: ``dL/d(load)``, for the noisy Top-k router alone.

    """

    probability: Array | None = None
    scores: Array | None = None
    gate: Array | None = None
    load: Array | None = None

    __array_ufunc__ = None  # array + GateGradient comes here instead of to NumPy

    @staticmethod
    def of(pull: Array | GateGradient | None) -> GateGradient:
        """An array counts as a pull on the probabilities, None as no pull."""
        return pull if isinstance(pull, GateGradient) else GateGradient(pull)

    def check(self, decision: Decision) -> None:
        """Raise InputError where a part has not the shape and dtype of what it pulls on."""
        for part in ("probability", "scores", "gate"):
            value = getattr(self, part)
            if value is not None:
                name = "grad_gate" if part == "probability" else f"grad_gate.{part}"
                require_like(value, getattr(decision, part), name)

    def __add__(self, other: Array | GateGradient) -> GateGradient:
        """Part by part."""
        theirs = GateGradient.of(other)
        return GateGradient(*(
            _sum(getattr(self, part.name), getattr(theirs, part.name)) for part in fields(self)))

    __radd__ = __add__

    def __mul__(self, factor: float) -> GateGradient:
        """Every part times one number, dtype kept."""
        return GateGradient(*(
            None if value is None else value * value.dtype.type(factor)
            for value in (getattr(self, part.name) for part in fields(self))))


Pull = Array | GateGradient
"""What budgets hand to a layer."""


def _sum(one: Array | None, two: Array | None) -> Array | None:
    """Sum of what is there."""
    if one is None or two is None:
        return two if one is None else one
    return one + two
