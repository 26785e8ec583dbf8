"""Do hard samples open more? The link between how unsure an answer is and how much ran for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require, require_finite
from minimidl.layers import Layer, gated_layers, memory_at
from minimidl.losses.cross_entropy import check_labels, log_softmax
from minimidl.measure.chance import permutation_null, permutation_p
from minimidl.measure.neighbours import is_constant

UNKNOWN = (float("nan"),) * 4
"""Both correlations and their p-values."""


@dataclass(frozen=True)
class Link:
    """How two facts of a sample go together.

    Attributes:
        pearson: correlation of the values.
        spearman: correlation of the ranks; ties share their rank.
        pearson_p: share of shuffles with as strong a correlation of either sign.
        spearman_p: likewise for the ranks.
        n: samples.
        reason: why the numbers are NaN; empty where they are not.

    """

    pearson: float
    spearman: float
    pearson_p: float
    spearman_p: float
    n: int
    reason: str = ""


def sample_hardness(logits: Array) -> Array:
    """``1 - max softmax(logits)`` of each row, ``(n,)``, in [0, 1): needs no labels."""
    confidence = np.exp(log_softmax(logits.astype(np.float64))).max(axis=1)
    return 1.0 - confidence


def sample_loss(logits: Array, labels: Array) -> Array:
    """Cross-entropy of each row in nats, ``(n,)``: how hard it was, with the answer known."""
    check_labels(labels, len(logits), logits.shape[1])
    return -log_softmax(logits.astype(np.float64))[np.arange(len(labels)), labels]


def sample_activity(model: Layer, memory: Memory) -> Array:
    """Share of the gates that were open for each sample, ``(n,)``, every layer by its neurons.

    ``(1,)`` where all layers decide once for the whole batch, as gates of connections do.

    Args:
        model: with at least one gated layer.
        memory: of its forward pass.

    Raises:
        InputError: a model without gates.

    """
    layers = gated_layers(model)
    require(len(layers) > 0, "model", type(model).__name__, "a model with a gated layer")
    ran, units = np.zeros(1), 0
    for path, layer in layers.items():
        active = memory_at(memory, path)["decision"].active
        ran = ran + np.count_nonzero(active, axis=1) * layer.block
        units += active.shape[1] * layer.block
    return ran / units


def hardness_and_activity(
    model: Layer, x: Array, labels: Array | None = None, n_permutations: int = 1000,
    seed: int | Rng = 0,
) -> Link:
    """Correlate hardness and activity over samples, from one forward pass in evaluation mode.

    Gates with a threshold may open more for a hard sample. A Top-k opens as many for everyone: the
    answer is then NaN with the reason.

    Args:
        model: that answers logits and has a gated layer.
        x: ``(n, n_in)``.
        labels: ``(n,)`` for hardness as loss; None for hardness as ``1 - confidence``.
        n_permutations: shuffles for the p-values.
        seed: of the shuffles.

    Raises:
        InputError: a model without gates, labels that do not fit.

    """
    logits, memory = model.forward(x)
    hardness = sample_hardness(logits) if labels is None else sample_loss(logits, labels)
    activity = np.broadcast_to(sample_activity(model, memory), hardness.shape)
    if is_constant(activity):
        return Link(*UNKNOWN, len(x), "activity is constant: every sample opens as many gates; "
                                      "use gates with a threshold instead of a Top-k")
    if is_constant(hardness):
        return Link(*UNKNOWN, len(x), "hardness is constant: every sample is as hard")
    return link(hardness, activity, n_permutations, seed)


def link(first: Array, second: Array, n_permutations: int = 1000, seed: int | Rng = 0) -> Link:
    """Pearson and Spearman correlation of two ``(n,)`` columns, with two-sided p-values.

    NaN, with a reason, where a column is constant or there are fewer than two samples.

    Raises:
        InputError: different lengths, or numbers that are not finite.

    """
    columns = [np.asarray(values, dtype=np.float64) for values in (first, second)]
    require(columns[0].ndim == 1 and columns[0].shape == columns[1].shape, "first and second",
            f"shapes {columns[0].shape} and {columns[1].shape}", "two columns (n,)")
    for name, values in zip(("first", "second"), columns, strict=True):
        require_finite(values, name)
        if len(values) < 2 or is_constant(values):
            return Link(*UNKNOWN, len(values), f"{name} column is constant")
    pearson, p = _correlation(columns[0], columns[1], n_permutations, seed)
    spearman, rank_p = _correlation(ranks(columns[0]), ranks(columns[1]), n_permutations, seed)
    return Link(pearson, spearman, p, rank_p, len(columns[0]))


def ranks(values: Array) -> Array:
    """Ranks from 1, ``(n,)``; equal values share the mean of their places."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _correlation(
    first: Array, second: Array, n_permutations: int, seed: int | Rng
) -> tuple[float, float]:
    """Correlation and its two-sided p-value."""
    centred = (values - values.mean() for values in (first, second))
    a, b = (values / np.linalg.norm(values) for values in centred)
    value = float(a @ b)
    null = permutation_null(lambda order: abs(a @ b[order]), len(a), n_permutations, seed)
    return value, permutation_p(abs(value), null)
