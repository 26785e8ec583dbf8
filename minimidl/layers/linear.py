"""The linear layer: ``y = x W + b``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require_batch
from minimidl.gates.decision import Pull
from minimidl.layers.base import Layer
from minimidl.layers.initial import Seed, start_weight


class Linear(Layer):
    """Affine map of row vectors.

    Args:
        n_in: input width.
        n_out: output width.
        init: ``"he"``, ``"xavier"`` or ``"orthogonal"``.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator for the starting weights.

    Params: ``weight (n_in, n_out)``, ``bias (n_out,)``.

    """

    def __init__(
        self, n_in: int, n_out: int, *, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: Seed = 0,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out = n_in, n_out
        self.params = {
            "weight": start_weight(init, seed, n_in, n_out, dtype),
            "bias": np.zeros(n_out, dtype),
        }

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """``y = x W + b``."""
        self.check_input(x)
        output = x @ self.params["weight"]
        output += self.params["bias"]
        return output, {"x": x}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """``dx = dy W^T``, ``dW = x^T dy``, ``db = sum over the batch of dy``."""
        grads = self._grads(grad_output, memory)
        return grad_output @ self.params["weight"].T, grads

    def backward_params(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> Grads:
        """``dW`` and ``db`` alone."""
        return self._grads(grad_output, memory)

    def _grads(self, grad_output: Array, memory: Memory) -> Grads:
        require_batch(grad_output, self.n_out, self.params["bias"].dtype, "grad_output")
        return {"weight": memory["x"].T @ grad_output, "bias": grad_output.sum(axis=0)}
