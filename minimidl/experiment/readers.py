"""Who reads which setting, so that none is chosen in vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minimidl.errors import require

NEURON_GATED = ("midl", "dynamicgate", "dynamicgate+rigl", "static-gate", "input-gate")
GATED = (*NEURON_GATED, "weight-gate")
LEARNED_NETS = ("midl", "dynamicgate", "dynamicgate+rigl", "input-gate")
TOPK_GATED = ("midl", "input-gate")
THRESHOLD_GATED = ("dynamicgate", "dynamicgate+rigl", "static-gate", "input-gate", "weight-gate")
WIRED = ("pruned", "set", "rigl", "dynamicgate+rigl")
REWIRED = ("set", "rigl", "dynamicgate+rigl")
CAPPED = ("switch", "topk-moe")
WEIGHED = (*CAPPED, "soft-moe")
EXPERTS = (*CAPPED, "expert-choice", "soft-moe")

READERS: dict[str, tuple[str, ...]] = {
    "gate.choose": ("input-gate",), "gate.net": LEARNED_NETS, "gate.topk": TOPK_GATED,
    "gate.surrogate": TOPK_GATED, "gate.estimator": THRESHOLD_GATED,
    "gate.min_keep": THRESHOLD_GATED, "gate.threshold": THRESHOLD_GATED,
    "gate.cut": THRESHOLD_GATED,
    "gate.rank": (*LEARNED_NETS, *EXPERTS), "gate.noise": (*NEURON_GATED, *EXPERTS),
    "gate.temperature": (*GATED, *EXPERTS), "gate.learning_rate": (*GATED, *EXPERTS),
    "gate.spread": GATED, "gate.value": GATED, "gate.open": GATED,
    "gate.": NEURON_GATED, "keep": NEURON_GATED,
    "light.": ("midl", "dynamicgate", "dynamicgate+rigl", "static-gate", *EXPERTS),
    "budget.": THRESHOLD_GATED, "train.gradient": ("midl", "dynamicgate", "static-gate"),
    "wiring.density": (*WIRED, "weight-gate"), "wiring.prune": ("pruned",),
    "wiring.ranking": ("pruned",), "wiring.densities": REWIRED, "wiring.scale": REWIRED,
    "wiring.drop": REWIRED, "wiring.": WIRED,
    "experts.k": ("topk-moe", "expert-choice"), "experts.capacity": CAPPED,
    "experts.priority": CAPPED, "experts.bias": CAPPED, "experts.balance": CAPPED,
    "experts.importance": WEIGHED, "experts.": EXPERTS,
}
"""The first entry that a name begins with says who reads it; what is not here, everybody."""

STAND_INS = ("gate.surrogate", "gate.estimator")
"""What differentiates a hard decision; nothing where the mask counts as a constant."""


def readers(name: str, model: str) -> tuple[str, ...]:
    """The models that read the setting ``name``; ``model`` alone stands for everybody."""
    return next((who for head, who in READERS.items() if name.startswith(head)), (model,))


def check_read(model: str, chosen: Mapping[str, Any]) -> None:
    """Raise InputError for a chosen setting that ``model`` would ignore in silence."""
    for name in chosen:
        who = readers(name, model)
        require(model in who, "--set", f"{name} for {model}",
                f"a setting that {model} reads", f"{name} is for {', '.join(who)}")
        exact = chosen.get("train.gradient") == "active-only" and name in STAND_INS
        require(not exact, "--set", f"{name} with train.gradient=active-only",
                "one of the two", "the gradient active-only has no stand-in for the mask")
