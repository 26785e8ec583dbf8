"""Models by name: the same widths, with and without a gate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.experiment.baselines import BASELINES, ROUTERS, matched_width
from minimidl.experiment.hidden import (
    Hidden,
    dense_hidden,
    dynamic_hidden,
    input_hidden,
    midl_hidden,
    stack,
    static_hidden,
)
from minimidl.experiment.options import ModelOptions
from minimidl.experiment.wirings import draw_connections
from minimidl.layers import Dropout, Layer, Linear, MaskedLinear, Sequential
from minimidl.seeds import make_rng

__all__ = ["HIDDEN", "MODELS", "ModelOptions", "build_model", "matched_twin"]

HIDDEN: dict[str, Hidden] = {
    "dense": dense_hidden, "dropout": dense_hidden, "midl": midl_hidden,
    "dynamicgate": dynamic_hidden, "static-gate": static_hidden, "input-gate": input_hidden,
    **BASELINES,
}
MODELS = tuple(HIDDEN)


def matched_twin(name: str, n_in: int, n_out: int, options: ModelOptions) -> Sequential | None:
    """The dense network that a mixture of matched size stands for, as yardstick of its costs.

    None for all others: their own widths, dense, are their twin.
    """
    if name in ROUTERS and options.experts_match != "width":
        return build_model("dense", n_in, n_out, options)
    return None


def build_model(
    name: str, n_in: int, n_out: int, options: ModelOptions | None = None, *,
    seed: int | Rng = 0, dtype: npt.DTypeLike = np.float32,
) -> Sequential:
    """Build ``n_in - width... - n_out``; hidden layers by name, the last one linear.

    Of the models with missing connections (pruned, set, rigl) the last layer may miss some, too.
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
    options = matched_width(name, n_in, n_out, options)
    rate = max(options.dropout, 0.5) if name == "dropout" else options.dropout
    rng = make_rng(seed)
    drop: list[Layer] = [Dropout(rate)] if rate else []
    if options.gate_budget != "own" and name not in ("dense", "dropout"):
        layers = stack(name, n_in, options, rng, dtype) + drop
    else:
        layers = []
        for wide, n_units in zip((n_in, *options.width), options.width, strict=False):
            layers += HIDDEN[name](wide, n_units, options, rng, dtype) + drop
    plain = MaskedLinear if any(type(layer) is MaskedLinear for layer in layers) else Linear
    last = plain(options.width[-1], n_out, init="xavier", dtype=dtype, seed=rng)
    model = Sequential(*layers, last)
    draw_connections(name, model, options, rng)
    return model
