"""The ranking family: soft ranks, soft sorting, and masks out of soft permutation matrices."""

from __future__ import annotations

from minimidl.errors import require
from minimidl.gates.ranking.isotonic import isotonic_decreasing, isotonic_decreasing_backward
from minimidl.gates.ranking.neuralsort_mask import NeuralSortTopK
from minimidl.gates.ranking.soft_rank import SoftRank
from minimidl.gates.ranking.soft_sort import SoftSort
from minimidl.gates.ranking.softsort_mask import SoftSortTopK

RANKING: dict[str, SoftRank | SoftSort] = {"soft-rank": SoftRank(), "soft-sort": SoftSort()}


def rank_operator(name: str) -> SoftRank | SoftSort:
    """Look soft rank or soft sort up by name; raises InputError with the known names."""
    require(name in RANKING, "rank_operator", repr(name), f"one of {', '.join(RANKING)}")
    return RANKING[name]


__all__ = [
    "RANKING", "NeuralSortTopK", "SoftRank", "SoftSort", "SoftSortTopK", "isotonic_decreasing",
    "isotonic_decreasing_backward", "rank_operator",
]
