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
    """How to build a model; every field can be set on the command line.

    Attributes:
        width: neurons of each hidden layer, e.g. ``(256,)``.
        keep: share of open gates, or their count (MID-L); target of the budget (DynamicGate).
        gate: ``"low-rank"`` or ``"linear"``.
        rank: width of the low-rank gate.
        block: neurons per gate.
        value: what multiplies; empty: the layer's own default.
        spread: starting standard deviation of the gate scores.
        topk: operator of MID-L.
        temperature: of the gate.
        threshold: of DynamicGate.
        light: light path; ``light_rank`` its width if low-rank.
        light_rank: see ``light``.
        dropout: rate after each hidden layer.
        init: starting weights.

    """

    width: tuple[int, ...] = (256,)
    keep: float = 0.45
    gate: str = "low-rank"
    rank: int = 8
    block: int = 1
    value: str = ""
    spread: float = 1.0
    topk: str = "hard"
    temperature: float = 1.0
    threshold: float = 0.5
    light: str = "zero"
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
        "gate": options.gate, "gate_rank": options.rank, "block": options.block,
        "gate_spread": options.spread, "temperature": options.temperature,
        "light": options.light, "light_rank": options.light_rank, "init": options.init,
    }
    return arguments | ({"gate_value": options.value} if options.value else {})


def midl_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """One MID-L layer."""
    return [MIDL(n_in, n_units, keep=options.keep, topk=options.topk, dtype=dtype, seed=rng,
                 **shared_arguments(options))]


def dynamic_hidden(
    n_in: int, n_units: int, options: ModelOptions, rng: Rng, dtype: npt.DTypeLike
) -> list[Layer]:
    """One DynamicGate layer."""
    return [DynamicGate(n_in, n_units, threshold=options.threshold, dtype=dtype, seed=rng,
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

    ``dropout`` is ``dense`` with a rate (0.5 unless ``options.dropout`` says otherwise).

    Raises:
        InputError: unknown name, or an option the layers refuse.

    """
    require(name in HIDDEN, "model", repr(name), f"one of {', '.join(MODELS)}")
    options = options or ModelOptions()
    require(len(options.width) > 0, "width", "()", "at least one hidden layer")
    rate = options.dropout or (0.5 if name == "dropout" else 0.0)
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for n_units in options.width:
        layers += HIDDEN[name](n_in, n_units, options, rng, dtype)
        layers += [Dropout(rate)] if rate else []
        n_in = n_units
    return Sequential(*layers, Linear(n_in, n_out, init="xavier", dtype=dtype, seed=rng))
