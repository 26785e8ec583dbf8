"""What single neurons (or gates, or experts) stand for: does one open for one class only?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.layers import Layer
from minimidl.measure.activity import decisions_by_sample, shares_by_class
from minimidl.measure.chance import permutation_null
from minimidl.measure.discrete_information import table_information
from minimidl.measure.routing import check_active, one_hot


@dataclass(frozen=True)
class Specificity:
    """One layer's gates and the classes; arrays are ``(n_gates,)``.

    Attributes:
        shares: ``(n_classes, n_gates)`` share of samples of each class that open each gate.
        preferred: the class that opens a gate most, -1 for a gate that never opens.
        selectivity: see :func:`selectivity`.
        information: between "open" and the label, in nats, bias taken off.
        p_value: share of shuffled labels with as much, gate by gate; among 100 gates that mean
            nothing, 5 have a p below 0.05.
        chance: 95 % quantile over shuffles of the *best* gate's corrected information: who is
            above it is more than the luckiest of so many. NaN without permutations.

    """

    shares: Array
    preferred: Array
    selectivity: Array
    information: Array
    p_value: Array
    chance: float


def selectivity(shares: Array) -> Array:
    """``(best - rest) / (best + rest)``, ``(n_gates,)``: 0 opens for all alike, 1 for one only.

    ``best`` is the largest share of a gate over the classes, ``rest`` the mean share of the others.
    NaN for a gate that never opens, and where fewer than two classes have samples.

    Source: Morcos et al., "On the importance of single directions", ICLR 2018, arXiv 1803.06959.

    Args:
        shares: ``(n_classes, n_gates)`` from :func:`~minimidl.measure.activity_by_class`; rows of
            classes without samples are NaN and do not count.

    """
    known = _known(shares)
    best = known.max(axis=0)
    rest = (known.sum(axis=0) - best) / (len(known) - 1 or np.nan)
    return (best - rest) / np.where(best > 0, best + rest, np.nan)


def preferred_class(shares: Array) -> Array:
    """Class with the largest share, ``(n_gates,)``; the first of equals; -1 for never open."""
    _known(shares)
    filled = np.nan_to_num(shares, nan=-1.0)
    return np.where(filled.max(axis=0) > 0, filled.argmax(axis=0), -1)


def _known(shares: Array) -> Array:
    """Rows of classes that have samples."""
    shares = np.asarray(shares, dtype=np.float64)
    require(shares.ndim == 2, "shares", f"shape {shares.shape}", "(classes, gates)")
    known = shares[~np.isnan(shares).any(axis=1)]
    require(len(known) > 0, "shares", "no class with samples", "at least one")
    return known


def information_of_gates(opened: Array, of_label: Array) -> Array:
    """Information between "gate j is open" and the label, ``(n_gates,)``, in nats.

    Plug-in values minus their bias ``(C - 1) / 2n`` for ``C`` labels that occur; 0 for a gate that
    is always open or always closed: it says nothing, and there is no bias to take off.

    Args:
        opened: ``(n_gates, n)`` zeros and ones.
        of_label: ``(n, n_labels)`` zeros and ones, one 1 per row.

    """
    open_counts, all_counts = opened @ of_label, of_label.sum(axis=0)  # (n_gates, n_labels)
    tables = np.stack([open_counts, all_counts - open_counts], axis=1)
    speaks = (tables.sum(axis=2) > 0).all(axis=1)  # open for some samples and closed for others
    bias = (len(all_counts) - 1) / (2 * len(of_label))
    return np.where(speaks, table_information(tables) - bias, 0.0)


def class_specificity(
    model: Layer, x: Array, labels: Array, n_classes: int, n_permutations: int = 200,
    seed: int | Rng = 0,
) -> dict[str, Specificity]:
    """:class:`Specificity` of every gated layer by path, from one forward pass in evaluation mode.

    Args:
        model: anything with the protocol.
        x: ``(n, n_in)``.
        labels: ``(n,)`` whole numbers in ``[0, n_classes)``.
        n_classes: rows of ``shares``.
        n_permutations: shuffles of the labels; 0 for no p-values.
        seed: of the shuffles; with a whole number they are the same for every layer.

    """
    _, memory = model.forward(x)
    return {path: specificity(decision.active, labels, n_classes, n_permutations, seed)
            for path, decision in decisions_by_sample(model, memory, len(x)).items()}


def specificity(
    active: Array, labels: Array, n_classes: int, n_permutations: int = 200, seed: int | Rng = 0
) -> Specificity:
    """:class:`Specificity` from arrays: ``active`` ``(n, n_gates)`` boolean and its labels."""
    active, labels = check_active(active, labels)
    shares = shares_by_class(active, labels, n_classes)
    opened, of_label = active.astype(np.float64).T, one_hot(labels)
    information = information_of_gates(opened, of_label)
    null = permutation_null(lambda order: information_of_gates(opened, of_label[order]),
                            len(labels), n_permutations, seed)  # (n_permutations, n_gates)
    p_value, chance = np.full(len(information), np.nan), float("nan")
    if n_permutations:
        p_value = (1 + (null >= information - 1e-12).sum(axis=0)) / (1 + n_permutations)
        chance = float(np.quantile(null.max(axis=1), 0.95))
    return Specificity(shares, preferred_class(shares), selectivity(shares), information, p_value,
                       chance)
