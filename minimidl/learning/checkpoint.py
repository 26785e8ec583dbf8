"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.layers import Layer
from minimidl.learning.archive import read_archive, write_archive

VERSION = 1
"""Of the layout of the file; it changes when an old reader would misread a new file."""

Arrays = dict[str, Array]
GROUPS = ("params", "state", "best_params", "best_state", "slots", "controllers")
OTHERS = ("rng", "rows", "settings", "config")


@dataclass
class Checkpoint:
    """The state of a training after a whole number of epochs.

    Attributes:
        params: parameters of the model after the last epoch.
        state: layer states, the same.
        best_params: parameters of the best epoch so far.
        best_state: layer states of that epoch.
        slots: moments and step count of the optimiser.
        rng: state of the bit generator that shuffles and draws.
        rows: the history.
        settings: of the training, which must be the same when it is resumed.
        config: the caller's own facts, such as model name and options, to build the model again.
        controllers: multipliers and averages of budgets that steer themselves; none in files of
            trainings without one, and in files older than they are.

    """

    params: Arrays
    state: Arrays
    best_params: Arrays
    best_state: Arrays
    slots: Arrays
    rng: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    controllers: Arrays = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return len(self.rows)


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically, without pickle; raises InputError where that is impossible."""
    arrays = {f"{group}/{name}": array
              for group in GROUPS for name, array in getattr(checkpoint, group).items()}
    facts = {"minimidl-checkpoint": VERSION, "rng": checkpoint.rng, "rows": checkpoint.rows,
             "settings": checkpoint.settings, "config": checkpoint.config}
    write_archive(Path(path), arrays, facts)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint; raises InputError for a missing, damaged, foreign or newer file."""
    arrays, facts = read_archive(Path(path))
    version = facts.get("minimidl-checkpoint") if isinstance(facts, dict) else None
    require(version == VERSION, "checkpoint", f"{path} of layout {version}", f"layout {VERSION}",
            "use the version of minimidl that wrote it, or train again")
    groups: dict[str, Arrays] = {group: {} for group in GROUPS}
    for key, array in arrays.items():
        group, _, name = key.partition("/")
        require(group in groups, "checkpoint", f"{path} with an entry {key!r}",
                f"entries of {', '.join(GROUPS)}")
        groups[group][name] = array
    missing = [name for name in OTHERS if name not in facts]
    require(not missing, "checkpoint", f"{path} without its {', '.join(missing)}",
            f"facts on {', '.join(OTHERS)}")
    others: dict[str, Any] = {name: facts[name] for name in OTHERS}
    return Checkpoint(**(others | groups))


def copy_arrays(arrays: Mapping[str, Array]) -> Arrays:
    """Return copies that keep each array's memory order."""
    return {name: array.copy(order="K") for name, array in arrays.items()}


def restore_arrays(target: Mapping[str, Array], source: Mapping[str, Array], what: str) -> None:
    """Copy ``source`` into the arrays of ``target``, in place; all or nothing.

    Raises:
        InputError: names, shapes or dtypes differ; nothing is changed then.

    """
    mend = "build the model and the optimiser as in the training that wrote it"
    odd = sorted(target.keys() ^ source.keys())
    require(not odd, f"checkpoint {what}", f"{', '.join(odd[:3])} on one side only",
            "the names of this model", mend)
    for name, array in target.items():
        found = source[name]
        require(found.shape == array.shape and found.dtype == array.dtype,
                f"checkpoint {what}[{name!r}]", f"{found.dtype} {found.shape}",
                f"{array.dtype} {array.shape}", mend)
    for name, array in target.items():
        array[...] = source[name]


def load_weights(model: Layer, path: str | Path, best: bool = True) -> Checkpoint:
    """Fill a model from a checkpoint, in place.

    Args:
        model: built with the same options; ``config`` of the checkpoint may tell them.
        path: of the checkpoint.
        best: the best epoch, or the last one.

    Returns:
        The checkpoint, for its ``config`` and ``rows``.

    Raises:
        InputError: an unusable file, or a model of another shape.

    """
    checkpoint = load_checkpoint(path)
    params = checkpoint.best_params if best else checkpoint.params
    state = checkpoint.best_state if best else checkpoint.state
    restore_arrays(model.params, params, "params")
    restore_arrays(model.state, state, "state")
    return checkpoint
