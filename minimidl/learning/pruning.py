"""Magnitude pruning: train dense, close weak connections on the way, and learn to live without.

    s_t = s_f + (s_i - s_f) (1 - (t - t0) / (n every))^3    for t0 <= t <= t0 + n every

(Zhu and Gupta 2017, eq. 1). Fine-tuning is what is left of the training, with fixed masks, at the
same learning rates as everybody else: a pruned model gets no extra epochs.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Rng
from minimidl.errors import require, require_finite
from minimidl.layers import Layer
from minimidl.learning.connections import Connections, largest
from minimidl.learning.densities import count_zeros, layer_sparsities
from minimidl.learning.optimizer import Optimizer
from minimidl.learning.schedules import cubic
from minimidl.learning.timetable import (
    Timetable,
    check_shares,
    make_timetable,
    require_times,
)
from minimidl.learning.wiring import Wired

RANKINGS = ("layer", "erk", "global")
"""Who competes for survival: the weights of one layer, or those of all layers together."""


class Pruning(Wired):
    """Close the weakest connections step by step, by ``|weight|``, for good.

    Every time exactly as many are left as the schedule says, ties to the first in reading order: a
    threshold at a quantile would miss the count where weights are equal. The best epoch of such a
    training is one that has arrived: give ``fit`` the score
    :func:`~minimidl.learning.at_density`, or it may bring back a dense one.

    Args:
        sparsity: share of missing connections at the end, in (0, 1).
        begin: share of the training before the first closing.
        until: share by which the last one is done; equal to ``begin``: all at once.
        every: steps between two closings; 0: 100, or less in a short training.
        ranking: ``"layer"``: every layer ends at ``sparsity``; ``"erk"``: all together do, small
            layers denser than large ones, as where rewiring begins; ``"global"``: all together do,
            and layers of small weights lose more (possibly everything).
        start: sparsity at ``begin``.

    Raises:
        InputError: a setting out of range, and from :meth:`begin`, a training without a closing.

    """

    def __init__(
        self, sparsity: float = 0.9, *, begin: float = 0.2, until: float = 0.6, every: int = 0,
        ranking: str = "layer", start: float = 0.0,
    ) -> None:
        require(0 <= start < sparsity < 1, "start and sparsity", f"{start} and {sparsity}",
                "two shares in [0, 1), in order")
        require(ranking in RANKINGS, "ranking", repr(ranking), f"one of {', '.join(RANKINGS)}")
        check_shares(begin, until, every)
        super().__init__(sparsity=sparsity, begin=begin, until=until, every=every,
                         ranking=ranking, start=start)
        self.sparsity, self.start, self.ranking = sparsity, start, ranking
        self.shares = begin, until, every

    def begin(self, model: Layer, optimizer: Optimizer, total_steps: int) -> None:
        """Fix the steps at which connections close."""
        super().begin(model, optimizer, total_steps)
        self.rivals = [self.layers] if self.ranking == "global" else [
            [layer] for layer in self.layers]
        self.table = make_timetable(total_steps, *self.shares)
        self.closings = closing_times(self.table, self.start > 0)
        require_times(self.closings, self.table, total_steps, "a closing")
        shares = self.shares_at(self.sparsity)
        shares = shares * len(self.layers) if self.ranking == "global" else shares
        more = any(count_zeros(share, layer.mask.size) > layer.mask.size - layer.n_live
                   for layer, share in zip(self.layers, shares, strict=True))
        require(more, "sparsity", f"{self.sparsity} for a model of density {self.density:.3g}",
                "a model with connections to close", "build it with density=1")

    def sparsity_at(self, done: int) -> float:
        """Share of missing connections when ``done`` steps lie behind, ``s_t``."""
        first, last = self.table.begin, self.closings[-1]
        if done < first or first == last:
            return self.sparsity if done >= first else 0.0
        return cubic(self.start, self.sparsity, last - first)(done - first)

    def after_step(self, step: int, rng: Rng) -> None:
        """Close connections if it is time to."""
        if step + 1 in self.closings:
            self.prune(self.sparsity_at(step + 1))

    def prune(self, sparsity: float) -> None:
        """Close the weakest until this share is missing; those that are closed stay closed."""
        for group, share in zip(self.rivals, self.shares_at(sparsity), strict=True):
            self.state["rewired"] += close_weakest(group, share)
        self.state["times"] += 1

    def shares_at(self, sparsity: float) -> list[float]:
        """The share that is to be missing in each group of rivals."""
        if self.ranking != "erk":
            return [sparsity] * len(self.rivals)
        return list(layer_sparsities(
            {layer.path: layer.mask.shape for layer in self.layers}, sparsity, "erk").values())

    def finish(self) -> None:
        """Refuse a training that patience stopped before the last closing."""
        missing = [sum(layer.mask.size - layer.n_live for layer in group) for group in self.rivals]
        wanted = [count_zeros(share, sum(layer.mask.size for layer in group))
                  for group, share in zip(self.rivals, self.shares_at(self.sparsity), strict=True)]
        require(all(has >= wants for has, wants in zip(missing, wanted, strict=True)), "wiring",
                f"training stopped at density {self.density:.3g}",
                f"the last closing, at step {self.closings[-1]}",
                "raise patience, or choose the best epoch by at_density")


def one_shot(sparsity: float = 0.9, at: float = 0.5, ranking: str = "layer") -> Pruning:
    """Pruning all at once, at this share of the training; the rest is fine-tuning."""
    return Pruning(sparsity, begin=at, until=at, ranking=ranking)


def closing_times(table: Timetable, from_start: bool) -> list[int]:
    """The steps with a closing; at ``begin`` only where it starts sparse, or closes all at once."""
    later = [done for done in table.times() if done > table.begin]
    once = table.begin == table.end
    return table.times() if once or (from_start and later) else later


def close_weakest(layers: list[Connections], sparsity: float) -> int:
    """Close until ``floor(sparsity * size)`` are missing in these layers together.

    Returns:
        How many were closed; 0 where as many are missing already.

    """
    alive = np.concatenate([layer.mask.ravel() for layer in layers])
    strength = np.concatenate([np.abs(layer.weight).ravel() for layer in layers])
    require_finite(strength, "weights")
    n_live = int(np.count_nonzero(alive))
    n_left = min(n_live, alive.size - count_zeros(sparsity, alive.size))
    kept = largest(strength, n_left, alive)
    ends = np.cumsum([layer.mask.size for layer in layers])[:-1]
    for layer, keep in zip(layers, np.split(kept, ends), strict=True):
        layer.close(~keep.reshape(layer.mask.shape))
    return n_live - n_left
