"""How connections come and go, for the models that miss some of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.experiment.options import ModelOptions, TrainOptions
from minimidl.layers import Layer, masked_layers
from minimidl.learning import SET, Pruning, RigL, Wiring, at_density, give_densities
from minimidl.learning.history import Score

PRUNING = ("gradual", "one-shot")
ONE_SHOT_AT = 0.5
"""Share of the training after which one-shot pruning cuts; the rest is fine-tuning."""

Maker = Callable[[ModelOptions, TrainOptions], Wiring]


def pruning(model: ModelOptions, options: TrainOptions) -> Wiring:
    """Begin dense, close weak connections on the way."""
    require(options.wiring_prune in PRUNING, "wiring.prune", repr(options.wiring_prune),
            f"one of {', '.join(PRUNING)}")
    at_once = {"begin": ONE_SHOT_AT, "until": ONE_SHOT_AT} if options.wiring_prune == "one-shot" \
        else {}
    return Pruning(1.0 - model.wiring_density, ranking=options.wiring_ranking,
                   **{**shared(options), **at_once})


def rewiring(kind: Callable[..., Wiring]) -> Maker:
    """Begin sparse, exchange weak connections for new ones."""
    return lambda model, options: kind(
        options.wiring_drop, anneal=options.wiring_drop_schedule, **shared(options))


def shared(options: TrainOptions) -> dict[str, Any]:
    """What all wirings take under the same name."""
    until = {"until": options.wiring_until} if options.wiring_until else {}
    return {"every": options.wiring_every, **until}


WIRINGS: dict[str, Maker] = {
    "pruned": pruning, "set": rewiring(SET), "rigl": rewiring(RigL),
    "dynamicgate+rigl": rewiring(RigL),
}
"""By model; all others keep every connection."""


def draw_connections(name: str, model: Layer, options: ModelOptions, rng: Rng) -> None:
    """Draw the starting masks of a model that begins sparse; nothing for the others."""
    require(0 < options.wiring_density < 1, "wiring.density", options.wiring_density,
            "a share of live connections in (0, 1)")
    if name in WIRINGS and name != "pruned":
        give_densities(model, 1.0 - options.wiring_density, options.wiring_densities, seed=rng,
                       scale_init=options.wiring_scale)


def make_wiring(name: str, model: ModelOptions, options: TrainOptions) -> Wiring | None:
    """The hook of the training loop, or None."""
    return WIRINGS[name](model, options) if name in WIRINGS else None


def when_sparse(model: Layer, options: ModelOptions, score: Score) -> Score:
    """``score`` among the epochs that have arrived at the density that was asked for."""
    return at_density(options.wiring_density, score) if masked_layers(model) else score
