"""The bookkeeping of one training: where it stands, its best epoch, its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.layers import Layer
from minimidl.learning.checkpoint import (
    Arrays,
    Checkpoint,
    copy_arrays,
    load_checkpoint,
    restore_arrays,
    save_checkpoint,
)
from minimidl.learning.history import History, Row, Score
from minimidl.learning.optimizer import Optimizer


@dataclass
class Run:
    """Everything that changes during a training.

    Attributes:
        model: changed in place.
        optimizer: on the parameters of the model.
        rng: shuffles, and draws for the layers.
        score: how good an epoch is.
        path: of the checkpoint, or None.
        settings: what must be the same when it is resumed.
        config: the caller's facts for the checkpoint.
        controllers: states of the budgets that have one, changed in place.
        history: the epochs so far.
        best_params: copy of the best epoch's parameters.
        best_state: copy of its layer states.

    """

    model: Layer
    optimizer: Optimizer
    rng: Rng
    score: Score
    path: Path | None
    settings: dict[str, Any]
    config: Mapping[str, Any]
    controllers: Arrays = field(default_factory=dict)
    history: History = field(default_factory=History)
    best_params: Arrays = field(default_factory=dict)
    best_state: Arrays = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return len(self.history)

    def end_epoch(self, row: Row) -> None:
        """Note the epoch, keep it if it is the best, and write the checkpoint."""
        self.history.append(row)
        if self.history.is_best(self.score):
            self.best_params = copy_arrays(self.model.params)
            self.best_state = copy_arrays(self.model.state)
        if self.path is not None:
            save_checkpoint(self.path, self.to_checkpoint())

    def to_checkpoint(self) -> Checkpoint:
        """Collect what a file must hold."""
        return Checkpoint(
            self.model.params, self.model.state, self.best_params, self.best_state,
            self.optimizer.slots, dict(self.rng.bit_generator.state), self.history.rows,
            self.settings, dict(self.config), self.controllers)

    def resume(self) -> None:
        """Go back to where the checkpoint was written; raises InputError where it does not fit."""
        require(self.path is not None, "resume", True, "False, or a checkpoint to resume from")
        assert self.path is not None  # for the type checker
        saved = load_checkpoint(self.path)
        for name, value in self.settings.items():
            then = saved.settings.get(name)
            require(then == value, name, value, f"{then}, as in {self.path}",
                    "resume with the settings it began with, or start a new checkpoint")
        restore_arrays(self.controllers, saved.controllers, "controllers")
        restore_arrays(self.optimizer.slots, saved.slots, "slots")
        restore_arrays(self.model.params, saved.params, "params")
        restore_arrays(self.model.state, saved.state, "state")
        self.rng.bit_generator.state = saved.rng
        self.history = History(saved.rows)
        self.best_params, self.best_state = saved.best_params, saved.best_state

    def restore_best(self) -> None:
        """Put the best epoch back into the model: parameters and layer states."""
        restore_arrays(self.model.params, self.best_params, "best_params")
        restore_arrays(self.model.state, self.best_state, "best_state")
