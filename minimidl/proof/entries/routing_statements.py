"""What a router must keep besides its derivative, and which test points tell something."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.proof.verdict import WEAK

MARGIN = 2e-3
"""Choices, places and cuts are decided by more than this; differences move far less."""


def clear_of_ties(router: Any, decision: Any) -> bool:
    """Whether no choice is close, some are made and some are not, and capacity drops some."""
    p, scores, chosen = decision.probability, decision.scores, decision.memory["chosen"]
    bias = router.state.get("bias", np.zeros(1))
    gaps = [gap(scores, chosen, axis=1)]
    if bias.any():
        gaps = [gap(p + bias, chosen, axis=1)]
    elif "cuts" in router.state:
        gaps = [np.abs(p - router.state["cuts"]).min(), gap(p, chosen, axis=0)]
    if not np.array_equal(chosen, decision.active):
        gaps.append(gap(np.where(chosen, p, -1.0), decision.active, axis=0)
                    if router.priority == "probability" else math.inf)
    busy = 0 < chosen.sum() < chosen.size or everyone_is_chosen(router)
    crowded = hasattr(router, "priority") and router.capacity > 0
    drops = decision.memory["dropped"].sum() > 0
    return bool(min(gaps) > MARGIN and busy and (drops or not crowded))


def everyone_is_chosen(router: Any) -> bool:
    """Whether there is no choice to make."""
    return getattr(router, "k", router.n_experts) == router.n_experts


def gap(values: Array, chosen: Array, axis: int) -> float:
    """Smallest distance between the lowest chosen and the highest other, over all lines."""
    lowest = np.where(chosen, values, np.inf).min(axis=axis)
    highest = np.where(chosen, -np.inf, values).max(axis=axis)
    return float(np.min(lowest - highest))


def task_reaches(gradient: Array, n_experts: int) -> str:
    """The task loss alone moves the router; a single expert's weight is 1 and moves nothing."""
    strongest = float(np.max(np.abs(gradient)))
    if n_experts == 1:
        return "" if strongest == 0.0 else "a single expert has a gradient"
    return "" if strongest >= WEAK else "the task loss does not reach the router"


def executes_its_word(
    router: Any, decision: Any, layer: Any = None, x: Array | None = None,
    output: Array | None = None,
) -> str:
    """What is reported is what is executed; answers what is wrong."""
    active, chosen = decision.active, decision.memory["chosen"]
    if not np.array_equal(active, decision.mask > 0) or np.any(decision.gate[~active] != 0):
        return "the reported mask is not the executed mask"
    if np.any(active & ~chosen):
        return "an expert runs that was not chosen"
    if not np.array_equal(decision.memory["dropped"], (chosen & ~active).sum(axis=0)):
        return "the dropped are miscounted"
    if hasattr(router, "renormalise"):
        if np.any(chosen.sum(axis=1) != router.k):
            return f"not {router.k} experts chosen in every row"
        places = math.ceil(router.capacity * len(chosen) * router.k / router.n_experts - 1e-9)
        if decision.memory["dropped"].any() and active.sum(axis=0).max() != places:
            return "an expert is not filled to its capacity, and yet some were dropped"
    return "" if layer is None else answers_lightly(layer, decision, x, output)


def answers_lightly(layer: Any, decision: Any, x: Any, output: Any) -> str:
    """Where an expert is not executed, the output is the light path's."""
    closed = np.repeat(~decision.active, layer.block, axis=1)
    light = np.zeros_like(output) if layer.light is None else layer.light.forward(x)[0]
    return "" if np.array_equal(output[closed], light[closed]) else "a closed expert answers"
