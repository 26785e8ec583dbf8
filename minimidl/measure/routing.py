"""Who gets the samples: are the experts (or neurons) used alike, and does it matter who comes?

Everything reads the booleans of who was executed, ``(batch, n_experts)``: one expert per sample,
several, or neurons that open as they like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.layers import Layer
from minimidl.measure.activity import decisions_by_sample
from minimidl.measure.chance import permutation_null
from minimidl.measure.discrete_information import DiscreteInformation, table_information


@dataclass(frozen=True)
class Routing:
    """How one layer spreads its samples.

    Attributes:
        used: ``(n_experts,)`` samples that each expert ran for.
        entropy: of the shares, over ``ln(n_experts)``: 1 all alike, 0 one does everything.
        variation: standard deviation of ``used`` over its mean: 0 all alike.
        information: between expert and label, in nats.
        dropped_share: assignments that found their expert full, of all assignments.

    """

    used: Array
    entropy: float
    variation: float
    information: DiscreteInformation
    dropped_share: float


def usage_entropy(used: Array) -> float:
    """``-sum p ln p / ln(n)`` of the shares ``p`` of ``(n,)`` counts, in [0, 1].

    NaN where nobody was used, and for a single expert, which has nothing to share.
    """
    used = _counts(used)
    if used.sum() == 0 or len(used) == 1:
        return float("nan")
    share = used[used > 0] / used.sum()
    return float(-(share * np.log(share)).sum() / np.log(len(used)))


def usage_variation(used: Array) -> float:
    """Coefficient of variation of ``(n,)`` counts, ``std / mean``; NaN where nobody was used.

    From 0 (all alike) to ``sqrt(n - 1)`` (one does everything).
    """
    used = _counts(used)
    return float(used.std() / used.mean()) if used.sum() else float("nan")


def _counts(used: Array) -> Array:
    used = np.asarray(used, dtype=np.float64)
    require(used.ndim == 1 and len(used) > 0 and bool((used >= 0).all()), "used",
            f"shape {used.shape}, smallest {used.min(initial=0)}", "(n,) counts of at least 0")
    return used


def expert_information(
    active: Array, labels: Array, n_permutations: int = 200, seed: int | Rng = 0
) -> DiscreteInformation:
    """Information between the expert of a random assignment and the label of its sample.

    With ``k_i`` experts for sample ``i``, ``E`` used experts and ``C`` labels, the plug-in value is
    too large by

        (C - 1) (E - sum k_i^2 / sum k_i) / (2 sum k_i),

    its mean over all shuffles of the labels, to second order in the counts. At one expert per
    sample that is the correction of Miller and Madow, ``(E - 1)(C - 1) / 2n``.

    Args:
        active: ``(n, n_experts)`` boolean.
        labels: ``(n,)`` anything that can be sorted.
        n_permutations: shuffles of the labels over the samples; 0 for none.
        seed: of the shuffles.

    Raises:
        InputError: other shapes, or nobody active at all.

    """
    active, labels = check_active(active, labels)
    require(bool(active.any()), "active", "no active expert in any sample", "at least one")
    of_label = one_hot(labels)  # (n, n_labels)
    chosen = active.astype(np.float64).T  # (n_experts, n)
    plug_in = float(table_information(chosen @ of_label))
    each, n_used = active.sum(axis=1), np.count_nonzero(active.any(axis=0))
    free = (of_label.shape[1] - 1) * (n_used - (each**2).sum() / each.sum())
    null = permutation_null(lambda order: table_information(chosen @ of_label[order]), len(labels),
                            n_permutations, seed)
    return DiscreteInformation(plug_in, plug_in - float(free / (2 * each.sum())), null, len(labels))


def check_active(active: Array, labels: Array) -> tuple[Array, Array]:
    """Both as arrays; InputError unless ``(n, n_gates)`` boolean and ``(n,)``."""
    active, labels = np.asarray(active), np.asarray(labels)
    require(active.ndim == 2 and active.dtype == bool and active.size > 0, "active",
            f"{active.dtype} {active.shape}", "boolean (samples, gates)")
    require(labels.shape == (len(active),), "labels", f"shape {labels.shape}",
            f"({len(active)},), one per sample")
    return active, labels


def one_hot(labels: Array) -> Array:
    """``(n, n_labels)`` float64, one column for each label that occurs."""
    seen, code = np.unique(labels, return_inverse=True)
    return np.eye(len(seen))[code]


def dropped_share(active: Array, dropped: Array | None) -> float:
    """Dropped assignments over all assignments; 0 where nothing is ever dropped.

    Args:
        active: ``(n, n_experts)`` boolean, what was executed.
        dropped: ``(n_experts,)`` counts, or None.

    """
    lost = 0 if dropped is None else int(np.sum(dropped))
    wanted = lost + int(np.count_nonzero(active))
    return lost / wanted if wanted else 0.0


def routing(
    active: Array, labels: Array, dropped: Array | None = None, n_permutations: int = 200,
    seed: int | Rng = 0,
) -> Routing:
    """All of :class:`Routing`, from arrays; arguments and errors as the functions above."""
    used = np.asarray(active).sum(axis=0)
    return Routing(used, usage_entropy(used), usage_variation(used),
                   expert_information(active, labels, n_permutations, seed),
                   dropped_share(active, dropped))


def routing_by_layer(
    model: Layer, x: Array, labels: Array, n_permutations: int = 200, seed: int | Rng = 0
) -> dict[str, Routing]:
    """:class:`Routing` of every gated layer by path, from one forward pass in evaluation mode."""
    _, memory = model.forward(x)
    return {path: routing(decision.active, labels, decision.memory.get("dropped"), n_permutations,
                          seed)
            for path, decision in decisions_by_sample(model, memory, len(x)).items()}
