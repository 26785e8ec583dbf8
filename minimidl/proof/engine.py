"""The proof of one subject: is the backward pass clean, and is it the derivative?"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.errors import require
from minimidl.proof.differences import require_float64
from minimidl.proof.fingerprint import fingerprint
from minimidl.proof.mutators import mutants
from minimidl.proof.referees import KINDS, Referee
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import TOLERANCE, Report


def prove_subject(
    subject: Subject, *, name: str, kind: str = "finite-difference", tolerance: float = TOLERANCE,
    seed: int = 0, mutate: bool = True,
) -> Report:
    """Prove one subject.

    Checked are: backward twice gives bitwise the same; tensors, state, memory and cotangents stay
    as they were; forward is repeatable; keys, shapes and dtypes of the gradients; every entry
    against a central difference (``kind="projection"``: one random direction through all tensors);
    the subject's own statements; and that every mutant of the gradients is caught.

    Args:
        subject: what to prove.
        name: for the report.
        kind: one of :data:`KINDS`.
        tolerance: largest accepted error.
        seed: of the cotangents and of the direction.
        mutate: whether the judge is tested with mutants as well.

    Raises:
        InputError: a tensor that is not float64, or an unknown kind.

    """
    require(kind in KINDS, "kind", repr(kind), f"one of {', '.join(KINDS)}")
    for tensor_name, tensor in subject.tensors.items():
        require_float64(tensor, tensor_name)
    rng = np.random.default_rng(seed)
    entries = sum(tensor.size for tensor in subject.tensors.values())
    report = Report(name, kind, entries, tolerance)
    analytic, cotangents = run_backward(subject, rng, report)
    referee: Referee = KINDS[kind](subject, rng)
    referee.measure(cotangents, report)
    if report.kinks:
        return report
    report.errors, objections = referee.judge(analytic, tolerance)
    report.objections += objections
    report.objections += [wrong for wrong in (check() for check in subject.statements) if wrong]
    if mutate:
        show_mutants(referee, analytic, report)
    return report


def run_backward(
    subject: Subject, rng: np.random.Generator, report: Report
) -> tuple[Values, Values]:
    """Run forward and backward, twice each, and object to every trace they leave."""
    before = fingerprint([subject.tensors, subject.watched])
    outputs, memory = subject.forward()
    again, _ = subject.forward()
    cotangents = subject.draw_cotangents(outputs, rng)
    kept: dict[str, Any] = {"memory": memory, "grad_output": cotangents, "output": outputs}
    prints = {what: fingerprint(value) for what, value in kept.items()}
    first = {key: np.copy(value) for key, value in subject.backward(cotangents, memory).items()}
    second = subject.backward(cotangents, memory)
    if fingerprint(outputs) != fingerprint(again):
        report.objections.append("forward twice gives different outputs")
    if fingerprint(first) != fingerprint({key: np.asarray(g) for key, g in second.items()}):
        report.objections.append("backward twice gives different gradients")
    if fingerprint([subject.tensors, subject.watched]) != before:
        report.objections.append("an input, a parameter or a state was changed")
    report.objections += [
        f"{what} was changed by backward" for what, value in kept.items()
        if fingerprint(value) != prints[what]
    ]
    report.evidence = fingerprint([without_sign_of_zero(outputs), without_sign_of_zero(first)])
    return first, cotangents


def without_sign_of_zero(values: Values) -> Values:
    """Copies in which -0 is 0: the same number, but other bits."""
    return {name: np.asarray(value) + 0.0 for name, value in values.items()}


def show_mutants(referee: Referee, analytic: Values, report: Report) -> None:
    """Count the mutants, and name those to which the judge does not object."""
    for mutant_name, mutant in mutants(analytic):
        report.mutants += 1
        _, objections = referee.judge(mutant, report.tolerance)
        if not objections:
            report.missed.append(mutant_name)
