"""What a comparison runs: models x data sets x seeds, all by the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minimidl.data.registry import entry
from minimidl.errors import InputError, require
from minimidl.experiment.models import MODELS
from minimidl.experiment.settings import Settings, check_read, known, make_settings


@dataclass(frozen=True, order=True)
class Run:
    """One training: ``dataset``, ``model``, ``seed``."""

    dataset: str
    model: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """Everything that decides what the rows of a comparison are.

    Attributes:
        datasets: names of data sets.
        models: names of models.
        seeds: seeds of the runs; every model gets all of them.
        chosen: settings by dotted name; each model takes those that it reads.
        search: random draws per run, see :mod:`minimidl.experiment.search`.

    """

    datasets: tuple[str, ...]
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    chosen: Mapping[str, Any] = field(default_factory=dict)
    search: int = 0

    def runs(self) -> list[Run]:
        """All runs, seed by seed: whatever is finished early is fair to every model.

        Data sets take turns, so that the time a run takes is soon known of each.
        """
        return [Run(dataset, model, seed) for seed in self.seeds for model in self.models
                for dataset in self.datasets]

    def settings(self, dataset: str, model: str) -> Settings:
        """Options of a model on a data set, before a search."""
        return make_settings(dataset, read_of(model, self.chosen))


def make_plan(
    datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int],
    chosen: Mapping[str, Any] | None = None, search: int = 0,
) -> Plan:
    """Check what can be wrong before the data are there.

    Raises:
        InputError: an unknown or repeated name, no seeds, a setting that none of the models reads,
            no epochs, or models that would train for different numbers of them.

    """
    chosen = chosen or {}
    for dataset in datasets:
        entry(dataset)
    for model in models:
        require(model in MODELS, "model", repr(model), f"one of {', '.join(MODELS)}")
    for what, names in (("--data", datasets), ("--models", models), ("--seeds", seeds)):
        require(len(names) > 0, what, "none", "at least one")
        require(len(set(names)) == len(names), what, ",".join(map(str, names)), "each name once")
    for name in chosen:
        require(any(reads(model, name) for model in models), "--set", f"{name} for "
                f"{', '.join(models)}", "a setting that one of the models reads")
    require(search >= 0, "--search", search, "a whole number, at least 0")
    plan = Plan(tuple(datasets), tuple(models), tuple(seeds), dict(chosen), search)
    for dataset in datasets:
        epochs = {plan.settings(dataset, model).train.epochs for model in models}
        require(min(epochs) >= 1, "epochs", min(epochs), "at least 1")
        require(len(epochs) == 1, "epochs", f"{sorted(epochs)} on {dataset}",
                "as many for every model", "--epochs N")
    return plan


def reads(model: str, setting: str) -> bool:
    """Whether a model reads a setting; see :func:`minimidl.experiment.settings.check_read`."""
    try:
        check_read(model, {setting: None})
    except InputError:
        return False
    return True


def read_of(model: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the chosen settings that a model reads.

    Raises:
        InputError: settings that exclude each other.

    """
    mine = {name: value for name, value in chosen.items() if reads(model, name)}
    check_read(model, mine)
    return mine


def uncommon(settings: Settings) -> dict[str, Any]:
    """The settings that differ from the common defaults, by dotted name: short enough for a row."""
    common = known()
    return {name: value for name, value in settings.as_dict().items() if value != common[name]}
