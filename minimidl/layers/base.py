"""The protocol that every layer keeps: functional, explicit, no tape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_batch
from minimidl.gates.decision import Pull


class Layer(ABC):
    """A differentiable map of row vectors: ``(batch, n_in) -> (batch, n_out)``.

    Attributes:
        n_in: width of the input; 0 means any width, the output is then as wide as the input.
        n_out: width of the output.
        params: trained arrays by name. Optimisers change them in place; they are never rebound.
        state: saved but not trained (masks, thresholds, temperatures): always arrays, 0-d for one
            number, also changed in place.
        idle_memory: the memory of an evaluation in which the layer is the identity, so that an
            executor can leave it out; None for a layer that does something.

    """

    n_in: int = 0
    n_out: int = 0
    idle_memory: Memory | None = None

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.state: dict[str, Array] = {}

    @abstractmethod
    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Compute the output, and keep in the memory what :meth:`backward` needs.

        Args:
            x: ``(batch, n_in)``, dtype of the parameters; never modified.
            training: whether the layer may behave randomly or softly, as in training.
            rng: source of randomness, needed by layers that draw.

        Raises:
            InputError: wrong shape or dtype, or a missing ``rng``.

        """

    @abstractmethod
    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """Pull ``dL/d(output)`` back to the input and to every parameter.

        Args:
            grad_output: ``(batch, n_out)``; never modified.
            memory: from :meth:`forward`; it may be used twice and gives bitwise the same answer.
            grad_gate: what budgets want, for gated layers only: ``dL/d(gate probability)``, or a
                :class:`minimidl.gates.GateGradient` that pulls on scores or gate values too.

        Returns:
            ``dL/dx`` and gradients with the keys and shapes of :attr:`params`.

        """

    def backward_params(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> Grads:
        """The gradients of :meth:`backward` without ``dL/dx``, which nobody asks of a first layer.

        Layers where ``dL/dx`` is a large part of the work leave it out here; the gradients are bit
        for bit the same.
        """
        return self.backward(grad_output, memory, grad_gate)[1]

    def __init_subclass__(cls, **options: Any) -> None:
        """Whoever writes a new ``backward`` does not inherit the short cut of another one."""
        super().__init_subclass__(**options)
        if "backward" in cls.__dict__ and "backward_params" not in cls.__dict__:
            cls.backward_params = Layer.backward_params  # type: ignore[method-assign]

    @property
    def dtype(self) -> np.dtype[np.generic] | None:
        """The parameters' dtype; None for a layer without parameters."""
        return next((p.dtype for p in self.params.values()), None)

    def check_input(self, x: Array) -> None:
        """Raise :class:`InputError` unless ``x`` fits this layer."""
        if self.n_in:
            require_batch(x, self.n_in, self.dtype or x.dtype)
        else:
            shape = getattr(x, "shape", None)
            require(shape is not None and len(shape) == 2, "x", f"shape {shape}",
                    "(batch, features)")


def need_rng(rng: Rng | None, layer: str) -> Rng:
    """Return ``rng``, or say that a random layer was trained without one."""
    require(rng is not None, "rng", None, f"a numpy.random.Generator: {layer} draws in training",
            "pass rng=numpy.random.default_rng(seed)")
    assert rng is not None  # for the type checker; require has raised otherwise
    return rng
