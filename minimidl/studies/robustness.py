"""What a model withstands: noise and blur in use, false labels and few samples in training.

Every model meets the same harm: the same noise on the same test samples, the same false labels, the
same training samples, by seed. Changed test samples need no new training; false labels and few
samples do, with everything else as it was: the same recipe, a clean validation part, and as many
steps, so that few samples do not also mean little training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minimidl.data import Dataset
from minimidl.data.noise import Blur, Change, GaussianNoise, with_change
from minimidl.data.scarcity import with_few_samples, with_label_noise
from minimidl.experiment.run import run_experiment
from minimidl.experiment.settings import Settings
from minimidl.layers import Layer
from minimidl.learning import count_steps
from minimidl.learning.evaluate import GateMeter, gates_of
from minimidl.measure.classes import macro_f1
from minimidl.studies.over_seeds import Row, against, over_seeds

TWIN = "dense"
"""What differences are paired with."""

VALUES = ("accuracy", "macro_f1", "active_ratio", "drop")
"""Numbers of a row; ``drop`` is the accuracy that the harm cost the same model and seed."""


@dataclass(frozen=True)
class Harm:
    """How much of each harm; the clean run belongs to every kind and is not listed.

    Attributes:
        noise: standard deviations of normal noise on the test inputs, in those of the data.
        blur: how often every pixel is mixed with its neighbours; left out where rows are no
            pictures.
        labels: shares of false labels in the training part.
        samples: shares of the training part.
        largest: training samples at most, all classes in proportion; 0 for all. Retraining on all
            of a large set at every level takes long.

    """

    noise: tuple[float, ...] = (0.25, 0.5, 1.0, 1.5)
    blur: tuple[int, ...] = (1, 2, 4)
    labels: tuple[float, ...] = (0.2, 0.4)
    samples: tuple[float, ...] = (0.3, 0.1)
    largest: int = 6000


QUICK = Harm(noise=(0.5, 1.0), blur=(2,), labels=(0.2,), samples=(0.2,), largest=2000)


def measure(
    models: Sequence[str], data: Dataset, settings: Mapping[str, Settings], seeds: Sequence[int], *,
    harm: Harm | None = None, quick: bool = False, bar: Any = None,
) -> list[Row]:
    """Train, harm, judge; rows of all seeds, then one summary per model, kind and level.

    Args:
        models: names.
        data: any set; without a picture shape there is no blur.
        settings: by model.
        seeds: of trainings and of the harm, which is the same for all models of a seed.
        harm: how much.
        quick: harm as :data:`QUICK`.
        bar: a progress bar, one step per model and seed.

    """
    harm = harm or (QUICK if quick else Harm())
    rows: list[Row] = []
    for seed in seeds:
        poor = poor_sets(few(data, harm.largest, seed), harm, seed)
        for name in models:
            if bar is not None:
                bar.set_postfix_str(f"{name}, seed {seed}")
            about = {"model": name, "dataset": data.name, "seed": seed}
            rows += [about | row for row in harmed(name, poor, settings[name], harm, seed)]
            if bar is not None:
                bar.update()
    return rows + summed_up(rows)


Kind = tuple[str, float]
"""A kind of harm and its level."""

CLEAN: Kind = ("clean", 0.0)


def poor_sets(data: Dataset, harm: Harm, seed: int) -> dict[Kind, Dataset]:
    """What to train on, by kind and level; the clean set comes first."""
    made = {CLEAN: data}
    for share in harm.labels:
        made["labels", share] = with_label_noise(data, share, seed)
    for share in harm.samples:
        made["samples", share] = with_few_samples(data, round(share * len(data.x_train)), seed)
    return made


def few(data: Dataset, largest: int, seed: int) -> Dataset:
    """At most ``largest`` training samples; 0: all of them."""
    return with_few_samples(data, largest, seed) if 0 < largest < len(data.x_train) else data


def changes(data: Dataset, harm: Harm) -> dict[Kind, Change]:
    """What happens to the test inputs, by kind and level."""
    made: dict[Kind, Change] = {("noise", sigma): GaussianNoise(sigma) for sigma in harm.noise}
    if data.image_shape is not None and len(data.image_shape) == 2:
        made |= {("blur", float(times)): Blur(data.image_shape, times) for times in harm.blur}
    return made


def harmed(
    name: str, poor: Mapping[Kind, Dataset], settings: Settings, harm: Harm, seed: int
) -> list[Row]:
    """Rows of one model and seed, the clean run first in every kind."""
    found: dict[Kind, Row] = {}
    for harm_done, data in poor.items():
        model = run_experiment(name, data, as_many_steps(settings, data, poor[CLEAN]), seed=seed,
                               progress=False, timed=False).model
        found[harm_done] = judged(model, data)
        if harm_done == CLEAN:
            found |= {change: judged(model, with_change(data, what, seed))
                      for change, what in changes(data, harm).items()}
    clean = found.pop(CLEAN)
    rows = []
    for name_of_kind in dict.fromkeys(kind for kind, _ in found):
        none = 1.0 if name_of_kind == "samples" else 0.0
        own = {none: clean} | {level: told for (kind, level), told in found.items()
                               if kind == name_of_kind}
        rows += [{"kind": name_of_kind, "level": level} | told
                 | {"drop": clean["accuracy"] - told["accuracy"]} for level, told in own.items()]
    return rows


def as_many_steps(settings: Settings, data: Dataset, whole: Dataset) -> Settings:
    """More epochs where there are fewer samples; never fewer than asked for."""
    size, train = settings.train.batch_size, settings.train
    factor = count_steps(len(whole.x_train), size) / count_steps(len(data.x_train), size)
    return replace(settings, train=replace(train, epochs=max(1, round(train.epochs * factor))))


def judged(model: Layer, data: Dataset) -> Row:
    """Accuracy, macro F1 and share of open neurons on the test part; how many samples trained."""
    output, memory = model.forward(data.x_test)
    meter = GateMeter(gates_of(model))
    meter.add(memory)
    predicted = output.argmax(axis=1)
    return {"accuracy": float((predicted == data.y_test).mean()),
            "macro_f1": macro_f1(data.y_test, predicted, data.n_classes),
            "active_ratio": meter.active_ratio, "train_samples": len(data.x_train)}


def summed_up(rows: Sequence[Row]) -> list[Row]:
    """One row per model, kind and level: means, and the difference to the dense twin."""
    keys = ("model", "dataset", "kind", "level")
    made = over_seeds(rows, keys, VALUES)
    for row in made:
        about = {key: row[key] for key in keys}
        row["difference_mean"], row["difference_ci95"] = against(
            rows, about, about | {"model": TWIN}, "accuracy")
    return made
