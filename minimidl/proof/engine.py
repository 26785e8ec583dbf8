"""The proof of one subject: is the backward pass clean, and is it the derivative?"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.proof.differences import measure_entry, require_float64, smoothness, step_size
from minimidl.proof.fingerprint import fingerprint
from minimidl.proof.mutators import mutants
from minimidl.proof.subject import JumpError, Subject, Values
from minimidl.proof.verdict import TOLERANCE, Report, compare

ROUGH = 1e-6
"""Slopes over one and eight steps may differ by this much (relative), or a kink is near."""


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
        kind: ``"finite-difference"``, ``"linearised"`` or ``"projection"``.
        tolerance: largest accepted error.
        seed: of the cotangents and of the direction.
        mutate: whether the judge is tested with mutants as well.

    Raises:
        InputError: a tensor that is not float64, or an unknown kind.

    """
    known = ("finite-difference", "linearised", "projection")
    require(kind in known, "kind", repr(kind), f"one of {', '.join(known)}")
    for tensor_name, tensor in subject.tensors.items():
        require_float64(tensor, tensor_name)
    rng = np.random.default_rng(seed)
    entries = sum(tensor.size for tensor in subject.tensors.values())
    report = Report(name, kind, entries, tolerance)
    analytic, cotangents = run_backward(subject, rng, report)
    by_direction = kind == "projection"
    referee = Direction(subject, rng) if by_direction else EveryEntry(subject)
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


def show_mutants(referee: EveryEntry | Direction, analytic: Values, report: Report) -> None:
    """Count the mutants, and name those to which the judge does not object."""
    for mutant_name, mutant in mutants(analytic):
        report.mutants += 1
        _, objections = referee.judge(mutant, report.tolerance)
        if not objections:
            report.missed.append(mutant_name)


class EveryEntry:
    """Compares every entry of every tensor with its own central difference."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.numeric: Values = {}

    def measure(self, cotangents: Values, report: Report) -> None:
        """Measure all slopes; a kink or a jump near the test point goes into the report."""
        objective = self.subject.objective(cotangents)
        for name, tensor in self.subject.tensors.items():
            self.numeric[name] = np.empty_like(tensor)
            try:
                for index in np.ndindex(tensor.shape):
                    slope, roughness = measure_entry(objective, tensor, index)
                    self.numeric[name][index] = slope
                    if roughness > ROUGH:
                        raise JumpError
            except JumpError:
                report.kinks.append(f"{name}{[int(i) for i in index]}")
                return

    def judge(self, analytic: Values, tolerance: float) -> tuple[dict[str, float], list[str]]:
        """Errors by tensor, and objections."""
        return compare(analytic, self.numeric, tolerance, self.subject.zero)


class Direction:
    """Compares ``<gradient, v>`` with one difference along a random direction ``v``."""

    def __init__(self, subject: Subject, rng: np.random.Generator) -> None:
        self.subject = subject
        self.way = {name: rng.normal(size=t.shape) for name, t in subject.tensors.items()}
        self.slope = 0.0

    def measure(self, cotangents: Values, report: Report) -> None:
        """Measure one slope; a kink or a jump near the test point goes into the report."""
        objective = self.subject.objective(cotangents)
        tensors = self.subject.tensors
        home = {name: tensor.copy() for name, tensor in tensors.items()}

        def at(steps: float) -> float:
            for name, tensor in tensors.items():
                tensor[...] = home[name] + steps * step * self.way[name]
            return objective()

        step = step_size(0.0)
        try:
            self.slope, roughness = smoothness(at, step)
            if roughness > ROUGH:
                raise JumpError
        except JumpError:
            report.kinks.append("the random direction")
        finally:
            for name, tensor in tensors.items():
                tensor[...] = home[name]

    def judge(self, analytic: Values, tolerance: float) -> tuple[dict[str, float], list[str]]:
        """One error for the direction; keys and shapes are judged for every tensor."""
        # An infinite tolerance judges the form alone: keys, shapes, dtypes, finite, not all zero.
        _, objections = compare(analytic, self.way, np.inf, self.subject.zero)
        if objections:
            return {}, objections
        along: Array = np.array(sum(np.vdot(analytic[name], way) for name, way in self.way.items()))
        twin = {"direction": np.array(self.slope)}
        errors, wrong = compare({"direction": along}, twin, tolerance, frozenset({"direction"}))
        return errors, wrong
