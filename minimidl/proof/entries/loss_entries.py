"""Proofs of the losses and of the gate budgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake
from minimidl.proof.prove import prove_pair
from minimidl.proof.verdict import Report

Inputs = Callable[[Rng], tuple[Any, ...]]


def pair_proof(
    name: str, forward: Callable[..., Any], backward: Callable[..., Any], inputs: Inputs,
    mistakes: Mapping[str, Mistake] | None = None, *, projection: bool = False, **options: Any,
) -> Proof:
    """An entry for a pair; ``inputs`` draws the differentiated argument and all further ones."""
    def prove(rng: Rng, mistake: Mistake | None) -> Report:
        drawn = inputs(rng)
        second = mistake(backward) if mistake else backward
        return prove_pair(forward, second, *drawn, mutate=mistake is None, projection=projection,
                          seed=int(rng.integers(2**31)), **options)

    return Proof(name, (backward,), prove, mistakes or {})


def mean_forgotten(backward: Callable[..., Array]) -> Callable[..., Array]:
    """A mean in the forward, a sum in the backward."""
    def spoiled(memory: dict[str, Any]) -> Array:
        gradient = backward(memory)
        return gradient * len(gradient)

    return spoiled


def row_weight_forgotten(backward: Callable[..., Array]) -> Callable[..., Array]:
    """Cross-entropy that weighs the target and not the softmax: the class weight counts once."""
    def spoiled(memory: dict[str, Any]) -> Array:
        p = np.exp(memory["log_p"])
        return np.asarray((p - memory["target"]) / memory["total"])

    return spoiled


def classes(rng: Rng, batch: int = 4, n_classes: int = 3) -> tuple[Array, Array]:
    """Logits and labels; every class occurs."""
    return rng.normal(size=(batch, n_classes)), np.arange(batch) % n_classes


def weighted_classes(rng: Rng) -> tuple[Array, Array, Array]:
    """Logits, labels and uneven class weights, one of them 0."""
    return *classes(rng, 6), np.array([0.5, 0.0, 3.0])


def two_of(rng: Rng, draw_targets: Callable[..., Array]) -> tuple[Array, Array]:
    """Predictions and targets of one shape."""
    return 2 * rng.normal(size=(4, 3)), draw_targets(size=(4, 3))


def usage(rng: Rng) -> Array:
    """Gate probabilities."""
    return rng.uniform(0.05, 0.95, size=(4, 3))


def straight_through(losses: Any) -> Callable[..., Any]:
    """The surrogate whose true derivative the hard quadratic answers: ``b + p - stop(p)``."""
    def forward(p: Array, active: Array, target: float, anchor: Array) -> tuple[float, Any]:
        value, _ = losses.quadratic_usage(active + (p - anchor), target)
        return value, losses.hard_quadratic_usage(p, active, target)[1]

    return forward


def anchored(rng: Rng) -> tuple[Array, Array, float, Array]:
    """Probabilities, a mask that differs from them, a target, and the anchor: the same ``p``."""
    p = usage(rng)
    return p, rng.uniform(size=(4, 3)) > 0.5, 0.3, p.copy()


def sign_forgotten(backward: Callable[..., Array]) -> Callable[..., Array]:
    """A pull in the wrong direction."""
    return lambda memory: -backward(memory)


def task_losses(losses: Any) -> list[Proof]:
    """Cross-entropies, squared error, Huber."""
    softmax = (losses.cross_entropy, losses.cross_entropy_backward)
    binary = (losses.binary_cross_entropy, losses.binary_cross_entropy_backward)
    square = (losses.mean_squared_error, losses.mean_squared_error_backward)
    huber = (losses.huber, losses.huber_backward)
    mean = {"mean forgotten": mean_forgotten}
    return [
        pair_proof("cross-entropy", *softmax, classes, mean),
        pair_proof("cross-entropy, smoothed", *softmax, classes, mean, label_smoothing=0.1),
        pair_proof("cross-entropy, class weights", *softmax, weighted_classes,
                   {"row weight forgotten": row_weight_forgotten}),
        pair_proof("cross-entropy, both", *softmax, weighted_classes,
                   {"row weight forgotten": row_weight_forgotten}, label_smoothing=0.2),
        pair_proof("cross-entropy, 128 x 20", *softmax, lambda rng: classes(rng, 128, 20),
                   projection=True),
        pair_proof("binary cross-entropy", *binary, lambda rng: two_of(rng, rng.uniform), mean),
        pair_proof("mean squared error", *square, lambda rng: two_of(rng, rng.normal), mean),
        pair_proof("huber", *huber, lambda rng: two_of(rng, rng.normal), mean),
        pair_proof("huber, delta 0.3", *huber, lambda rng: two_of(rng, rng.normal), mean,
                   delta=0.3),
    ]


def budgets(losses: Any) -> list[Proof]:
    """Losses on gate probabilities, without and with a target."""
    mean = {"mean forgotten": mean_forgotten}
    quadratic = (losses.quadratic_usage, losses.quadratic_usage_backward)
    hinge = (losses.hinge_usage, losses.hinge_usage_backward)
    return [
        pair_proof("budget: mean usage", losses.mean_usage, losses.mean_usage_backward,
                   lambda rng: (usage(rng),), mean),
        pair_proof("budget: cost-weighted usage", losses.cost_weighted_usage,
                   losses.cost_weighted_usage_backward,
                   lambda rng: ({"0": usage(rng), "1.0": usage(rng)[:, :2].copy()},
                                {"0": 640.0, "1.0": 100.0})),
        pair_proof("budget: polarise", losses.polarise, losses.polarise_backward,
                   lambda rng: (usage(rng),), mean | {"sign forgotten": sign_forgotten}),
        pair_proof("budget: hinge above the target", *hinge, lambda rng: (usage(rng), 0.1), mean),
        pair_proof("budget: above the target", *quadratic, lambda rng: (usage(rng), 0.1), mean),
        pair_proof("budget: below the target", *quadratic, lambda rng: (usage(rng), 0.9), mean),
        pair_proof("budget: keep alive", losses.keep_alive, losses.keep_alive_backward,
                   lambda rng: (usage(rng), 0.95), mean),
        pair_proof("budget: executed mask, straight through", straight_through(losses),
                   losses.hard_quadratic_usage_backward, anchored,
                   mean | {"sign forgotten": sign_forgotten}),
    ]


def multipliers(losses: Any) -> list[Proof]:
    """Lagrangian terms: a price, a reward, and the damped one."""
    faults = {"mean forgotten": mean_forgotten, "sign forgotten": sign_forgotten}
    lagrangian = (losses.lagrangian_usage, losses.lagrangian_usage_backward)
    augmented = (losses.augmented_usage, losses.augmented_usage_backward)
    return [
        pair_proof("budget: Lagrangian", *lagrangian, lambda rng: (usage(rng), 0.4, 1.7), faults),
        pair_proof("budget: Lagrangian, negative multiplier", *lagrangian,
                   lambda rng: (usage(rng), 0.4, -0.6), faults),
        pair_proof("budget: augmented Lagrangian", *augmented,
                   lambda rng: (usage(rng), 0.1, 0.8, 5.0), faults),
        pair_proof("budget: augmented Lagrangian of a bound", *augmented,
                   lambda rng: (usage(rng), 0.1, 0.8, 5.0), faults, at_most=True),
    ]


def proofs(losses: Any) -> list[Proof]:
    """Every loss and every budget of ``minimidl.losses``, which is handed in."""
    return task_losses(losses) + budgets(losses) + multipliers(losses)
