"""Cutting a model into stages: plain layers, and layers of which something can be skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minimidl.arrays import Memory
from minimidl.execution.chain import Chain
from minimidl.execution.fitness import why_dense, why_not_decided
from minimidl.execution.grouped import Grouped
from minimidl.execution.link import why_not_linked
from minimidl.execution.runs import Runs
from minimidl.execution.segment import Segment
from minimidl.execution.wired import Wired
from minimidl.execution.wired_gate import WiredGate
from minimidl.layers import (
    Experts,
    Gated,
    GatedLinear,
    Layer,
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    MaskedMIDL,
    ReLU,
    WeightGate,
    leaves,
)
from minimidl.layers.masked_gates import MaskedGated

Flat = Sequence[tuple[str, Layer]]

DECIDED = (Experts, MaskedMIDL, MaskedDynamicGate)
"""No subclasses: those may decide or apply otherwise."""


@dataclass(frozen=True)
class Stage:
    """One layer that runs as it is, a gated layer and the linear layer after it, or a chain.

    Attributes:
        path: layer path of the plain or first gated layer.
        layer: that layer.
        segment: how to run it together with the next one; None for all others.
        linear_path: layer path of the linear layer of the segment.
        why_dense: why a gated layer runs dense; empty for all others.
        chain: how to run several gated layers in a row, or one that no linear layer follows; or
            layers with missing connections, or experts and the linear layer after them.
        paths: layer paths of all layers of the chain.

    """

    path: str
    layer: Layer
    segment: Segment | None = None
    linear_path: str = ""
    why_dense: str = ""
    chain: Runs | None = None
    paths: tuple[str, ...] = ()


def cut(model: Layer, threads: int = 1, chains: bool = True) -> list[Stage]:
    """Flatten nested sequentials and join every gated layer with what follows it.

    Layers that are the identity in evaluation (dropout) stand in nobody's way: they are left out.

    Args:
        model: any layer or sequential.
        threads: of segments and chains.
        chains: join gated layers that follow each other; else only pairs are made.

    """
    flat = [(path, layer) for path, layer in leaves(model) if layer.idle_memory is None]
    stages: list[Stage] = []
    position = 0
    while position < len(flat):
        chain = (wired(flat[position:], threads)
                 or (chained(flat[position:], threads) if chains else None))
        stages.append(chain or stage_of(flat[position:], threads))
        last = stages[-1]
        position += len(last.paths) if last.chain else 1 + (last.segment is not None)
    return stages


def chained(flat: Flat, threads: int) -> Stage | None:
    """The chain that these layers begin with; None for a pair, which a segment runs."""
    run: list[GatedLinear] = []
    for _, layer in flat:
        if not isinstance(layer, GatedLinear) or why_not_linked(layer, run[-1] if run else None):
            break
        run.append(layer)
    following = flat[len(run)][1] if len(run) < len(flat) else None
    if not run or (len(run) == 1 and isinstance(following, Linear)):
        return None
    linear = following if isinstance(following, Linear) else None
    if linear is not None and why_dense(run[-1], linear):
        linear = None
    paths = tuple(path for path, _ in flat[:len(run) + (linear is not None)])
    return Stage(*flat[0], chain=Chain(run, linear, threads), paths=paths)


def wired(flat: Flat, threads: int) -> Stage | None:
    """The stage of a layer with missing connections, or of experts; None for all others."""
    path, layer = flat[0]
    next_path, following = flat[1] if len(flat) > 1 else ("", None)
    if type(layer) is WeightGate:
        return Stage(path, layer, chain=Wired(layer, None, threads), paths=(path,))
    if type(layer) is MaskedLinear:
        relu = following if type(following) is ReLU else None
        paths = (path, next_path) if relu else (path,)
        return Stage(path, layer, chain=Wired(layer, relu, threads), paths=paths)
    if not isinstance(layer, Experts | MaskedGated) or type(layer) not in DECIDED:
        return None
    if reason := why_not_decided(layer, following):
        return Stage(path, layer, why_dense=reason)
    assert isinstance(following, Linear)
    run = (Grouped(layer, following, threads) if isinstance(layer, Experts)
           else WiredGate(layer, following, threads))
    return Stage(path, layer, chain=run, paths=(path, next_path))


def stage_of(flat: Flat, threads: int) -> Stage:
    """The first of these layers, with the linear layer after it if both fit together."""
    path, layer = flat[0]
    if not isinstance(layer, GatedLinear):
        reason = f"{type(layer).__name__} has no kernel" if isinstance(layer, Gated) else ""
        return Stage(path, layer, why_dense=reason)
    next_path, linear = flat[1] if len(flat) > 1 else ("", None)
    if isinstance(linear, Linear):
        if reason := why_dense(layer, linear):
            return Stage(path, layer, why_dense=reason)
        return Stage(path, layer, Segment(layer, linear, threads), next_path)
    reason = why_not_linked(layer)
    return Stage(path, layer, why_dense=f"no linear layer follows directly, and {reason}"
                 if reason else "no linear layer follows directly")


def put(memory: Memory, path: str, value: Memory) -> None:
    """Store a layer's memory where a sequential would: one dict per level of the path."""
    if not path:  # the model is a single layer, its memory the whole
        memory.update(value)
        return
    *outer, last = path.split(".")
    for level in outer:
        memory = memory.setdefault(level, {})
    memory[last] = value
