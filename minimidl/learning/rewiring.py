"""Rewiring: sparse from the first step to the last, while weak connections make room for new ones.

    n_drop = int(n_live * fraction)
    drop   the n_drop live connections with the smallest |w| + noise
    grow   n_drop of the rest: at random (SET), by |dL/d(w m)| (RigL), or by its average (SNFS)

Mocanu et al. 2018 (SET); Evci et al. 2020, algorithm 1 (RigL), with the choices of its published
code; Dettmers and Zettlemoyer 2019 (SNFS, here without moving connections between layers). What was
just dropped may grow again at once, and is then as if nothing had happened, momentum included.
Two choices differ from that code: noise never keeps a dead connection in place of a live one, and
nothing is rewired before the first step, when the weights have learnt nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require, require_finite
from minimidl.layers import Layer, memory_at
from minimidl.learning.connections import Connections, choose_mask
from minimidl.learning.growth import BY_GRADIENT, GROWTH, drop_schedule, new_slots
from minimidl.learning.optimizer import Optimizer
from minimidl.learning.timetable import check_shares, make_timetable, require_times
from minimidl.learning.wiring import Wired

TIE_NOISE = 1e-5
"""Standard deviation of the noise on ``|w|``: who is dropped among equals is left to chance."""


class Rewiring(Wired):
    """Base of SET, RigL and SNFS.

    Args:
        fraction: of the live connections of each layer that is dropped at first, in (0, 1).
        every: steps between two rewirings; 0: 100, or less in a short training.
        begin: share of the training before the first one; there is none before the first step.
        until: share after which the masks stay, and new connections may catch up.
        anneal: of the fraction: ``"cosine"`` (to 0 at ``until``), ``"constant"``, or ``"power"``:
            ``fraction (1 - progress)^exponent``.
        exponent: for ``"power"``.
        grow_init: weights of new connections: ``"zeros"``, ``"normal"``, ``"uniform"``,
            ``"initial"``, and for RigL ``"gradient"`` and ``"gradient-sign"``; see
            :mod:`minimidl.learning.growth`.
        grow_scale: factor on them.
        slot_scale: optimiser slots of new connections start at this times the gradient (RigL).

    Raises:
        InputError: a setting out of range, and from :meth:`begin`, a training without a rewiring.

    """

    sees_gradient = False

    def __init__(
        self, fraction: float = 0.3, *, every: int = 0, begin: float = 0.0, until: float = 0.75,
        anneal: str = "cosine", exponent: float = 3.0, grow_init: str = "zeros",
        grow_scale: float = 1.0, slot_scale: float = 0.0,
    ) -> None:
        require(0 < fraction < 1, "fraction", fraction, "a share of the live ones, in (0, 1)")
        check_shares(begin, until, every)
        known = [name for name in GROWTH if self.sees_gradient or name not in BY_GRADIENT]
        require(grow_init in known, "grow_init", repr(grow_init), f"one of {', '.join(known)}")
        require(slot_scale == 0 or self.sees_gradient, "slot_scale", slot_scale, "0",
                "only RigL has the gradient of the moment")
        self.drop_fraction = drop_schedule(anneal, fraction, exponent)
        self.shares, self.grow_init, self.grow_scale = (begin, until, every), grow_init, grow_scale
        self.slot_scale = slot_scale
        super().__init__(fraction=fraction, every=every, begin=begin, until=until, anneal=anneal,
                         exponent=exponent, grow_init=grow_init, grow_scale=grow_scale,
                         slot_scale=slot_scale)

    def begin(self, model: Layer, optimizer: Optimizer, total_steps: int) -> None:
        """Fix the steps of the rewirings, and see that they will change something."""
        super().begin(model, optimizer, total_steps)
        self.table = make_timetable(total_steps, *self.shares)
        require_times(self.table.times(), self.table, total_steps, "a rewiring")
        require(self.density < 1, "density", 1, "less; nothing can grow in a dense model",
                "build it with density=0.1, or call give_densities")
        sparse = [layer for layer in self.layers if layer.n_live < layer.mask.size]
        most = max(self.n_drop(layer, done) for layer in sparse for done in self.table.times())
        require(most > 0, "fraction", f"{self.options['fraction']} of so few connections that none "
                "is ever dropped", "one that drops at least one")
        if self.grow_init == "initial":
            self.state |= {f"start/{layer.path}": layer.weight[layer.mask] for layer in self.layers}

    def n_drop(self, layer: Connections, done: int) -> int:
        """``int(n_live * fraction)``, of the fraction of this step."""
        return int(layer.n_live * self.drop_fraction(self.table.progress(done)))

    def after_step(self, step: int, rng: Rng) -> None:
        """Rewire after the optimiser's step, if it is time to."""
        if self.table.is_due(step + 1):
            self.rewire(step + 1, rng, {})

    def rewire(self, done: int, rng: Rng, gradients: Mapping[str, Array]) -> None:
        """Drop and grow in every layer; as many connections as before are live.

        Args:
            done: steps that lie behind.
            rng: draws the noise, new connections of SET, and new weights.
            gradients: to grow by, by layer path; a layer without one grows at random.

        """
        for layer in self.layers:
            gradient, n_drop = gradients.get(layer.path), self.n_drop(layer, done)
            keep_score = np.abs(layer.weight) + TIE_NOISE * rng.standard_normal(layer.mask.shape)
            grow_score = rng.random(layer.mask.shape) if gradient is None else np.abs(gradient)
            require_finite(grow_score, "gradients to grow by")
            after = choose_mask(layer.mask, keep_score, grow_score, n_drop)
            self.state["rewired"] += self.change(layer, after, rng, gradient)
        self.state["times"] += 1

    def change(self, layer: Connections, after: Array, rng: Rng, gradient: Array | None) -> int:
        """Close and open so that ``after`` is the mask; returns how many came or went."""
        n_live, gone, born = layer.n_live, layer.mask & ~after, after & ~layer.mask
        pull = None if gradient is None else gradient[born]
        start = self.state.get(f"start/{layer.path}")
        values = GROWTH[self.grow_init](rng, int(born.sum()), layer.weight[layer.mask], start, pull)
        layer.close(gone)
        layer.open(born, self.grow_scale * values, new_slots(layer.slots, self.slot_scale, pull))
        assert layer.n_live == n_live, "rewiring changed the number of live connections"
        return int(gone.sum() + born.sum())

    def finish(self) -> None:
        """Refuse a training that stopped before the first rewiring, or whose masks never moved."""
        got = f"{self.state['times']} rewirings, none of which changed a connection"
        require(bool(self.state["rewired"] > 0), "wiring", got, "one that does",
                "raise patience or fraction, or lower every")


class SET(Rewiring):
    """Sparse evolutionary training: new connections at random, after the optimiser's step."""


class RigL(Rewiring):
    """The rigged lottery: new connections where the gradient of the current batch is largest.

    A rewiring takes the place of the optimiser's step; nothing else is learnt in that step.
    """

    sees_gradient = True

    def before_step(self, step: int, memory: Memory, rng: Rng) -> bool:
        """Rewire instead of the optimiser's step, if it is time to."""
        if not self.table.is_due(step):
            return False
        self.rewire(step, rng, dense_gradients(self.layers, memory))
        return True

    def after_step(self, step: int, rng: Rng) -> None:
        """Nothing: all is done in the optimiser's place."""


class SNFS(Rewiring):
    """Sparse networks from scratch: new connections where the gradient was largest for a while.

    It averages dense gradients in every step, ``u <- momentum u + (1 - momentum) dL/d(w m)``: the
    work of a dense backward, where RigL needs one now and then. The rewiring comes after the
    optimiser's step.

    Args:
        fraction: see :class:`Rewiring`.
        momentum: of the average, in [0, 1).
        **options: see there.

    """

    def __init__(self, fraction: float = 0.3, *, momentum: float = 0.9, **options: object) -> None:
        require(0 <= momentum < 1, "momentum", momentum, "a number in [0, 1)")
        super().__init__(fraction, **options)  # type: ignore[arg-type]
        self.options["momentum"] = self.momentum = momentum

    def begin(self, model: Layer, optimizer: Optimizer, total_steps: int) -> None:
        """As the base; the averages begin at 0."""
        super().begin(model, optimizer, total_steps)
        self.state |= {f"average/{layer.path}": np.zeros_like(layer.weight)
                       for layer in self.layers}

    def before_step(self, step: int, memory: Memory, rng: Rng) -> bool:
        """Average the gradients."""
        for path, gradient in dense_gradients(self.layers, memory).items():
            average = self.state[f"average/{path}"]
            average *= self.momentum
            average += (1 - self.momentum) * gradient
        return False

    def after_step(self, step: int, rng: Rng) -> None:
        """Rewire by the averages, if it is time to."""
        if self.table.is_due(step + 1):
            self.rewire(step + 1, rng, {layer.path: self.state[f"average/{layer.path}"]
                                        for layer in self.layers})


def dense_gradients(layers: list[Connections], memory: Memory) -> dict[str, Array]:
    """``dL/d(w m)`` of this batch by layer path, dead connections included."""
    return {layer.path: layer.layer.dense_gradient(memory_at(memory, layer.path))
            for layer in layers}
