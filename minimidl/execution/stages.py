"""Cutting a model into stages: plain layers, and segments whose closed neurons can be skipped."""

from __future__ import annotations

from dataclasses import dataclass

from minimidl.arrays import Memory
from minimidl.execution.segment import Segment, why_dense
from minimidl.layers import Gated, GatedLinear, Layer, Linear, leaves


@dataclass(frozen=True)
class Stage:
    """One layer that runs as it is, or a gated layer and the linear layer after it.

    Attributes:
        path: layer path of the plain or gated layer.
        layer: that layer.
        segment: how to run it together with the next one; None for a plain layer.
        linear_path: layer path of the linear layer of the segment.
        why_dense: why a gated layer runs dense; empty for all others.

    """

    path: str
    layer: Layer
    segment: Segment | None = None
    linear_path: str = ""
    why_dense: str = ""


def cut(model: Layer, threads: int = 1) -> list[Stage]:
    """Flatten nested sequentials and pair every gated layer with a linear layer that follows.

    Layers that are the identity in evaluation (dropout) stand in nobody's way: they are left out.
    """
    flat = [(path, layer) for path, layer in leaves(model) if layer.idle_memory is None]
    stages: list[Stage] = []
    taken = -1
    for position, (path, layer) in enumerate(flat):
        if position == taken:
            continue
        if not isinstance(layer, GatedLinear):
            reason = f"{type(layer).__name__} has no kernel" if isinstance(layer, Gated) else ""
            stages.append(Stage(path, layer, why_dense=reason))
            continue
        next_path, following = flat[position + 1] if position + 1 < len(flat) else ("", None)
        if not isinstance(following, Linear):
            stages.append(Stage(path, layer, why_dense="no linear layer follows directly"))
        elif reason := why_dense(layer, following):
            stages.append(Stage(path, layer, why_dense=reason))
        else:
            stages.append(Stage(path, layer, Segment(layer, following, threads), next_path))
            taken = position + 1
    return stages


def put(memory: Memory, path: str, value: Memory) -> None:
    """Store a layer's memory where a sequential would: one dict per level of the path."""
    if not path:  # the model is a single layer, its memory the whole
        memory.update(value)
        return
    *outer, last = path.split(".")
    for level in outer:
        memory = memory.setdefault(level, {})
    memory[last] = value
