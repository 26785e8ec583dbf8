"""Hidden layers of what gates are compared with.

Missing connections, the same for every sample (pruned, set, rigl), with gates on top
(dynamicgate+rigl); one learned gate per connection (weight-gate); few big blocks and a router that
gives each sample to one or two of them (switch, topk-moe, expert-choice, soft-moe).
"""

from __future__ import annotations

from dataclasses import replace

import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.experiment.experts import MATCHES, matched_experts
from minimidl.experiment.hidden import Hidden, dynamic_arguments, light_arguments
from minimidl.experiment.options import ModelOptions
from minimidl.layers import (
    Experts,
    Layer,
    MaskedDynamicGate,
    MaskedLinear,
    ReLU,
    WeightGate,
)


def wired_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """A masked linear layer and ReLU; all connections live until the wiring begins."""
    return [MaskedLinear(n_in, n_units, init=options.init, dtype=dtype, seed=rng), ReLU()]


def wired_dynamic_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """A DynamicGate with missing connections."""
    return [MaskedDynamicGate(n_in, n_units, dtype=dtype, seed=rng, **dynamic_arguments(options))]


def weight_gate_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """A gate per connection; blocks, noise and gate networks are for gates on neurons."""
    value = {"gate_value": options.gate_value} if options.gate_value else {}
    return [WeightGate(
        n_in, n_units, threshold=options.gate_threshold, estimator=options.gate_estimator,
        min_keep=options.gate_min_keep, gate_spread=options.gate_spread,
        open_probability=options.gate_open, temperature=options.gate_temperature,
        init=options.init, dtype=dtype, seed=rng, **value)]


def matched_width(name: str, n_in: int, n_out: int, options: ModelOptions) -> ModelOptions:
    """The options with the width at which a mixture costs what its dense twin costs."""
    match, width = options.experts_match, options.width
    require(match in ("width", *MATCHES), "experts.match", repr(match),
            f"one of width, {', '.join(MATCHES)}")
    if match == "width" or name not in ROUTERS:
        return options
    require(len(width) == 1, "experts.match", f"{match!r} for the widths {width}",
            "'width', or one hidden layer")
    require(options.experts_gate == "linear" and options.light_path == "zero", "experts.match",
            f"{match!r} with experts.gate={options.experts_gate}, light.path={options.light_path}",
            "'width', or linear and zero", "the others' cost is not in the formula")
    number = options.experts_number
    k = {"switch": 1, "soft-moe": number}.get(name, options.experts_k)
    matched = matched_experts(n_in, width[0], n_out, number, k, match)
    return replace(options, width=(matched.n_units,))


def experts_hidden(router: str) -> Hidden:
    """Layers of experts under one kind of router."""
    def build(
        n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
    ) -> list[Layer]:
        number = options.experts_number
        require(number >= 1 and n_units % number == 0, "experts.number", number,
                f"a divisor of the hidden width {n_units}", "or choose another width")
        return [Experts(
            n_in, n_units, n_experts=number, router=router,
            k=options.experts_k if router in ("topk", "expert-choice") else None,
            capacity=options.experts_capacity if router in ("switch", "topk") else 0.0,
            priority=options.experts_priority, gate=options.experts_gate,
            gate_rank=options.gate_rank, gate_spread=options.experts_spread,
            gate_noise=options.gate_noise,
            temperature=options.gate_temperature, dtype=dtype, seed=rng,
            **light_arguments(options))]

    return build


ROUTERS = {"switch": "switch", "topk-moe": "topk", "expert-choice": "expert-choice",
           "soft-moe": "soft"}
"""Router by model."""

BASELINES: dict[str, Hidden] = {
    "pruned": wired_hidden, "set": wired_hidden, "rigl": wired_hidden,
    "dynamicgate+rigl": wired_dynamic_hidden, "weight-gate": weight_gate_hidden,
    **{name: experts_hidden(router) for name, router in ROUTERS.items()},
}
