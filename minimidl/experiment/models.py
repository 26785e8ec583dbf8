"""Models by name: the same widths, with and without a gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    GatedStack,
    InputGate,
    Layer,
    Linear,
    ReLU,
    Sequential,
)
from minimidl.seeds import make_rng


@dataclass(frozen=True)
class ModelOptions:
    """How to build a model. On the command line a field is ``--set gate.rank=8``.

    Attributes:
        width: neurons of each hidden layer, e.g. ``(256,)``.
        keep: share of open gates, or their count (MID-L); target of the budget (DynamicGate).
        gate_net: ``"static"``, ``"linear"``, ``"low-rank"`` or ``"mlp"``.
        gate_rank: width of the middle of a low-rank or mlp gate.
        gate_block: neurons per gate.
        gate_value: ``"probability"`` or ``"binary"``; empty: the layer's own default.
        gate_spread: starting standard deviation of the gate scores.
        gate_noise: exploration noise on the scores, in training.
        gate_topk: operator of MID-L.
        gate_surrogate: stand-in for the derivative of the hard Top-k.
        gate_estimator: stand-in for the derivative of DynamicGate's threshold.
        gate_min_keep: gates that DynamicGate keeps open in every sample.
        gate_choose: of input-gate: ``"topk"`` (as MID-L) or ``"threshold"`` (as DynamicGate).
        gate_budget: ``"own"``: each layer gates itself; ``"layer"`` or ``"model"``: one gate net
            on the network's input for all layers, with a budget each or one shared cut.
        gate_temperature: of the Top-k operator or the sigmoid.
        gate_threshold: of DynamicGate.
        gate_open: starting open probability.
        light_path: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``.
        light_rank: width of the low-rank light path.
        dropout: rate after each hidden layer.
        init: starting weights: ``"he"``, ``"xavier"`` or ``"orthogonal"``.

    """

    width: tuple[int, ...] = (256,)
    keep: float = 0.45
    gate_net: str = "low-rank"
    gate_rank: int = 8
    gate_block: int = 1
    gate_value: str = ""
    gate_spread: float = 1.0
    gate_noise: float = 0.0
    gate_topk: str = "hard"
    gate_surrogate: str = "sigmoid"
    gate_estimator: str = "identity-probability"
    gate_min_keep: int = 0
    gate_choose: str = "topk"
    gate_budget: str = "own"
    gate_temperature: float = 1.0
    gate_threshold: float = 0.5
    gate_open: float = 0.5
    light_path: str = "zero"
    light_rank: int = 8
    dropout: float = 0.0
    init: str = "he"


Hidden = Callable[[int, int, ModelOptions, Rng, npt.DTypeLike], list[Layer]]
"""From widths and options to the layers between two widths."""


def dense_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """Linear and ReLU."""
    return [Linear(n_in, n_units, init=options.init, dtype=dtype, seed=rng), ReLU()]


def shared_arguments(options: ModelOptions) -> dict[str, Any]:
    """What every gated layer takes under the same name."""
    arguments: dict[str, Any] = {
        "gate": options.gate_net, "gate_rank": options.gate_rank, "block": options.gate_block,
        "gate_spread": options.gate_spread, "gate_noise": options.gate_noise,
        "temperature": options.gate_temperature, "open_probability": options.gate_open,
    }
    return arguments | ({"gate_value": options.gate_value} if options.gate_value else {})


def light_arguments(options: ModelOptions) -> dict[str, Any]:
    """What the layers with a light path take besides."""
    return {"light": options.light_path, "light_rank": options.light_rank, "init": options.init}


def midl_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """One MID-L layer."""
    return [MIDL(n_in, n_units, keep=options.keep, topk=options.gate_topk,
                 surrogate=options.gate_surrogate, dtype=dtype, seed=rng,
                 **shared_arguments(options), **light_arguments(options))]


def dynamic_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """One DynamicGate layer."""
    return [DynamicGate(n_in, n_units, threshold=options.gate_threshold,
                        estimator=options.gate_estimator, min_keep=options.gate_min_keep,
                        dtype=dtype, seed=rng, **shared_arguments(options),
                        **light_arguments(options))]


def static_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """A DynamicGate whose mask is the same for every sample: learned structured pruning."""
    return dynamic_hidden(n_in, n_units, replace(options, gate_net="static"), rng, dtype)


def input_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """Gates on the features that a dense layer reads."""
    gate = InputGate(n_in, choose=options.gate_choose, keep=options.keep, topk=options.gate_topk,
                     surrogate=options.gate_surrogate, threshold=options.gate_threshold,
                     estimator=options.gate_estimator, min_keep=options.gate_min_keep,
                     dtype=dtype, seed=rng, **shared_arguments(options))
    return [gate, *dense_hidden(n_in, n_units, options, rng, dtype)]


def stack(
    name: str, n_in: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """All hidden layers under one gate network, for MID-L and DynamicGate."""
    choose = {"midl": "topk", "dynamicgate": "threshold"}
    require(name in choose, "gate.budget", f"{options.gate_budget!r} for {name}",
            "'own'", "only midl and dynamicgate share a gate network")
    require(options.light_path == "zero", "light.path", repr(options.light_path),
            "'zero'", "layers that share a gate network have no light path")
    return [GatedStack(n_in, options.width, budget=options.gate_budget, choose=choose[name],
                       keep=options.keep, topk=options.gate_topk, threshold=options.gate_threshold,
                       surrogate=options.gate_surrogate, estimator=options.gate_estimator,
                       min_keep=options.gate_min_keep, init=options.init, dtype=dtype, seed=rng,
                       **shared_arguments(options))]


HIDDEN: dict[str, Hidden] = {
    "dense": dense_hidden, "dropout": dense_hidden, "midl": midl_hidden,
    "dynamicgate": dynamic_hidden, "static-gate": static_hidden, "input-gate": input_hidden,
}
MODELS = tuple(HIDDEN)


def build_model(
    name: str, n_in: int, n_out: int, options: ModelOptions | None = None, *,
    seed: int | Rng = 0, dtype: npt.DTypeLike = np.float32,
) -> Sequential:
    """Build ``n_in - width... - n_out``; hidden layers by name, the last one linear.

    ``dropout`` is ``dense`` with half of its neurons dropped at random in training, or more where
    ``options.dropout`` says so.

    Raises:
        InputError: unknown name, or an option the layers refuse.

    """
    require(name in HIDDEN, "model", repr(name), f"one of {', '.join(MODELS)}")
    options = options or ModelOptions()
    require(len(options.width) > 0 and min(options.width) >= 1, "width", options.width,
            "at least one hidden layer of at least one neuron")
    require(0 <= options.dropout < 1, "dropout", options.dropout, "a rate in [0, 1)")
    rate = max(options.dropout, 0.5) if name == "dropout" else options.dropout
    rng = make_rng(seed)
    drop: list[Layer] = [Dropout(rate)] if rate else []
    if options.gate_budget != "own" and name not in ("dense", "dropout"):
        layers = stack(name, n_in, options, rng, dtype) + drop
    else:
        layers = []
        for wide, n_units in zip((n_in, *options.width), options.width, strict=False):
            layers += HIDDEN[name](wide, n_units, options, rng, dtype) + drop
    last = Linear(options.width[-1], n_out, init="xavier", dtype=dtype, seed=rng)
    return Sequential(*layers, last)
