"""Mutual information of two discrete variables, in nats, and how much of it is luck.

Counting cells flatters: with few samples even independent variables seem to share about
``(rows - 1)(columns - 1) / 2n`` nats. So three numbers belong together: the plug-in value, the
value with that bias taken off, and what shuffled labels give.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.measure.chance import permutation_null, permutation_p


@dataclass(frozen=True)
class DiscreteInformation:
    """Information between two discrete variables, in nats.

    Attributes:
        plug_in: from the shares of the cells; biased upwards.
        corrected: without the bias of the counts; may be a little below 0.
        null: ``(n_permutations,)`` plug-in values with shuffled labels.
        n: samples.

    """

    plug_in: float
    corrected: float
    null: Array = field(repr=False)
    n: int

    @property
    def null_mean(self) -> float:
        """What chance alone gives; NaN without permutations."""
        return float(self.null.mean()) if self.null.size else float("nan")

    @property
    def p_value(self) -> float:
        """Share of shuffled labels that do as well; see :func:`permutation_p`."""
        return permutation_p(self.plug_in, self.null)

    def __str__(self) -> str:
        chance = f"; chance {self.null_mean:.4f}, p = {self.p_value:.3g}" if self.null.size else ""
        return f"{self.corrected:.4f} nats (plug-in {self.plug_in:.4f}, n = {self.n}{chance})"


def table_information(table: Array) -> Array:
    """``sum_ab p_ab ln(p_ab / (p_a p_b))`` of counts, over the last two axes.

    Args:
        table: ``(..., rows, columns)`` counts, each table with at least one.

    """
    share = table / table.sum(axis=(-2, -1), keepdims=True)
    parts = [share, share.sum(axis=-1), share.sum(axis=-2)]  # joint, rows, columns
    joint, rows, columns = (
        entropy.reshape(*table.shape[:-2], -1).sum(axis=-1) for entropy in map(_surprise, parts))
    return rows + columns - joint


def _surprise(share: Array) -> Array:
    """``-p ln p``, and 0 for 0."""
    return -share * np.log(np.where(share > 0, share, 1))


def discrete_information(
    a: Array, b: Array, n_permutations: int = 200, seed: int | Rng = 0
) -> DiscreteInformation:
    """Plug-in information with the Miller-Madow correction and a permutation null.

        corrected = plug_in - (cells - rows - columns + 1) / 2n,

    counting the cells, rows and columns that occur. If all do it is ``(rows-1)(columns-1) / 2n``.

    Source: Miller, "Note on the bias of information estimates" (1955), entropy by entropy.

    Args:
        a: ``(n,)`` anything that can be sorted.
        b: ``(n,)`` likewise.
        n_permutations: shuffles of ``b``; 0 for none.
        seed: of the shuffles.

    Raises:
        InputError: no samples, or different lengths.

    """
    a, b = np.asarray(a), np.asarray(b)
    require(a.ndim == 1 and a.shape == b.shape and len(a) > 0, "a and b",
            f"shapes {a.shape} and {b.shape}", "two columns (n,) with at least one sample")
    (rows, a_code), (columns, b_code) = (np.unique(x, return_inverse=True) for x in (a, b))

    def table_of(order: Array) -> Array:
        cell = a_code * len(columns) + b_code[order]
        return np.bincount(cell, minlength=len(rows) * len(columns)).reshape(len(rows), -1)

    table = table_of(np.arange(len(a)))
    plug_in = float(table_information(table))
    bias = (np.count_nonzero(table) - len(rows) - len(columns) + 1) / (2 * len(a))
    null = permutation_null(lambda order: table_information(table_of(order)), len(a),
                            n_permutations, seed)
    return DiscreteInformation(plug_in, plug_in - bias, null, len(a))
