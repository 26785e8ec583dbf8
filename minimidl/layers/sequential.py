"""Layers one after the other; sequentials may hold sequentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.decision import Pull
from minimidl.layers.base import Layer
from minimidl.layers.gated import Gated


class Sequential(Layer):
    """``layers[-1](... layers[0](x))``.

    Parameter names are prefixed by position: ``"0.weight"``, nested ``"1.0.weight"``. The memory is
    a dict of the layers' memories by position; ``grad_gate`` a dict keyed by layer path.

    Raises:
        InputError: no layers, or neighbours whose widths do not fit.

    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        require(len(layers) > 0, "layers", "none", "at least one layer")
        self.layers = list(layers)
        self._check_widths()
        for position, layer in enumerate(layers):
            self.params |= {f"{position}.{name}": value for name, value in layer.params.items()}
            self.state |= {f"{position}.{name}": value for name, value in layer.state.items()}

    def _check_widths(self) -> None:
        width = 0  # 0: not fixed yet
        for position, layer in enumerate(self.layers):
            require(not (width and layer.n_in) or width == layer.n_in, f"layer {position}",
                    f"{type(layer).__name__} with input width {layer.n_in}", f"width {width}")
            self.n_in = self.n_in or layer.n_in
            width = layer.n_out or width
        self.n_out = width

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Run the layers in order."""
        memory: Memory = {}
        for position, layer in enumerate(self.layers):
            x, memory[str(position)] = layer.forward(x, training, rng)
        return x, memory

    def backward(
        self, grad_output: Array, memory: Memory,
        grad_gate: Pull | dict[str, Pull] | None = None,
    ) -> tuple[Array, Grads]:
        """Run the layers' backward passes in reverse order (the chain rule).

        Raises InputError when ``grad_gate`` is no dict, or names a path without a gated layer.
        """
        grad_x, by_layer = self._back_to(0, grad_output, memory, self._by_path(grad_gate))
        return grad_x, prefixed(by_layer)

    def backward_params(
        self, grad_output: Array, memory: Memory,
        grad_gate: Pull | dict[str, Pull] | None = None,
    ) -> Grads:
        """As :meth:`backward`, but it goes no further back than the first layer with parameters."""
        by_path = self._by_path(grad_gate)
        first = next((i for i, layer in enumerate(self.layers) if layer.params), None)
        if first is None:
            return {}
        grad_output, by_layer = self._back_to(first + 1, grad_output, memory, by_path)
        layer = self.layers[first]
        by_layer[first] = layer.backward_params(
            grad_output, memory[str(first)], grad_gate_for(layer, first, by_path))
        return prefixed(by_layer)

    def _back_to(
        self, first: int, grad_output: Array, memory: Memory, by_path: dict[str, Pull]
    ) -> tuple[Array, list[Grads]]:
        """Back through all layers from ``first`` on: ``dL/d(its input)``, gradients by layer."""
        by_layer: list[Grads] = [{} for _ in self.layers]
        for position in reversed(range(first, len(self.layers))):
            layer = self.layers[position]
            mine = grad_gate_for(layer, position, by_path)
            grad_output, by_layer[position] = layer.backward(
                grad_output, memory[str(position)], mine)
        return grad_output, by_layer

    def _by_path(self, grad_gate: Pull | dict[str, Pull] | None) -> dict[str, Pull]:
        """``grad_gate`` as a dict. A path that is not there would silently do nothing: refuse."""
        require(grad_gate is None or isinstance(grad_gate, dict), "grad_gate",
                type(grad_gate).__name__, "a dict keyed by layer path, such as {'0': ...}")
        by_path: dict[str, Pull] = grad_gate if isinstance(grad_gate, dict) else {}
        if by_path:
            gated = gated_layers(self)
            strange = [path for path in by_path if path not in gated]
            require(not strange, "grad_gate", strange, f"paths of gated layers: {list(gated)}")
        return by_path


def prefixed(by_layer: list[Grads]) -> Grads:
    """One dict of all gradients, names prefixed by position."""
    return {f"{position}.{name}": value
            for position, grads in enumerate(by_layer) for name, value in grads.items()}


def grad_gate_for(
    layer: Layer, position: int, by_path: dict[str, Pull]
) -> Any:
    """The part of ``grad_gate`` that belongs to one layer: an array, or a dict one level down."""
    if isinstance(layer, Sequential):
        prefix = f"{position}."
        return {path[len(prefix):]: g for path, g in by_path.items() if path.startswith(prefix)}
    return by_path.get(str(position))


def leaves(model: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """Walk the layers that are not sequentials, in order, as ``(path, layer)``.

    The path of a model that is itself a single layer is the empty string.
    """
    if not isinstance(model, Sequential):
        yield path, model
        return
    for position, layer in enumerate(model.layers):
        yield from leaves(layer, f"{path}.{position}" if path else str(position))


def gated_layers(model: Layer) -> dict[str, Gated]:
    """All gated layers of a model by path, in order."""
    return {path: layer for path, layer in leaves(model) if isinstance(layer, Gated)}


def memory_at(memory: Memory, path: str) -> Memory:
    """The memory of the layer at ``path`` inside the memory of a model."""
    for step in path.split(".") if path else ():
        memory = memory[step]
    return memory
