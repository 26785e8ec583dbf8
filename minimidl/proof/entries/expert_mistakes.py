"""Named mistakes of routers and of the losses that balance them.

Those of a router spoil a router; :func:`in_layer` puts the spoiled one into a copy of a layer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.proof.mistakes import Mistake, spoiled


def renormalisation_constant(router: Any) -> Any:
    """``dv = g / sum v``: the sum that the weights were divided by is taken for a number."""
    def weigh_backward(self: Any, grad_weight: Array, probability: Array, chosen: Array) -> Array:
        total = np.where(chosen, probability, 0).sum(axis=1, keepdims=True)
        return grad_weight / total

    return spoiled(router, weigh_backward=weigh_backward)


def renormalised_over_kept(router: Any) -> Any:
    """The backward shares out anew what capacity dropped; the forward does not."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        memory = decision.memory | {"chosen": decision.active}
        return router.backward(grad_gate, grad_probability, replace(decision, memory=memory))

    return spoiled(router, backward=backward)


def raw_probability_left_out(router: Any) -> Any:
    """The chosen expert counts with weight 1: a hard choice that nobody ever teaches.

    Two of the public scripts do this (design notes, dynamicgate-audit E1.8).
    """
    def decide(self: Any, *args: Any, **kwargs: Any) -> Any:
        decision = router.decide(*args, **kwargs)
        return replace(decision, gate=decision.mask.copy())

    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        return router.backward(np.zeros_like(grad_gate), grad_probability, decision)

    return spoiled(router, decide=decide, backward=backward)


def dropped_are_taught(router: Any) -> Any:
    """What capacity dropped gets the gradient of what was executed."""
    def backward(self: Any, grad_gate: Array, grad_probability: Array, decision: Any) -> Any:
        chosen = decision.memory["chosen"].astype(grad_gate.dtype)
        return router.backward(grad_gate, grad_probability, replace(decision, mask=chosen))

    return spoiled(router, backward=backward)


def others_left_out(router: Any) -> Any:
    """A softmax pulled back entry by entry, ``P (1 - P)``: the others' share is forgotten."""
    softmax = router.softmax

    def backward(self: Any, grad_p: Array, memory: Any) -> Any:
        p, t = memory["p"], memory["temperature"]
        return {"scores": grad_p * p * (1 - p) / t}

    twin = copy.copy(router)
    twin.softmax = spoiled(softmax, backward=backward)
    return twin


def temperature_left_out(router: Any) -> Any:
    """``1 / T`` is forgotten between the probabilities and the logits."""
    softmax = router.softmax

    def backward(self: Any, grad_p: Array, memory: Any) -> Any:
        return {"scores": softmax.backward(grad_p, memory)["scores"] * memory["temperature"]}

    twin = copy.copy(router)
    twin.softmax = spoiled(softmax, backward=backward)
    return twin


def score_pull_left_out(router: Any) -> Any:
    """The z-loss is accepted and ignored."""
    def pull_back(self: Any, grad_gate: Array, pull: Any, decision: Any) -> Any:
        return router.pull_back(grad_gate, replace(pull, scores=None), decision)

    return spoiled(router, pull_back=pull_back)


def noise_scale_deaf(router: Any) -> Any:
    """The learned scale of the noise gets no gradient from what was chosen."""
    def scores_backward(self: Any, grad_scores: Array, decision: Any) -> Array:
        return np.concatenate([grad_scores, np.zeros_like(grad_scores)], axis=1)

    return spoiled(router, scores_backward=scores_backward)


def load_cut_constant(router: Any) -> Any:
    """The load's derivative forgets that its cut is another expert's score."""
    def load_backward(self: Any, grad_load: Array, decision: Any) -> Array:
        full: Array = router.load_backward(grad_load, decision)
        noise, (u, _) = decision.memory["noise"], router.distance(decision)
        own = grad_load * np.exp(-u * u / 2) / np.sqrt(2 * np.pi) / noise["scale"]
        return np.concatenate([own, full[:, own.shape[1]:]], axis=1)

    return spoiled(router, load_backward=load_backward)


def share_differentiated(backward: Callable[..., Array]) -> Callable[..., Array]:
    """Balance loss: a derivative through the dispatched share, as if it were the mean of ``P``."""
    def wrong(memory: dict[str, Any]) -> Array:
        p = memory["probability"]
        return backward(memory) + p.shape[1] / len(p) * p.mean(axis=0)

    return wrong


def log_sum_left_out(backward: Callable[..., Array]) -> Callable[..., Array]:
    """z-loss: the derivative of ``LSE`` in place of that of its square."""
    return lambda memory: memory["probability"] / len(memory["probability"])


def mean_importance_constant(backward: Callable[..., Array]) -> Callable[..., Array]:
    """Importance: the squared mean below is taken for a number."""
    def wrong(memory: dict[str, Any]) -> Array:
        importance = memory["importance"]
        mean = importance.mean()
        row = 2 * (importance - mean) / (len(importance) * mean**2)
        return np.tile(row, (len(memory["gate"]), 1))

    return wrong


EVERY_ROUTER: dict[str, Mistake] = {
    "others left out": others_left_out, "temperature left out": temperature_left_out,
    "raw probability left out": raw_probability_left_out,
    "score pull left out": score_pull_left_out, "dropped are taught": dropped_are_taught,
}
RENORMALISED: dict[str, Mistake] = {
    "renormalisation treated as constant": renormalisation_constant,
    "renormalised over what was kept": renormalised_over_kept,
}
NOISY: dict[str, Mistake] = {
    "noise scale deaf": noise_scale_deaf, "cut of the load constant": load_cut_constant,
}


def in_layer(mistakes: Mapping[str, Mistake]) -> dict[str, Mistake]:
    """The same mistakes for a layer with a router."""
    def lifted(mistake: Mistake) -> Mistake:
        def spoil(layer: Any) -> Any:
            twin = copy.copy(layer)
            twin.chooser = mistake(layer.chooser)
            return twin

        return spoil

    return {name: lifted(mistake) for name, mistake in mistakes.items()}
