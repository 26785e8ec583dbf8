"""The judge: compares a gradient with its numeric twin, and what a proof reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.proof.subject import Values

TOLERANCE = 1e-7
"""Largest accepted error; ``max abs(analytic - numeric) / max(1, max abs(analytic))``."""

WEAK = 1e-4
"""A gradient below this everywhere could hide an error from the tolerance."""

TOO_WEAK = "gradient is 0, or too weak to prove"


def relative_error(analytic: Array, numeric: Array) -> float:
    """``max |analytic - numeric| / max(1, max |analytic|)`` over one tensor; 0 for an empty one."""
    if analytic.size == 0:
        return 0.0
    difference = np.max(np.abs(analytic - numeric))
    return float(difference / max(1.0, float(np.max(np.abs(analytic)))))


def compare(
    analytic: Values, numeric: Values, tolerance: float, zero: frozenset[str] = frozenset()
) -> tuple[dict[str, float], list[str]]:
    """Judge every tensor; answers the error of each and one line per objection.

    Objections: a missing or an unknown key, a wrong shape or dtype, a number that is not finite, an
    error above the tolerance, and a gradient that is 0 where it should not be.
    """
    errors: dict[str, float] = {}
    objections = [f"{name}: no gradient returned" for name in numeric if name not in analytic]
    objections += [f"{name}: gradient of nothing known" for name in analytic if name not in numeric]
    for name in (name for name in numeric if name in analytic):
        mine, twin = np.asarray(analytic[name]), numeric[name]
        misfit = form_objection(mine, twin)
        if misfit:
            objections.append(f"{name}: {misfit}")
            continue
        errors[name] = relative_error(mine, twin)
        if errors[name] > tolerance:
            objections.append(f"{name}: {worst_entry(mine, twin)}")
        elif name not in zero and np.max(np.abs(mine), initial=0.0) < WEAK:
            objections.append(f"{name}: {TOO_WEAK}")
    return errors, objections


def form_objection(mine: Array, twin: Array) -> str:
    """What is wrong with shape, dtype or finiteness, or an empty string."""
    if mine.shape != twin.shape:
        return f"gradient of shape {mine.shape}, expected {twin.shape}"
    if mine.dtype != twin.dtype:
        return f"gradient of dtype {mine.dtype}, expected {twin.dtype}"
    return "" if np.all(np.isfinite(mine)) else "gradient not finite"


def worst_entry(mine: Array, twin: Array) -> str:
    """Name the entry that differs most: index, analytic, numeric."""
    where = np.unravel_index(np.argmax(np.abs(mine - twin)), mine.shape)
    index = [int(i) for i in where]
    return f"analytic {mine[where]:.9g}, numeric {twin[where]:.9g} at {index}"


@dataclass
class Report:
    """What one proof found.

    Attributes:
        name: of the proof.
        kind: ``finite-difference``, ``projection``, ``linearised``, ``closed-form`` or
            ``enumeration``.
        entries: how many numbers were differentiated.
        errors: error per tensor, see :func:`relative_error`.
        tolerance: largest accepted error.
        objections: one line per thing that is wrong; empty when proved.
        kinks: one line per tensor whose test point is too near to a kink or a jump.
        mutants: how many deliberately broken gradients the judge was shown.
        missed: names of those it did not catch.
        evidence: the bits of outputs and gradients; a spoiled twin with the same is no mistake.

    """

    name: str
    kind: str
    entries: int
    tolerance: float
    errors: dict[str, float] = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)
    kinks: list[str] = field(default_factory=list)
    mutants: int = 0
    missed: list[str] = field(default_factory=list)
    evidence: Any = field(default=None, repr=False)

    @property
    def max_rel_error(self) -> float:
        """Largest error over all tensors."""
        return max(self.errors.values(), default=0.0)

    @property
    def bad_luck(self) -> bool:
        """Whether only the test point is to blame: a kink near it, or nothing to see there."""
        unseen = [line.endswith(TOO_WEAK) for line in self.objections]
        return bool(self.kinks) or (bool(unseen) and all(unseen))

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, no kink is near, and every mutant was caught."""
        return not (self.objections or self.kinks or self.missed)

    def row(self) -> dict[str, Any]:
        """The proof as a row of ``minimidl check --json``."""
        return {
            "name": self.name, "kind": self.kind, "dtype": "float64", "entries": self.entries,
            "max_rel_error": self.max_rel_error, "tolerance": self.tolerance,
            "passed": self.passed, "mutants": self.mutants,
            "mutants_caught": self.mutants - len(self.missed),
        }

    def complaints(self) -> list[str]:
        """Every line that explains why the proof did not pass."""
        survivors = [f"mutant not caught: {name}" for name in self.missed]
        return self.objections + [f"near a kink: {kink}" for kink in self.kinks] + survivors

    def __str__(self) -> str:
        """One line when proved; otherwise one line per complaint as well."""
        state = "proved" if self.passed else "NOT PROVED"
        head = (f"{self.name}: {state} ({self.kind}, {self.entries} entries, "
                f"largest error {self.max_rel_error:.1e})")
        return "\n  ".join([head, *self.complaints()])
