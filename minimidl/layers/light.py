"""Light paths: what a neuron answers when its gate is closed.

All keep ``forward(x) -> (light, memory)`` and ``backward(grad, memory) -> (grad_x, grads)``. The
zero path is no object at all but ``None``: nothing is computed, nothing is added, no derivative
exists. Light paths have no activation, so a low-rank one can later be folded into the next layer.
"""

from __future__ import annotations

import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require
from minimidl.gates.nets import AffineNet, LowRankNet

LIGHT_PATHS = ("zero", "identity", "low-rank", "linear")


class IdentityPath:
    """``light = x``; the layer must be as wide as its input."""

    def __init__(self, n_in: int, n_out: int) -> None:
        require(n_in == n_out, "light", f"'identity' from {n_in} to {n_out} units",
                "equal widths", "use light='low-rank' where widths differ")
        self.params: dict[str, Array] = {}

    def forward(self, x: Array) -> tuple[Array, Memory]:
        """``light = x``, a copy."""
        return x.copy(), {}

    def backward(self, grad_output: Array, memory: Memory) -> tuple[Array, Grads]:
        """``dx = dlight``."""
        return grad_output.copy(), {}

    def macs(self) -> int:
        """Nothing is multiplied."""
        return 0


LightPath = IdentityPath | LowRankNet | AffineNet


def light_path(
    kind: str, n_in: int, n_out: int, *, rank: int, seed: int | Rng, dtype: npt.DTypeLike
) -> LightPath | None:
    """Build a light path by name; ``"zero"`` is None."""
    require(kind in LIGHT_PATHS, "light", repr(kind), f"one of {', '.join(LIGHT_PATHS)}")
    if kind == "identity":
        return IdentityPath(n_in, n_out)
    if kind == "low-rank":
        return LowRankNet(n_in, n_out, rank=rank, seed=seed, dtype=dtype)
    if kind == "linear":
        return AffineNet(n_in, n_out, seed=seed, dtype=dtype)
    return None
