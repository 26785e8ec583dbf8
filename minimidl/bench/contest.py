"""One contest: a gated model against every dense peer and against its own other paths.

All of them run in turn, round after round, on the same batch and on one thread. What is timed is
``Executor.predict`` from the input array to the output array, gate included.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.gated_models import GatedModel
from minimidl.bench.latency import dense_twin
from minimidl.bench.peers import DensePeer, dense_peers
from minimidl.bench.suite import Row, against, judged
from minimidl.bench.targets import layer_target
from minimidl.bench.timing import Call, Timing, alternate
from minimidl.execution import Executor
from minimidl.execution.choice import PATHS
from minimidl.layers import Sequential, gated_layers
from minimidl.measure import count_macs

TOLERANCE = 1e-3
"""Largest error relative to the largest output; beyond it a time is worth nothing."""


class Contest:
    """Everything that is built once per model and timed at several batch sizes.

    Args:
        entry: the model.
        paths: of the executor, to be timed beside ``"auto"``; None means all of them.
        peers: names of dense peers; none means all that are installed.

    """

    def __init__(
        self, entry: GatedModel, paths: tuple[str, ...] | None = None, peers: tuple[str, ...] = ()
    ) -> None:
        self.entry = entry
        self.paths = PATHS[1:] if paths is None else paths
        self.executors = {path: Executor(entry.model, path=path) for path in ("auto", *self.paths)}
        self.peers: dict[str, DensePeer] = {
            peer.name: peer for peer in dense_peers(dense_twin(entry.model), peers)}

    def row(self, batch: int, rounds: int) -> Row:
        """Time one batch size; call it with one thread.

        Returns:
            The keys of the ``layers`` suite, but for its name.

        """
        x = np.ascontiguousarray(self.entry.inputs[:batch])
        work = work_of(self.entry.model, x)
        error = self.error(x, work.pop("output"))
        timings = alternate(self.calls(x), rounds=rounds)
        auto, rivals = timings["auto"], {name: timings[name] for name in self.peers}
        peer = min(rivals, key=lambda name: rivals[name].seconds)
        versus = against(auto, rivals[peer])
        target = layer_target(self.entry.kind, batch, self.entry.block, self.entry.density,
                              work["ideal"])
        verdict = judged(versus["ratio"], target)
        if error > TOLERANCE and target is not None:
            verdict["met"] = False
        return {
            "case": self.entry.case, "batch": batch, **sizes_of(self.entry.model),
            "granularity": self.entry.granularity, "density": self.entry.density,
            "path": "auto", "seconds": auto.seconds, "peer": peer, **versus,
            "ideal": work["ideal"], "quality": versus["ratio"] / work["ideal"], **verdict,
            "peers": {name: timing.seconds for name, timing in rivals.items()},
            **self.own(timings), **work,
            "gflops_executed": work["flops"] / auto.seconds / 1e9, "max_error": error,
            "why": self.executors["auto"].explain((batch,)).splitlines()[-1], "rounds": rounds,
            **self.entry.facts,
        }

    def calls(self, x: Array) -> dict[str, Call]:
        """Everyone, bound to one batch."""
        own: dict[str, Call] = {path: lambda run=executor.predict: run(x)  # type: ignore[misc]
                                for path, executor in self.executors.items()}
        return own | {name: peer.bind(x) for name, peer in self.peers.items()}

    def own(self, timings: dict[str, Timing]) -> Row:
        """Seconds of the executor's paths, and auto in units of the best of them."""
        paths = {path: timings[path].seconds for path in self.paths}
        best = min(paths.values(), default=None)
        return {"paths": paths,
                "auto_over_best": None if best is None else timings["auto"].seconds / best}

    def error(self, x: Array, expected: Array) -> float:
        """Largest difference to the layers' own answer, relative to the largest entry of that."""
        found = self.executors["auto"].predict(x)
        return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def sizes_of(model: Sequential) -> dict[str, int]:
    """``n_in``, ``n_units`` and ``n_out``."""
    (gated,) = gated_layers(model).values()
    return {"n_in": model.n_in, "n_units": gated.n_units, "n_out": model.n_out}


def work_of(model: Sequential, x: Array) -> dict[str, Any]:
    """What a batch costs: MACs by the one accountant, and the fewest bytes that must be read.

    Returns:
        ``output`` of the layers; ``active_ratio``; ``ideal`` (dense MACs / executed MACs with
        gate); ``flops`` (2 per executed MAC, whole batch); ``bytes_least`` (every weight row that
        any sample opens once, gate, input and output once) and ``flops_per_byte``.

    """
    output, memory = model.forward(x)
    count = count_macs(model, memory)
    macs = float(count.with_gate.mean())
    (path, gated), = gated_layers(model).items()
    opened = gated.to_units(memory[path]["decision"].active).any(axis=0).sum()
    gate = sum(value.size for name, value in gated.params.items() if name.startswith("gate."))
    numbers = opened * (model.n_in + model.n_out) + gate + x.size + output.size
    flops, least = 2.0 * macs * len(x), float(numbers * x.itemsize)
    return {"output": output, "active_ratio": count.active_ratio, "ideal": count.dense / macs,
            "flops": flops, "bytes_least": least, "flops_per_byte": flops / least}
