"""Changes of inputs that draw nothing: the world looks different, but it does not tremble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.data.noise import as_pictures, check_seed, require_picture
from minimidl.errors import require


@dataclass(frozen=True)
class Contrast:
    """Stretch every row about its own mean: ``mean + factor * (x - mean)``.

    Args:
        factor: below 1 pale, above 1 harsh, 0 flat.

    """

    factor: float

    def __post_init__(self) -> None:
        require(0 <= self.factor < np.inf, "factor", self.factor, "a number of at least 0")

    def __call__(self, x: Array, rng: Rng) -> Array:
        """Stretch; nothing is drawn."""
        mean = x.mean(axis=1, keepdims=True)
        return mean + x.dtype.type(self.factor) * (x - mean)


@dataclass(frozen=True)
class PermutedFeatures:
    """Shuffle a share of the features, the same way for every sample and every batch.

    Args:
        share: of the features that take part, in [0, 1]; at least two move unless it is 0.
        seed: of the shuffle.

    """

    share: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share", self.share, "a share in [0, 1]")
        check_seed(self.seed)

    def order(self, n_features: int) -> Array:
        """Where every feature comes from, ``(n_features,)``: one cycle, so all of them move."""
        order = np.arange(n_features)
        wanted = round(self.share * n_features)
        chosen = np.random.default_rng(self.seed).permutation(n_features)
        chosen = chosen[:max(2, wanted) if self.share else 0]
        order[chosen] = np.roll(chosen, 1)
        return order

    def __call__(self, x: Array, rng: Rng) -> Array:
        """Shuffle; drawn from ``rng``, every batch would have a shuffle of its own."""
        return x[:, self.order(x.shape[1])]


@dataclass(frozen=True)
class QuarterTurns:
    """Turn square pictures by 90 degrees to the left.

    Args:
        image_shape: ``(side, side)`` of a row of the inputs.
        turns: how often.

    """

    image_shape: tuple[int, ...] | None
    turns: int = 1

    def __post_init__(self) -> None:
        require_picture(self.image_shape, "a turn moves pixels")
        require(len(set(self.image_shape or ())) == 1, "image_shape", self.image_shape,
                "a square", "a turned picture must fit where it was")

    def __call__(self, x: Array, rng: Rng) -> Array:
        """Turn; nothing is drawn."""
        turned = np.rot90(as_pictures(x, self.image_shape), self.turns, axes=(1, 2))
        return turned.reshape(x.shape)
