"""Run the catalogue, and lay the results out as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minimidl.errors import require
from minimidl.proof.catalogue import catalogue, uncovered
from minimidl.proof.entry import Proof, run_proof
from minimidl.proof.verdict import Report

COLUMNS = ("name", "kind", "entries", "max_rel_error", "tolerance", "passed", "mutants",
           "mutants_caught")


Progress = Callable[[Sequence[Proof]], Iterable[Proof]]
"""Wraps the list of proofs, as a progress bar does."""


def run(
    names: Iterable[str] | None = None, seed: int = 0, progress: Progress = iter
) -> list[dict[str, Any]]:
    """Prove the catalogue; answers one row per proof, in catalogue order.

    Args:
        names: substrings; a proof runs when its name holds one of them. All proofs unless given.
        seed: of every weight, test point and cotangent.
        progress: wraps the list of proofs, to show how far it is.

    Raises:
        InputError: no proof has such a name.

    """
    return [report.row() for report in reports(names, seed, progress)]


def reports(
    names: Iterable[str] | None = None, seed: int = 0, progress: Progress = iter
) -> list[Report]:
    """As :func:`run`, with what went wrong in words."""
    return [run_proof(proof, seed) for proof in progress(select(names))]


def select(names: Iterable[str] | None) -> list[Proof]:
    """Proofs whose name holds one of ``names``, upper and lower case alike."""
    proofs = catalogue()
    if names is None:
        return proofs
    wanted = [name.lower() for name in names]
    chosen = [p for p in proofs if any(name in p.name.lower() for name in wanted)]
    require(bool(chosen), "only", ", ".join(wanted), "part of the name of a proof, such as 'midl'",
            "run without it to see all names")
    return chosen


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """One line: how many proofs, the largest error, how many mutants, how many were caught."""
    passed = sum(row["passed"] for row in rows)
    largest = max((row["max_rel_error"] for row in rows), default=0.0)
    entries = sum(row["entries"] for row in rows)
    mutants = sum(row["mutants"] for row in rows)
    caught = sum(row["mutants_caught"] for row in rows)
    return (f"{passed} of {len(rows)} proofs passed: {entries} entries, largest error "
            f"{largest:.1e}; {caught} of {mutants} mutants caught")


def missing() -> list[str]:
    """One line for everything with a backward that the catalogue does not prove."""
    return [f"{name}: has a backward and no proof" for name in uncovered()]
