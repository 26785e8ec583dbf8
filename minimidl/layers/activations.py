"""Activations: one scalar function each, and its derivative beside it.

The functions are pairs ``f(u) -> value`` and ``f_slope(u, value) -> df/du``; the layers wrap them,
and gated layers use the same pairs for their own ``activation=``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.decision import Pull
from minimidl.gates.logistic import logistic
from minimidl.gates.special import erf
from minimidl.layers.base import Layer

SQRT_HALF = math.sqrt(0.5)
SQRT_TWO_OVER_PI = math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715


def relu(u: Array) -> Array:
    """``max(u, 0)``."""
    return np.maximum(u, 0)


def relu_slope(u: Array, value: Array) -> Array:
    """``1[u > 0]``; the kink at 0 takes the slope of the closed side."""
    return (u > 0).astype(u.dtype)


def gelu(u: Array) -> Array:
    """``u Phi(u)`` with the exact normal distribution (Hendrycks and Gimpel 2016)."""
    return u * (0.5 * (1.0 + erf(u * SQRT_HALF)))


def gelu_slope(u: Array, value: Array) -> Array:
    """``Phi(u) + u phi(u)``."""
    density = np.exp(-0.5 * u * u) * (SQRT_HALF / math.sqrt(math.pi))
    return 0.5 * (1.0 + erf(u * SQRT_HALF)) + u * density


def gelu_tanh(u: Array) -> Array:
    """``u/2 (1 + tanh(sqrt(2/pi) (u + 0.044715 u^3)))``, the cheaper form of the same paper."""
    return 0.5 * u * (1.0 + np.tanh(SQRT_TWO_OVER_PI * (u + GELU_CUBIC * u * u * u)))


def gelu_tanh_slope(u: Array, value: Array) -> Array:
    """Product rule on :func:`gelu_tanh`, with ``tanh' = 1 - tanh^2``."""
    t = np.tanh(SQRT_TWO_OVER_PI * (u + GELU_CUBIC * u * u * u))
    inner_slope = SQRT_TWO_OVER_PI * (1.0 + 3.0 * GELU_CUBIC * u * u)
    return 0.5 * (1.0 + t) + 0.5 * u * (1.0 - t * t) * inner_slope


def tanh_slope(u: Array, value: Array) -> Array:
    """``1 - tanh^2``, from the value alone."""
    return 1.0 - value * value


def sigmoid_slope(u: Array, value: Array) -> Array:
    """``s(u) s(-u)``; not ``s (1 - s)``, which rounds to 0 too early."""
    return value * logistic(-u)


def linear(u: Array) -> Array:
    """``u``: no activation."""
    return u


def linear_slope(u: Array, value: Array) -> Array:
    """1."""
    return np.ones_like(u)


class Activation(NamedTuple):
    """A scalar function and its slope."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(relu, relu_slope),
    "gelu": Activation(gelu, gelu_slope),
    "gelu-tanh": Activation(gelu_tanh, gelu_tanh_slope),
    "tanh": Activation(np.tanh, tanh_slope),
    "sigmoid": Activation(logistic, sigmoid_slope),
    "linear": Activation(linear, linear_slope),
}


def activation(name: str) -> Activation:
    """Look an activation up by name; raises InputError with the known names."""
    require(name in ACTIVATIONS, "activation", repr(name), f"one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


class Elementwise(Layer):
    """A layer that applies one scalar function to every entry; no parameters."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = activation(name)

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """``y = f(x)``, entry by entry."""
        self.check_input(x)
        value = self.function.value(x)
        return value, {"x": x, "value": value}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """``dx = dy f'(x)``."""
        require_like(grad_output, memory["x"], "grad_output")
        return grad_output * self.function.slope(memory["x"], memory["value"]), {}


class ReLU(Elementwise):
    """Rectifier ``max(x, 0)``."""

    def __init__(self) -> None:
        super().__init__("relu")


class GELU(Elementwise):
    """Gaussian error linear unit; ``form`` is ``"exact"`` or ``"tanh"``."""

    def __init__(self, form: str = "exact") -> None:
        require(form in ("exact", "tanh"), "form", repr(form), "'exact' or 'tanh'")
        super().__init__("gelu" if form == "exact" else "gelu-tanh")


class Tanh(Elementwise):
    """Hyperbolic tangent."""

    def __init__(self) -> None:
        super().__init__("tanh")


class Sigmoid(Elementwise):
    """Logistic function ``1 / (1 + exp(-x))``."""

    def __init__(self) -> None:
        super().__init__("sigmoid")
