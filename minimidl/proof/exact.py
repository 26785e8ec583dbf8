"""Proofs of what cannot be differenced: against a closed form, or against an enumeration.

A sampler is piecewise constant in its scores, and an estimator is right in the mean only. Both are
proved without chance: the generator is replaced by one that plays a script, the script goes through
all outcomes, and the weighted sum must agree with the closed form to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.proof.fingerprint import fingerprint
from minimidl.proof.mutators import mutants
from minimidl.proof.subject import Statement, Values
from minimidl.proof.verdict import Report, compare

EXACT = 1e-9
"""Largest accepted error of a sum over all outcomes."""


class Scripted:
    """A stand-in for a generator that answers the arrays it was given, over and over.

    Args:
        values: what every draw answers; a draw of another shape is an error.

    """

    def __init__(self, values: Array) -> None:
        self.values = values

    def random(self, shape: tuple[int, ...]) -> Array:
        """Uniform numbers, by the script."""
        require(tuple(shape) == self.values.shape, "draw", shape, f"{self.values.shape}")
        return self.values.copy()

    def standard_normal(self, shape: tuple[int, ...]) -> Array:
        """Normal numbers, by the script."""
        return self.random(shape)


def prove_exact(
    answer: Callable[[], Values], expected: Values, *, name: str, kind: str,
    tolerance: float = EXACT, statements: Sequence[Statement] = (), mutate: bool = True,
) -> Report:
    """Prove that ``answer`` gives ``expected``.

    Checked are: the same bits when asked twice, keys, shapes, dtypes, every entry, the statements,
    and that every mutant of the answer is caught.

    Args:
        answer: what the code under proof says, by name; float64 arrays.
        expected: the closed form or the sum over all outcomes, written a second time.
        name: for the report.
        kind: ``"closed-form"`` or ``"enumeration"``.
        tolerance: largest accepted error.
        statements: further checks; each answers what is wrong, or an empty string.
        mutate: whether the judge is tested with mutants as well.

    """
    require(kind in ("closed-form", "enumeration"), "kind", repr(kind),
            "'closed-form' or 'enumeration'")
    got = answer()
    report = Report(name, kind, sum(value.size for value in expected.values()), tolerance)
    report.errors, report.objections = compare(got, expected, tolerance)
    if fingerprint(answer()) != fingerprint(got):
        report.objections.append("asked twice gives different answers")
    report.objections += [wrong for wrong in (check() for check in statements) if wrong]
    report.evidence = fingerprint({key: np.asarray(value) + 0.0 for key, value in got.items()})
    for mutant_name, mutant in mutants(got) if mutate else ():
        report.mutants += 1
        if not compare(mutant, expected, tolerance)[1]:
            report.missed.append(mutant_name)
    return report
