"""A whole model trained with the gradient ``"active-only"``: its segments skip, the rest is itself.

The layers' order is that of the model, dropouts included: one between a gated layer and the linear
layer after it drops open neurons, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.execution import training
from minimidl.execution.segment import Segment
from minimidl.execution.stages import put
from minimidl.layers import Layer, gated_layers, leaves, memory_at


@dataclass
class Step:
    """One layer, or a segment with the dropouts inside it.

    Attributes:
        path: of the plain or gated layer.
        layer: that layer.
        segment: None for a plain layer.
        linear_path: of the linear layer at the segment's end.
        between: paths and layers of the dropouts inside.

    """

    path: str
    layer: Layer
    segment: Segment | None = None
    linear_path: str = ""
    between: list[tuple[str, Layer]] = field(default_factory=list)

    @property
    def dropouts(self) -> list[Layer]:
        """The layers inside."""
        return [layer for _, layer in self.between]


class ActiveOnly:
    """Forward and backward of a model whose segments run on open neurons.

    Args:
        model: any layer or sequential.
        segments: by the path of their gated layer: the segment, and the path of its linear layer.

    """

    def __init__(self, model: Layer, segments: dict[str, tuple[Segment, str]]) -> None:
        self.segments = segments
        self.steps: list[Step] = []
        self.gated = list(gated_layers(model))
        inside: Step | None = None
        for path, layer in leaves(model):
            if inside is not None and path != inside.linear_path:
                inside.between.append((path, layer))
            elif inside is not None:
                inside = None
            else:
                segment, linear_path = segments.get(path, (None, ""))
                self.steps.append(Step(path, layer, segment, linear_path))
                inside = self.steps[-1] if segment else None

    def made(self, memory: Memory) -> bool:
        """Whether a memory comes from :meth:`forward`."""
        return any("open" in memory_at(memory, path) for path in self.segments)

    def forward(self, x: Array, rng: Rng | None) -> tuple[Array, Memory]:
        """One training step's output, and a memory of the model's shape."""
        memory: Memory = {}
        for step in self.steps:
            if step.segment is None:
                x, own = step.layer.forward(x, True, rng)
                put(memory, step.path, own)
                continue
            x, own = training.forward(step.segment, x, step.dropouts, rng)
            put(memory, step.path, own)
            put(memory, step.linear_path, {})
            for path, _ in step.between:
                put(memory, path, {})
        return x, memory

    def backward(
        self, grad: Array, memory: Memory, grad_gate: Any, need_x: bool = True
    ) -> tuple[Array | None, Grads]:
        """``dL/dx`` (None unless needed), and the gradients of all parameters by name."""
        require(grad_gate is None or isinstance(grad_gate, dict), "grad_gate",
                type(grad_gate).__name__, "a dict keyed by layer path, such as {'0': ...}")
        pulls: dict[str, Array] = grad_gate or {}
        strange = [path for path in pulls if path not in self.gated]
        require(not strange, "grad_gate", strange, f"paths of gated layers: {self.gated}")
        grads: Grads = {}
        result: Array | None = grad
        last = next((i for i, step in enumerate(self.steps) if step.layer.params), 0)
        for i in range(len(self.steps) - 1, -1, -1):
            step = self.steps[i]
            own, pull = memory_at(memory, step.path), pulls.get(step.path)
            wanted = need_x or i > last
            if result is None:
                break
            if step.segment is not None:
                result, first, second = training.backward(
                    step.segment, result, own, step.dropouts, pull, wanted)
                grads |= named(step.path, first) | named(step.linear_path, second)
            elif wanted:
                result, first = step.layer.backward(result, own, pull)
                grads |= named(step.path, first)
            else:
                grads |= named(step.path, step.layer.backward_params(result, own, pull))
                result = None
        return result, grads

    def touched(self, memory: Memory) -> dict[str, Array]:
        """Which rows of which parameters this batch reached: neurons that somebody opened."""
        rows: dict[str, Array] = {}
        for path, (segment, linear_path) in self.segments.items():
            opened = memory_at(memory, path)["open"]["places"].touched()
            n_out = segment.linear.n_out
            rows |= {f"{path}.bias": opened}
            if segment.gated.n_in > 1 and segment.gated.n_out > 1:
                rows |= {f"{path}.weight": opened}
            if segment.gated.light is None and n_out > 1 and segment.gated.n_out > 1:
                rows |= {f"{linear_path}.weight": opened}
        return rows


def named(path: str, grads: Grads) -> Grads:
    """Gradients under the names that a sequential gives them."""
    return {f"{path}.{name}" if path else name: value for name, value in grads.items()}
