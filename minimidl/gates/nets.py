"""Gate networks: small maps from a layer's input to one score per gate.

They are fed by the layer's *input*: a gate computed from a layer's output cannot save that layer.
They keep the layer protocol (``forward``, ``backward``, ``params``), so they also serve as light
paths.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_batch, require_finite
from minimidl.seeds import make_rng


class AffineNet:
    """``z = x W + b``: as expensive as the layer it gates, unless its gates are blocks.

    Args:
        n_in: input width.
        n_out: number of outputs (gates).
        spread: standard deviation of the starting scores for inputs of unit variance.
        start: starting value of the bias.
        seed: whole number or generator.
        dtype: of the parameters.

    Params: ``weight (n_in, n_out)``, ``bias (n_out,)``.

    """

    def __init__(
        self, n_in: int, n_out: int, *, spread: float = 1.0, start: float = 0.0,
        seed: int | Rng = 0, dtype: npt.DTypeLike = np.float32,
    ) -> None:
        rng = make_rng(seed)
        self.n_in, self.n_out = n_in, n_out
        self.params: dict[str, Array] = {
            "weight": rng.normal(0, spread / np.sqrt(n_in), (n_in, n_out)).astype(dtype),
            "bias": np.full(n_out, start, dtype),
        }

    def forward(self, x: Array) -> tuple[Array, Memory]:
        """``z = x W + b``, ``(batch, n_out)``."""
        require_batch(x, self.n_in, self.params["bias"].dtype)
        return x @ self.params["weight"] + self.params["bias"], {"x": x}

    def backward(self, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        """``dx = dz W^T``, ``dW = x^T dz``, ``db = sum of dz``."""
        grads = {"weight": memory["x"].T @ grad_output, "bias": grad_output.sum(axis=0)}
        return grad_output @ self.params["weight"].T, grads

    def macs(self) -> int:
        """Multiply-accumulates per sample: ``n_in * n_out``."""
        return self.n_in * self.n_out


class LowRankNet:
    """``z = (x A) B + b`` with a narrow middle: a gate cheap enough to pay for itself.

    Args:
        n_in: input width.
        n_out: number of outputs (gates).
        rank: width of the middle, at least 1.
        spread: standard deviation of the starting scores for inputs of unit variance.
        start: starting value of the bias.
        seed: whole number or generator.
        dtype: of the parameters.

    Params: ``down (n_in, rank)``, ``up (rank, n_out)``, ``bias (n_out,)``.

    """

    def __init__(
        self, n_in: int, n_out: int, *, rank: int = 8, spread: float = 1.0, start: float = 0.0,
        seed: int | Rng = 0, dtype: npt.DTypeLike = np.float32,
    ) -> None:
        require(rank >= 1, "rank", rank, "a width of at least 1")
        rng = make_rng(seed)
        self.n_in, self.n_out, self.rank = n_in, n_out, rank
        self.params: dict[str, Array] = {
            "down": rng.normal(0, 1 / np.sqrt(n_in), (n_in, rank)).astype(dtype),
            "up": rng.normal(0, spread / np.sqrt(rank), (rank, n_out)).astype(dtype),
            "bias": np.full(n_out, start, dtype),
        }

    def forward(self, x: Array) -> tuple[Array, Memory]:
        """``z = (x A) B + b``, ``(batch, n_out)``."""
        require_batch(x, self.n_in, self.params["bias"].dtype)
        middle = x @ self.params["down"]  # (batch, rank)
        return middle @ self.params["up"] + self.params["bias"], {"x": x, "middle": middle}

    def backward(self, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        """Chain rule through the two products."""
        grad_middle = grad_output @ self.params["up"].T  # (batch, rank)
        grads = {
            "down": memory["x"].T @ grad_middle,
            "up": memory["middle"].T @ grad_output,
            "bias": grad_output.sum(axis=0),
        }
        return grad_middle @ self.params["down"].T, grads

    def macs(self) -> int:
        """Multiply-accumulates per sample: ``rank * (n_in + n_out)``."""
        return self.rank * (self.n_in + self.n_out)


class StaticNet:
    """``z = b``: the same scores for every input. One learned mask, which is structured pruning.

    Args:
        n_in: input width, for checking only.
        n_out: number of outputs (gates).
        spread: standard deviation of the starting scores. Equal scores with equal gradients would
            all cross a threshold in the same step, so 0 is rarely what you want.
        start: mean of the starting scores.
        seed: whole number or generator.
        dtype: of the parameters.

    Params: ``bias (n_out,)``.

    """

    def __init__(
        self, n_in: int, n_out: int, *, spread: float = 1.0, start: float = 0.0,
        seed: int | Rng = 0, dtype: npt.DTypeLike = np.float32,
    ) -> None:
        rng = make_rng(seed)
        self.n_in, self.n_out = n_in, n_out
        self.params: dict[str, Array] = {"bias": rng.normal(start, spread, n_out).astype(dtype)}

    def forward(self, x: Array) -> tuple[Array, Memory]:
        """``z = b`` for every row, ``(batch, n_out)``."""
        require_batch(x, self.n_in, self.params["bias"].dtype)
        require_finite(x, "x")  # the scores cannot tell
        return np.tile(self.params["bias"], (len(x), 1)), {"shape": x.shape}

    def backward(self, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        """``db = sum of dz``; the input has no part in it."""
        return np.zeros(memory["shape"], grad_output.dtype), {"bias": grad_output.sum(axis=0)}

    def macs(self) -> int:
        """Nothing is multiplied."""
        return 0


class MlpNet:
    """``z = tanh(x A + c) B + b``: a low-rank gate with a bend in the middle.

    Args:
        n_in: input width.
        n_out: number of outputs (gates).
        rank: hidden units, at least 1.
        spread: standard deviation of the starting scores for inputs of unit variance, roughly.
        start: starting value of the bias.
        seed: whole number or generator.
        dtype: of the parameters.

    Params: ``down (n_in, rank)``, ``hidden (rank,)``, ``up (rank, n_out)``, ``bias (n_out,)``.

    """

    def __init__(
        self, n_in: int, n_out: int, *, rank: int = 8, spread: float = 1.0, start: float = 0.0,
        seed: int | Rng = 0, dtype: npt.DTypeLike = np.float32,
    ) -> None:
        linear = LowRankNet(n_in, n_out, rank=rank, spread=spread, start=start, seed=seed,
                            dtype=dtype)
        self.n_in, self.n_out, self.rank = n_in, n_out, rank
        down, up, bias = linear.params.values()
        self.params: dict[str, Array] = {
            "down": down, "hidden": np.zeros(rank, dtype), "up": up, "bias": bias,
        }

    def forward(self, x: Array) -> tuple[Array, Memory]:
        """``z = tanh(x A + c) B + b``, ``(batch, n_out)``."""
        require_batch(x, self.n_in, self.params["bias"].dtype)
        require_finite(x, "x")  # tanh would hide an infinity
        middle = np.tanh(x @ self.params["down"] + self.params["hidden"])  # (batch, rank)
        return middle @ self.params["up"] + self.params["bias"], {"x": x, "middle": middle}

    def backward(self, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        """Chain rule through both products, with ``tanh' = 1 - tanh^2`` between them."""
        middle = memory["middle"]
        grad_u = (grad_output @ self.params["up"].T) * (1 - middle * middle)  # (batch, rank)
        grads = {
            "down": memory["x"].T @ grad_u, "hidden": grad_u.sum(axis=0),
            "up": middle.T @ grad_output, "bias": grad_output.sum(axis=0),
        }
        return grad_u @ self.params["down"].T, grads

    def macs(self) -> int:
        """Multiply-accumulates per sample: ``rank * (n_in + n_out)``."""
        return self.rank * (self.n_in + self.n_out)


GateNet = StaticNet | AffineNet | LowRankNet | MlpNet
GATE_NETS = ("static", "linear", "low-rank", "mlp")


def gate_net(
    kind: str, n_in: int, n_gates: int, *, rank: int, spread: float, start: float,
    seed: int | Rng, dtype: npt.DTypeLike,
) -> GateNet:
    """Build a gate network by name: ``"static"``, ``"linear"``, ``"low-rank"`` or ``"mlp"``."""
    require(kind in GATE_NETS, "gate", repr(kind), f"one of {', '.join(GATE_NETS)}")
    require(0 <= spread < np.inf, "spread", spread, "a number of at least 0")
    rng = make_rng(seed)
    if kind == "static":
        return StaticNet(n_in, n_gates, spread=spread, start=start, seed=rng, dtype=dtype)
    if kind == "linear":
        return AffineNet(n_in, n_gates, spread=spread, start=start, seed=rng, dtype=dtype)
    net = LowRankNet if kind == "low-rank" else MlpNet
    return net(n_in, n_gates, rank=rank, spread=spread, start=start, seed=rng, dtype=dtype)
