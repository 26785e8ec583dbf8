"""Time of one sample, against the fastest dense network of the same widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.peers import Affine, best_peer, dense_peers
from minimidl.bench.timing import Call, alternate, one_thread
from minimidl.execution import Executor
from minimidl.layers import GatedLinear, GatedStack, Layer, Linear, WeightGate, leaves


def dense_twin(model: Layer) -> list[Affine]:
    """Weight and bias of every gated and linear layer: the same network with no gate.

    Dense peers put a ReLU between two layers, whatever the model's activation; it is the cheapest
    one, so the yardstick is never too kind. Gates and light paths are left out, and gates on input
    features with them.
    """
    return [pair for _, layer in leaves(model) for pair in affine_maps(layer)]


def affine_maps(layer: Layer) -> list[Affine]:
    """The full paths of a layer: one, several in a stack, none where it only gates its input."""
    if isinstance(layer, GatedStack):
        return [(layer.params[f"{i}.weight"], layer.params[f"{i}.bias"])
                for i in range(len(layer.widths))]
    if isinstance(layer, GatedLinear | Linear | WeightGate):
        return [(layer.params["weight"], layer.params["bias"])]
    return []


def one_sample(model: Layer, seed: int = 0) -> Array:
    """``(1, n_in)`` of normal noise in the model's dtype."""
    width = model.n_in or 1
    return np.random.default_rng(seed).normal(size=(1, width)).astype(model.dtype or np.float32)


def batch1_latency(
    model: Layer, x: Array | None = None, peers: Sequence[str] = ()
) -> dict[str, Any]:
    """Time one sample through ``Executor.predict`` and through the best dense peer, one thread.

    Args:
        model: gated or not; a model without gates runs its own dense layers.
        x: one sample ``(1, n_in)``; normal noise if left out. How many neurons a threshold gate
            opens depends on it, so give a typical one.
        peers: names of dense peers to try; none means all that are installed.

    Returns:
        ``latency_us``, ``dense_latency_us`` (medians, microseconds) and ``peer`` (a name); times
        are None and the name is empty where there is no layer to compare with.

    Raises:
        InputError: a sample that does not fit the model.

    """
    sample = one_sample(model) if x is None else x
    executor = Executor(model)
    executor.predict(sample)
    twin = dense_twin(model)
    with one_thread():
        calls: dict[str, Call] = {"model": lambda: executor.predict(sample)}
        if not twin:
            return {"latency_us": 1e6 * alternate(calls)["model"].seconds,
                    "dense_latency_us": None, "peer": ""}
        peer = best_peer(dense_peers(twin, peers), sample)
        timings = alternate(calls | {"dense": peer.bind(sample)})
    return {"latency_us": 1e6 * timings["model"].seconds,
            "dense_latency_us": 1e6 * timings["dense"].seconds, "peer": peer.name}
