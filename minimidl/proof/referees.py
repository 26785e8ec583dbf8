"""Who compares a gradient with differences: entry by entry, or along one random direction."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.proof.differences import measure_entry, smoothness, step_size
from minimidl.proof.subject import JumpError, Subject, Values
from minimidl.proof.verdict import Report, compare

ROUGH = 1e-6
"""Slopes over one and eight steps may differ by this much (relative), or a kink is near."""


class EveryEntry:
    """Compares every entry of every tensor with its own central difference."""

    def __init__(self, subject: Subject, rng: np.random.Generator) -> None:
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


Referee = EveryEntry | Direction

KINDS: dict[str, type[EveryEntry] | type[Direction]] = {
    "finite-difference": EveryEntry, "linearised": EveryEntry, "projection": Direction,
}
