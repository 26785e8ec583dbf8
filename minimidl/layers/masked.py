"""Layers in which most connections are missing, and stay missing: structural sparsity.

    y = x (W * M) + b,    dL/dW = M * (x^T dy),    M zeros and ones, the same for every sample

Who sets the mask (at random, by magnitude, by rewiring) is no matter of the layer. A dead weight
has gradient 0, bit for bit, and never counts, whatever an optimiser's momentum made of it.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_batch
from minimidl.gates.decision import Pull
from minimidl.layers.base import Layer
from minimidl.layers.initial import Seed, start_weight
from minimidl.seeds import make_rng


class Upstream:
    """What the last backward was given; the one thing in a memory that a backward writes.

    Written again by every backward of the same memory: the same gradient leaves the same note.
    """

    grad_u: Array | None = None


class Masked(Layer):
    """What all masked layers have; a mixin in front of the layer that is masked.

    State: ``mask``, boolean, of the shape and memory order of ``params["weight"]``; rewiring
    changes it in place.
    """

    @property
    def mask(self) -> Array:
        """``M``, ``(n_in, n_units)`` boolean: the live connections. Change it in place."""
        return self.state["mask"]

    @property
    def density(self) -> float:
        """Share of live connections."""
        return float(self.mask.mean())

    def start_mask(self, density: float, rng: Rng, scale_init: bool) -> None:
        """Draw the mask, and start dead weights at 0 (live ones wider, where that is asked)."""
        weight = self.params["weight"]
        mask = np.zeros_like(weight, dtype=bool)  # the same order in memory
        mask[...] = random_mask(weight.shape, density, rng)
        self.state = self.state | {"mask": mask}  # a chooser's state stays its own
        np.copyto(weight, 0, where=~mask)
        if scale_init:
            weight /= np.sqrt(weight.dtype.type(density))

    def live_weight(self) -> Array:
        """``W * M``, a new array."""
        live: Array = self.params["weight"] * self.mask
        return live

    def live_gradient(self, full: Array) -> Array:
        """``M * dL/d(W * M)``, in place."""
        with np.errstate(invalid="ignore"):  # inf * 0 of a diverged loss, which others tell of
            full *= self.mask
        return full

    def dense_gradient(self, memory: Memory) -> Array:
        """``dL/d(W * M) = x^T du`` of the last backward with this memory, dead weights too.

        It says how much a dead connection would help, were it alive: what RigL grows by.

        Returns:
            ``(n_in, n_units)``, a new array.

        Raises:
            InputError: this memory has seen no backward.

        """
        grad_u = memory["upstream"].grad_u
        require(grad_u is not None, "memory", "one without a backward",
                "the memory of a forward that backward was called with")
        return self.weight_gradient(memory["x"], grad_u)

    @abstractmethod
    def weight_gradient(self, x: Array, grad_u: Array) -> Array:
        """``x^T du``, in the memory order of the weight."""


class MaskedLinear(Masked):
    """The linear layer with missing connections: ``y = x (W * M) + b``.

    Args:
        n_in: input width.
        n_out: output width.
        density: share of live connections at the start, in (0, 1]: exactly
            ``round(density * n_in * n_out)`` of them, at random places.
        init: starting weights, as of :class:`minimidl.layers.Linear`.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator; the same one gives the weights of the linear layer.
        scale_init: divide the starting weights by ``sqrt(density)``, so that the sum over the
            fewer live inputs is as wide as the sum over all was.

    Params: ``weight (n_in, n_out)``, ``bias (n_out,)``. State: ``mask``.

    Raises:
        InputError: density outside (0, 1], or so low that no connection is left.

    """

    def __init__(
        self, n_in: int, n_out: int, *, density: float = 1.0, init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: Seed = 0, scale_init: bool = False,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out, rng = n_in, n_out, make_rng(seed)
        self.params = {
            "weight": start_weight(init, rng, n_in, n_out, dtype),
            "bias": np.zeros(n_out, dtype),
        }
        self.start_mask(density, rng, scale_init)

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """``y = x (W * M) + b``."""
        self.check_input(x)
        output = x @ self.live_weight()
        output += self.params["bias"]
        return output, {"x": x, "upstream": Upstream()}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """``dx = dy (W * M)^T``, ``dW = M * (x^T dy)``, ``db = sum over the batch of dy``."""
        grads = self.backward_params(grad_output, memory)
        return grad_output @ self.live_weight().T, grads

    def backward_params(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> Grads:
        """``dW`` and ``db`` alone."""
        require_batch(grad_output, self.n_out, self.params["bias"].dtype, "grad_output")
        memory["upstream"].grad_u = grad_output
        weight = self.live_gradient(self.weight_gradient(memory["x"], grad_output))
        return {"weight": weight, "bias": grad_output.sum(axis=0)}

    def weight_gradient(self, x: Array, grad_u: Array) -> Array:
        """``x^T dy``."""
        product: Array = x.T @ grad_u
        return product


def random_mask(shape: tuple[int, ...], density: float, rng: Rng) -> Array:
    """Boolean mask with exactly ``round(density * size)`` ones, all places equally likely.

    Raises InputError for a density outside (0, 1], or one that leaves no connection.
    """
    require(0 < density <= 1, "density", density, "a share of live connections in (0, 1]")
    size = int(np.prod(shape))
    live = round(density * size)
    require(live >= 1, "density", density, f"at least one of the {size} connections",
            "raise the density")
    mask = np.zeros(size, bool)
    mask[rng.permutation(size)[:live]] = True
    return mask.reshape(shape)
