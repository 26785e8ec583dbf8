"""Models by name: the same widths, with and without a gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.layers import MIDL, Dropout, DynamicGate, Layer, Linear, ReLU, Sequential


@dataclass(frozen=True)
class ModelOptions:
    """How to build a model. On the command line a field is ``--set gate.rank=8``.

    Attributes:
        width: neurons of each hidden layer, e.g. ``(256,)``.
        keep: share of open gates, or their count (MID-L); target of the budget (DynamicGate).
        gate_net: ``"low-rank"`` or ``"linear"``.
        gate_rank: width of the low-rank gate.
        gate_block: neurons per gate.
        gate_value: ``"probability"`` or ``"binary"``; empty: the layer's own default.
        gate_spread: starting standard deviation of the gate scores.
        gate_topk: operator of MID-L.
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
    gate_topk: str = "hard"
    gate_temperature: float = 1.0
    gate_threshold: float = 0.5
    gate_open: float = 0.5
    light_path: str = "zero"
    light_rank: int = 8
    dropout: float = 0.0
    init: str = "he"


Hidden = Callable[[int, int, ModelOptions, Rng, npt.DTypeLike], list[Layer]]


def dense_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """Linear and ReLU."""
    return [Linear(n_in, n_units, init=options.init, dtype=dtype, seed=rng), ReLU()]


def shared_arguments(options: ModelOptions) -> dict[str, Any]:
    """What both gated layers take under the same name."""
    arguments: dict[str, Any] = {
        "gate": options.gate_net, "gate_rank": options.gate_rank, "block": options.gate_block,
        "gate_spread": options.gate_spread, "temperature": options.gate_temperature,
        "open_probability": options.gate_open, "light": options.light_path,
        "light_rank": options.light_rank, "init": options.init,
    }
    return arguments | ({"gate_value": options.gate_value} if options.gate_value else {})


def midl_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """One MID-L layer."""
    return [MIDL(n_in, n_units, keep=options.keep, topk=options.gate_topk, dtype=dtype, seed=rng,
                 **shared_arguments(options))]


def dynamic_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """One DynamicGate layer."""
    return [DynamicGate(n_in, n_units, threshold=options.gate_threshold, dtype=dtype, seed=rng,
                        **shared_arguments(options))]


HIDDEN: dict[str, Hidden] = {
    "dense": dense_hidden, "dropout": dense_hidden, "midl": midl_hidden,
    "dynamicgate": dynamic_hidden,
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
    require(len(options.width) > 0, "width", "()", "at least one hidden layer")
    rate = max(options.dropout, 0.5) if name == "dropout" else options.dropout
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for n_units in options.width:
        layers += HIDDEN[name](n_in, n_units, options, rng, dtype)
        layers += [Dropout(rate)] if rate else []
        n_in = n_units
    return Sequential(*layers, Linear(n_in, n_out, init="xavier", dtype=dtype, seed=rng))
