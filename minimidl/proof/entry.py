"""One entry of the catalogue, and how it is run: draw, prove, then try the named mistakes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from minimidl.arrays import Rng
from minimidl.proof.mistakes import Mistake
from minimidl.proof.verdict import Report

DRAWS = 25
"""Test points that may be drawn until one is clear of kinks and shows every gradient."""

Prover = Callable[[Rng, Mistake | None], Report]


@dataclass(frozen=True)
class Proof:
    """One entry of the catalogue.

    Attributes:
        name: unique; what ``minimidl check`` prints.
        covers: the classes and functions whose backward it proves.
        prove: builds the thing and a test point from a generator and proves it; with a mistake it
            proves the spoiled twin instead, which must fail.
        mistakes: named mistakes that the proof must catch.

    """

    name: str
    covers: tuple[object, ...]
    prove: Prover
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)


def run_proof(proof: Proof, seed: int = 0) -> Report:
    """Draw test points until one tells something, prove there, then try the named mistakes.

    Drawing again cannot hide a wrong derivative: an error, or a gradient that is missing at every
    point, stays.
    """
    for draw in range(DRAWS):
        report = proof.prove(generator(proof, seed, draw), None)
        if not report.bad_luck:
            break
    report.name = proof.name
    for mistake_name, mistake in proof.mistakes.items():
        twin = proof.prove(generator(proof, seed, draw), mistake)
        if twin.evidence == report.evidence:  # no change here, so no mistake
            continue
        report.mutants += 1
        if not twin.objections:
            report.missed.append(mistake_name)
    return report


def generator(proof: Proof, seed: int, draw: int) -> Rng:
    """A generator of its own for every proof, so that one more entry changes no other."""
    return np.random.default_rng([seed, draw, zlib.crc32(proof.name.encode())])
