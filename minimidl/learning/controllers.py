"""Controllers: budgets that find their own strength, so that a MAC target is met, not just wished.

    symbol   name here                                      unit
    R        executed: MACs, gate included                  share of the dense twin's
    R'       state["average"], moving average of R          share of the dense twin's
    t        aim, on its way to the target                  share of the dense twin's
    g        R / t - 1, how far off                         share of the aim
    mu       state["multiplier"]                            loss per share of the aim

The task loss is minimised under ``g = 0`` (or ``g <= 0``). Its Lagrangian adds ``mu g``; the
augmented one ``(rho / 2) g^2`` as well, which damps. The weights descend,
the multiplier ascends once per step, after them: ``mu <- mu + rate g'``, with ``g'`` of the moving
average, and a look at its change against swinging. ``R`` is what was *executed*, so gates that
crowd around their threshold cannot cheat; its gradient reaches the probabilities straight through,
and a gate is pulled by what it costs: its layer's inputs, its own products, the columns it makes
the next layer read.

For an equality the multiplier is signed: below the target it turns into a reward for opening. For
``"at-most"`` it never falls below 0, and a network that needs less than the target may stay below.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.layers import Gated, Layer, gated_layers, memory_at
from minimidl.learning.budget import GradGate
from minimidl.losses import augmented_usage, augmented_usage_backward
from minimidl.measure import count_macs, gate_prices, mac_range

CONSTRAINTS = ("equal", "at-most")


class Controller:
    """What both controllers share; an entry of ``fit(budgets=[...])``.

    Args:
        model: the one that is trained, or an executor that runs it.
        target: MACs, gate included, as a share of the dense twin's.
        rate: of the multiplier's ascent, per step.
        constraint: ``"equal"`` (signed multiplier) or ``"at-most"`` (projected to at least 0).
        ramp: share of the training over which the aim goes from what is executed first to the
            target; a sudden target winds the multiplier up, and closed gates come back slowly.
        memory_length: steps that the moving average looks back, at least 1.
        stiffness: ``rho``; 0 for none.
        damping: steps that the change of ``g'`` is looked ahead; 0 for none.

    Attributes:
        state: ``multiplier``, ``average``, ``first`` (what was executed first) and ``step``, 0-d
            arrays that are changed in place; checkpoints keep them.

    Raises:
        InputError: an option out of range; a model without gates that can open and close; at the
            first step, a target that no choice of gates can meet.

    """

    def __init__(
        self, model: Layer, target: float, *, rate: float, constraint: str, ramp: float,
        memory_length: float, stiffness: float = 0.0, damping: float = 0.0,
    ) -> None:
        for name, value in {"target": target, "rate": rate}.items():
            require(0 < value < np.inf, name, value, "a positive number")
        for name, value in {"stiffness": stiffness, "damping": damping}.items():
            require(0 <= value < np.inf, name, value, "a number of at least 0")
        require(constraint in CONSTRAINTS, "constraint", repr(constraint),
                f"one of {', '.join(CONSTRAINTS)}")
        require(0 <= ramp <= 1, "ramp", ramp, "a share of the training in [0, 1]")
        require(memory_length >= 1, "memory_length", memory_length, "at least 1 step")
        self.model: Layer = getattr(model, "model", model)
        # Only a threshold lets the number of open gates follow the probabilities.
        self.paths = [path for path, layer in gated_layers(self.model).items()
                      if "threshold" in layer.state]
        require(len(self.paths) > 0, "model", type(self.model).__name__,
                "a model with a gated layer whose number of open gates can change")
        self.target, self.rate, self.at_most = target, rate, constraint == "at-most"
        self.ramp, self.memory_length = ramp, memory_length
        self.stiffness, self.damping = stiffness, damping
        self.state: dict[str, Array] = {
            "multiplier": np.zeros(()), "average": np.zeros(()), "first": np.zeros(()),
            "step": np.zeros((), np.int64)}
        self.executed = self.aim = target  # of the last call

    def __call__(
        self, layers: Mapping[str, Gated], memory: Memory, progress: float = 1.0
    ) -> tuple[float, GradGate]:
        """Value ``mu g + (rho / 2) g^2`` and its gradient for every layer that can be steered."""
        counted = count_macs(self.model, memory)
        share = counted.with_gate / counted.dense  # (batch,)
        self.executed = float(share.mean())
        if self.state["step"] == 0:
            self.require_within_reach(memory, counted.dense)
            self.state["first"][...] = self.executed
        self.aim = self.aim_at(progress)
        value, memo = augmented_usage(share / self.aim, 1.0, float(self.state["multiplier"]),
                                      self.stiffness, at_most=self.at_most)
        pull = augmented_usage_backward(memo) / (self.aim * counted.dense)  # (batch,): per MAC
        prices = gate_prices(self.model, memory)
        return value, {path: per_gate(pull, prices[path]).astype(
            memory_at(memory, path)["probability"].dtype) for path in self.paths}

    def after_step(self) -> None:
        """Let the multiplier ascend; the training loop calls this after the optimiser's step."""
        before, off_before = float(self.state["average"]), 0.0
        if self.state["step"] > 0:
            off_before = before / self.aim - 1.0
        # The first steps average over what there is: a start at 0 would look like a bargain.
        weight = max(1.0 / (float(self.state["step"]) + 1.0), 1.0 / self.memory_length)
        average = before + weight * (self.executed - before)
        off = average / self.aim - 1.0
        risen = float(self.state["multiplier"])
        risen += self.rate * (off + self.damping * (off - off_before))
        self.state["multiplier"][...] = max(risen, 0.0) if self.at_most else risen
        self.state["average"][...] = average
        self.state["step"] += 1

    def aim_at(self, progress: float) -> float:
        """Where the MACs should be now: linear from what was executed first to the target."""
        way = 1.0 if progress >= self.ramp else progress / self.ramp
        first = float(self.state["first"])
        start = max(first, self.target) if self.at_most else first
        return start * (1.0 - way) + self.target * way

    def report(self) -> dict[str, float]:
        """What a row of the history tells of it."""
        return {"train_mac_ratio": float(self.state["average"]), "mac_target": self.target,
                "multiplier": float(self.state["multiplier"])}

    def require_within_reach(self, memory: Memory, dense: int) -> None:
        """Raise InputError for a target that no choice of gates can meet."""
        least, most = (macs / dense for macs in mac_range(self.model, memory))
        require(least < self.target and (self.at_most or self.target <= most), "target",
                self.target, f"above {least:.3f} (what the gates alone cost) and at most "
                f"{most:.3f} (all open)", "a smaller gate network lowers the floor")


def per_gate(pull: Array, prices: Array) -> Array:
    """What every gate feels: the pull per MAC of its sample, times its price.

    A gate that holds for the whole batch (one row of prices) feels the pulls of all its samples.
    """
    return pull.sum() * prices if len(prices) == 1 else pull[:, None] * prices


class DualAscent(Controller):
    """Dual ascent on the multiplier alone.

    ``mu <- mu + rate (g' + damping (g' - g'_before))``. Plain dual ascent (``damping=0``) swings
    around the target, because it answers only after a deviation has lasted; looking at its change
    as well (Stooke, Achiam and Abbeel 2020; Sohrabi et al. 2024) settles it.

    Args:
        model: and all others as in :class:`Controller`.
        target: MACs, gate included, as a share of the dense twin's.
        rate: of the ascent, per step.
        damping: in steps; 0 is plain dual ascent.
        constraint: ``"equal"`` or ``"at-most"``.
        ramp: share of the training until the aim is the target.
        memory_length: steps of the moving average.

    """

    def __init__(
        self, model: Layer, target: float, *, rate: float = 0.05, damping: float = 100.0,
        constraint: str = "equal", ramp: float = 0.2, memory_length: float = 20.0,
    ) -> None:
        super().__init__(model, target, rate=rate, damping=damping, constraint=constraint,
                         ramp=ramp, memory_length=memory_length)


class AugmentedLagrangian(Controller):
    """Dual ascent with the square ``(rho / 2) g^2`` of every batch, which damps at once.

    Args:
        model: and all others as in :class:`Controller`.
        target: MACs, gate included, as a share of the dense twin's.
        rate: of the ascent, per step.
        stiffness: ``rho``, at least 0.
        damping: in steps, as in :class:`DualAscent`; 0 is the textbook's rule.
        constraint: ``"equal"`` or ``"at-most"``.
        ramp: share of the training until the aim is the target.
        memory_length: steps of the moving average.

    """

    def __init__(
        self, model: Layer, target: float, *, rate: float = 0.05, stiffness: float = 5.0,
        damping: float = 50.0, constraint: str = "equal", ramp: float = 0.2,
        memory_length: float = 20.0,
    ) -> None:
        super().__init__(model, target, rate=rate, stiffness=stiffness, damping=damping,
                         constraint=constraint, ramp=ramp, memory_length=memory_length)
