"""Hidden layers by kind of model: dense, and with gates on neurons or features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.experiment.options import ModelOptions
from minimidl.layers import MIDL, DynamicGate, GatedStack, InputGate, Layer, Linear, ReLU

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


def dynamic_arguments(options: ModelOptions) -> dict[str, Any]:
    """What DynamicGate takes, with missing connections or without."""
    return {"threshold": options.gate_threshold, "estimator": options.gate_estimator,
            "min_keep": options.gate_min_keep, **shared_arguments(options),
            **light_arguments(options)}


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
    return [DynamicGate(n_in, n_units, dtype=dtype, seed=rng, **dynamic_arguments(options))]


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
