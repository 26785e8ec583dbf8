"""Time of one sample or of a batch, against the fastest dense network of the same widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.peers import Affine, best_peer, dense_peers
from minimidl.bench.timing import Call, alternate, one_thread
from minimidl.errors import require
from minimidl.execution import Executor
from minimidl.layers import GatedLinear, GatedStack, Layer, Linear, Masked, WeightGate, leaves


def dense_twin(model: Layer) -> list[Affine]:
    """Weight and bias of every gated and linear layer: the same network with no gate.

    Dense peers put a ReLU between two layers, whatever the model's activation; it is the cheapest
    one, so the yardstick is never too kind. Gates and light paths are left out, and gates on input
    features with them. Missing connections are there, as zeros: a dense library multiplies them.
    """
    return [pair for _, layer in leaves(model) for pair in affine_maps(layer)]


def affine_maps(layer: Layer) -> list[Affine]:
    """The full paths of a layer: one, several in a stack, none where it only gates its input."""
    if isinstance(layer, GatedStack):
        return [(layer.params[f"{i}.weight"], layer.params[f"{i}.bias"])
                for i in range(len(layer.widths))]
    if isinstance(layer, Masked):
        return [(layer.live_weight(), layer.params["bias"])]
    if isinstance(layer, WeightGate):
        return [(layer.params["weight"] * layer.wires, layer.params["bias"])]
    if isinstance(layer, GatedLinear | Linear):
        return [(layer.params["weight"], layer.params["bias"])]
    return []


def one_sample(model: Layer, seed: int = 0) -> Array:
    """``(1, n_in)`` of normal noise in the model's dtype."""
    width = model.n_in or 1
    return np.random.default_rng(seed).normal(size=(1, width)).astype(model.dtype or np.float32)


def latency(
    model: Layer, x: Array, peers: Sequence[str] = (), like: Layer | None = None
) -> dict[str, Any]:
    """Time a batch through ``Executor.predict`` and through the best dense peer, one thread.

    Args:
        model: gated or not; a model without gates runs its own dense layers.
        x: ``(batch, n_in)``. How many neurons a threshold gate opens, and which experts a router
            chooses, depends on it, so give typical samples.
        peers: names of dense peers to try; none means all that are installed.
        like: the network that the dense peers run, where it is not the model's own dense twin.

    Returns:
        ``latency_us``, ``dense_latency_us`` (medians, microseconds *per sample*) and ``peer`` (the
        name of the fastest one at this batch); times are None and the name is empty where there is
        no layer to compare with.

    Raises:
        InputError: samples that do not fit the model, or none.

    """
    require(len(x) > 0, "x", "no samples", "at least one")
    executor = Executor(model)
    executor.predict(x)
    twin = dense_twin(like or model)
    scale = 1e6 / len(x)
    with one_thread():
        calls: dict[str, Call] = {"model": lambda: executor.predict(x)}
        if not twin:
            return {"latency_us": scale * alternate(calls)["model"].seconds,
                    "dense_latency_us": None, "peer": ""}
        peer = best_peer(dense_peers(twin, peers), x)
        timings = alternate(calls | {"dense": peer.bind(x)})
    return {"latency_us": scale * timings["model"].seconds,
            "dense_latency_us": scale * timings["dense"].seconds, "peer": peer.name}


def batch1_latency(
    model: Layer, x: Array | None = None, peers: Sequence[str] = (), like: Layer | None = None
) -> dict[str, Any]:
    """As :func:`latency`, for one call: of one sample, unless more are given.

    Args:
        model: see there.
        x: one sample ``(1, n_in)``; normal noise if left out.
        peers: see there.
        like: see there.

    Returns:
        The same keys; microseconds of the whole call.

    Raises:
        InputError: a sample that does not fit the model.

    """
    sample = one_sample(model) if x is None else x
    found = latency(model, sample, peers, like)
    return {name: value * len(sample) if name.endswith("_us") and value is not None else value
            for name, value in found.items()}
