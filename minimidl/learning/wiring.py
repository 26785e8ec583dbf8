"""What the training loop asks of those who change connections while a network learns.

No wiring: every weight there is. ``Static`` (here) keeps the masks of the start. ``Pruning`` begins
dense, and weak connections die. ``SET``, ``RigL`` and ``SNFS`` (rewiring) begin sparse, weak
connections die and as many are born.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.layers import Layer
from minimidl.learning.connections import Connections, connections_of
from minimidl.learning.history import Row
from minimidl.learning.optimizer import Optimizer


class Wiring:
    """The hook of :func:`minimidl.learning.fit`; this one changes nothing.

    Attributes:
        state: what a checkpoint must keep, changed in place after :meth:`begin`.
        options: what it was made with; a training is resumed with the same ones only.

    """

    def __init__(self, **options: Any) -> None:
        self.state: dict[str, Array] = {}
        self.options = options

    @property
    def title(self) -> str | None:
        """What a checkpoint calls it: ``"RigL(fraction=0.3, ...)"``; None for no wiring."""
        if type(self) is Wiring:
            return None
        given = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{type(self).__name__}({given})"

    def begin(self, model: Layer, optimizer: Optimizer, total_steps: int) -> None:
        """Look at the model before the first step (or before a checkpoint is read).

        Raises:
            InputError: a model that this wiring does not fit, or a training in which it would
                never do anything.

        """

    def named_state(self) -> dict[str, Array]:
        """The live state as a checkpoint names it, ``"wiring.times"``."""
        return {f"wiring.{name}": array for name, array in self.state.items()}

    def before_step(self, step: int, memory: Memory, rng: Rng) -> bool:
        """Called between backward and optimiser; True takes the optimiser's place in this step.

        Args:
            step: counted from 0.
            memory: of the model, after its backward.
            rng: of the training; a resumed training draws the same.

        """
        return False

    def after_step(self, step: int, rng: Rng) -> None:
        """Called after the optimiser."""

    def report(self) -> Row:
        """Plain numbers for the row of an epoch."""
        return {}

    def finish(self) -> None:
        """Called after the last epoch; raises InputError if what was asked for has not happened."""


class Wired(Wiring):
    """Base of those that work on masks.

    State: ``times`` (how often the masks were changed) and ``rewired`` (how many connections came
    or went in all), 0-d int64.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.layers: list[Connections] = []

    def begin(self, model: Layer, optimizer: Optimizer, total_steps: int) -> None:
        """Find the masked layers; dead connections are made to have no weight and no momentum."""
        self.layers = connections_of(model, optimizer)
        self.state = {name: np.zeros((), np.int64) for name in ("times", "rewired")}
        for layer in self.layers:
            layer.close(~layer.mask)

    @property
    def density(self) -> float:
        """Share of live connections in all masked layers together."""
        return (sum(layer.n_live for layer in self.layers)
                / sum(layer.mask.size for layer in self.layers))

    def report(self) -> Row:
        """``density``, and ``rewired``: connections that came or went since the first step."""
        return {"density": self.density, "rewired": int(self.state["rewired"])}


class Static(Wired):
    """The masks stay as they are: what rewiring is compared with. The rows tell the density."""
