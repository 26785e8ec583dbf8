"""From text to options: ``--set gate.rank=8`` and the defaults of each data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from minimidl.errors import InputError, require
from minimidl.execution.training import GRADIENTS
from minimidl.experiment.experts import MATCHES
from minimidl.experiment.options import ModelOptions, TrainOptions
from minimidl.experiment.readers import check_read
from minimidl.experiment.recipe import CONTROLLERS, DEFAULTS, OPTIMIZERS
from minimidl.experiment.wirings import PRUNING
from minimidl.gates import ESTIMATORS, GATE_VALUES, SIMPLEX, TOPK
from minimidl.gates.choosers.by_name import CHOICES
from minimidl.gates.nets import GATE_NETS
from minimidl.gates.routers.capacity import PRIORITIES
from minimidl.gates.threshold.family import MEMBERS
from minimidl.layers.initial import INITIAL
from minimidl.layers.light import LIGHT_PATHS
from minimidl.learning import SCHEDULES
from minimidl.learning.budget import KINDS
from minimidl.learning.densities import KINDS as DENSITIES
from minimidl.learning.growth import ANNEALS
from minimidl.learning.pruning import RANKINGS

__all__ = [
    "Settings", "check_read", "choices", "known", "make_settings", "parse_assignments",
]


@dataclass(frozen=True)
class Settings:
    """All options of one experiment: how to build, how to train."""

    model: ModelOptions
    train: TrainOptions

    def as_dict(self) -> dict[str, Any]:
        """Flat, with the names of the command line."""
        flat = asdict(self.model) | asdict(self.train)
        return {dotted(name): value for name, value in flat.items()}


HEADS = ("gate", "light", "budget", "optimizer", "train", "wiring", "experts")


def dotted(field: str) -> str:
    """``gate_rank`` is written ``gate.rank``; words without a head keep their underscore."""
    head, _, tail = field.partition("_")
    return f"{head}.{tail}" if tail and head in HEADS else field


def known() -> dict[str, Any]:
    """Every setting by its name on the command line, with its common default."""
    return Settings(ModelOptions(), TrainOptions()).as_dict()


def choices() -> dict[str, Sequence[str]]:
    """The words that a setting may be, where it is a word."""
    return {
        "gate.net": GATE_NETS, "gate.value": GATE_VALUES, "gate.surrogate": tuple(MEMBERS),
        "gate.topk": (*TOPK, *SIMPLEX, "dselect-k"), "gate.estimator": tuple(ESTIMATORS),
        "gate.choose": CHOICES, "gate.budget": ("own", "layer", "model"),
        "gate.cut_schedule": tuple(SCHEDULES), "light.path": LIGHT_PATHS, "init": tuple(INITIAL),
        "optimizer": tuple(OPTIMIZERS), "schedule": tuple(SCHEDULES),
        "budget.kind": (*KINDS, *CONTROLLERS), "budget.of": ("mask", "probability"),
        "budget.constraint": ("equal", "at-most"), "train.gradient": GRADIENTS,
        "wiring.densities": tuple(DENSITIES), "wiring.prune": PRUNING, "wiring.ranking": RANKINGS,
        "wiring.drop_schedule": ANNEALS, "experts.priority": PRIORITIES, "experts.gate": GATE_NETS,
        "experts.match": ("width", *MATCHES),
    }


def make_settings(dataset: str, chosen: Mapping[str, Any]) -> Settings:
    """Common defaults, then those of the data set, then what the user chose (dotted names).

    Raises:
        InputError: a name that is no setting.

    """
    values = dict(DEFAULTS.get(dataset, {}))
    for name, value in chosen.items():
        require(name in known(), "--set", name, f"one of {', '.join(known())}")
        values[name.replace(".", "_")] = value
    own = {field.name for field in fields(ModelOptions)}
    return Settings(
        ModelOptions(**{name: value for name, value in values.items() if name in own}),
        TrainOptions(**{name: value for name, value in values.items() if name not in own}))


def parse_assignments(texts: Sequence[str]) -> dict[str, Any]:
    """``["gate.rank=8"] -> {"gate.rank": 8}``, each value in the type of its default."""
    chosen = {}
    for text in texts:
        name, equals, value = text.partition("=")
        require(bool(equals), "--set", repr(text), "NAME=VALUE", "for example --set gate.rank=8")
        require(name in known(), "--set", name, f"one of {', '.join(known())}")
        chosen[name] = parse_value(name, value)
    return chosen


def parse_value(name: str, text: str) -> Any:
    """Read ``text`` in the type of the setting ``name``; InputError says which type that is."""
    default = known()[name]
    try:
        if isinstance(default, tuple):
            return parse_widths(text)
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        if name == "keep":  # a whole number is a count, anything with a point is a share
            return int(text) if text.lstrip("+-").isdigit() else float(text)
        return type(default)(text)
    except (ValueError, KeyError):
        raise InputError(f"--set {name}: got {text!r}, expected "
                         f"{'whole numbers, 512,256' if isinstance(default, tuple) else ''}"
                         f"{'' if isinstance(default, tuple) else type(default).__name__}"
                         f" such as {default}") from None


def parse_widths(text: str) -> tuple[int, ...]:
    """``"512,256" -> (512, 256)``."""
    return tuple(int(part) for part in text.split(","))
