"""Small layers with known faults, for testing the checker itself."""

from __future__ import annotations

import numpy as np


class Square:
    """A sound layer: ``y = s x^2``."""

    def __init__(self) -> None:
        self.params = {"s": np.array([0.7, -1.3, 0.4])}
        self.state = {"calls": np.array(0.0)}

    def forward(self, x, training=False, rng=None):
        return self.params["s"] * x * x, {"x": x}

    def backward(self, grad_output, memory, grad_gate=None):
        x = memory["x"]
        return grad_output * 2 * self.params["s"] * x, {"s": (grad_output * x * x).sum(axis=0)}


class Forgets(Square):
    """The factor 2 of the square is lost."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        return grad_x / 2, grads


class NearlyRight(Square):
    """Wrong by one part in a hundred thousand, in one entry."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        grad_x[0, 1] *= 1 + 1e-5
        return grad_x, grads


class Accumulates(Square):
    """Backward adds up over calls."""

    def __init__(self) -> None:
        super().__init__()
        self.total = np.zeros(3)

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        self.total = self.total + grads["s"]
        return grad_x, {"s": self.total}


class SpoilsMemory(Square):
    """Backward uses the memory as scratch space."""

    def backward(self, grad_output, memory, grad_gate=None):
        found = super().backward(grad_output, memory)
        memory["x"] = memory["x"] * 2
        return found


class SpoilsCotangent(Square):
    """Backward scales the caller's gradient in place."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_output *= 1.0 + 1e-9
        return super().backward(grad_output, memory)


class SpoilsInput(Square):
    """Forward normalises its input in place."""

    def forward(self, x, training=False, rng=None):
        x -= 1e-12
        return super().forward(x)


class SpoilsState(Square):
    """Forward counts in the state."""

    def forward(self, x, training=False, rng=None):
        self.state["calls"] += 1
        return super().forward(x)


class GlobalRandomness(Square):
    """Forward draws from its own generator, so it cannot be repeated."""

    rng = np.random.default_rng(0)

    def forward(self, x, training=False, rng=None):
        output, memory = super().forward(x)
        return output + self.rng.normal(size=output.shape), memory


class NoKey(Square):
    """One parameter has no gradient."""

    def backward(self, grad_output, memory, grad_gate=None):
        return super().backward(grad_output, memory)[0], {}


class UnknownKey(Square):
    """A gradient of something that is no parameter."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        return grad_x, grads | {"old_name": grads["s"]}


class WrongShape(Square):
    """A bias-like gradient that keeps its batch axis."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        return grad_x, {"s": grads["s"][None, :]}


class WrongDtype(Square):
    """Silently float32."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        return grad_x.astype(np.float32), grads


class GivesNan(Square):
    """One entry is NaN, which no comparison with a tolerance would notice."""

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        grad_x[1, 1] = np.nan
        return grad_x, grads


class Dead(Square):
    """A parameter that does nothing: analytic and numeric gradient agree that it is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.params["unused"] = np.ones(2)

    def backward(self, grad_output, memory, grad_gate=None):
        grad_x, grads = super().backward(grad_output, memory)
        return grad_x, grads | {"unused": np.zeros(2)}


FAULTS = {
    Forgets: "x: analytic", NearlyRight: "x: analytic", Accumulates: "backward twice",
    SpoilsMemory: "memory was changed", SpoilsCotangent: "grad_output was changed",
    SpoilsInput: "an input, a parameter", SpoilsState: "an input, a parameter or a state",
    GlobalRandomness: "forward twice", NoKey: "s: no gradient", UnknownKey: "old_name: gradient of",
    WrongShape: "s: gradient of shape (1, 3)", WrongDtype: "x: gradient of dtype float32",
    GivesNan: "x: gradient not finite", Dead: "unused: gradient is 0",
}
