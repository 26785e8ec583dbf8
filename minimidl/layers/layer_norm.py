"""Layer norm (Ba, Kiros and Hinton 2016, eq. 3): every sample to mean 0 and variance 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.decision import Pull
from minimidl.layers.base import Layer


class LayerNorm(Layer):
    """``y = scale * (x - mean) / sqrt(variance + epsilon) + shift``, over the features of a row.

    Args:
        n: width in and out.
        epsilon: keeps a constant row finite.
        dtype: of the parameters.

    Params: ``scale (n,)`` starts at 1, ``bias (n,)`` at 0.

    """

    def __init__(
        self, n: int, *, epsilon: float = 1e-5, dtype: npt.DTypeLike = np.float32
    ) -> None:
        super().__init__()
        require(n >= 1, "n", n, "a width of at least 1")
        require(epsilon > 0, "epsilon", epsilon, "a positive number")
        self.n_in = self.n_out = n
        self.epsilon = epsilon
        self.params = {"scale": np.ones(n, dtype), "bias": np.zeros(n, dtype)}

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Normalise each row, then scale and shift each feature."""
        self.check_input(x)
        centred = x - x.mean(axis=1, keepdims=True)
        variance = np.mean(centred * centred, axis=1, keepdims=True)
        inverse_std = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))  # (batch, 1)
        normal = centred * inverse_std
        output = normal * self.params["scale"] + self.params["bias"]
        return output, {"normal": normal, "inverse_std": inverse_std}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """Project out what normalising removes: the mean, and the direction of the row itself.

        With ``g = dy * scale``: ``dx = (g - mean(g) - normal * mean(g * normal)) / std``.
        """
        normal = memory["normal"]
        require_like(grad_output, normal, "grad_output")
        g = grad_output * self.params["scale"]
        along = np.mean(g * normal, axis=1, keepdims=True)
        grad_x = (g - g.mean(axis=1, keepdims=True) - normal * along) * memory["inverse_std"]
        grads = {"scale": (grad_output * normal).sum(axis=0), "bias": grad_output.sum(axis=0)}
        return grad_x, grads
