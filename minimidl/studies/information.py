"""What a trained network tells: who knows the label, who is open for whom, and how sure it is.

One row per model and seed, measured once on test samples: sliced information of open and closed
neurons with its value of chance (:mod:`minimidl.studies.known`), and statistics of the last
gated layer whose gates look at the sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minimidl.arrays import Array
from minimidl.data import Dataset
from minimidl.experiment.settings import Settings
from minimidl.layers import Sequential, gated_layers
from minimidl.learning.evaluate import GateMeter
from minimidl.measure.activity import decisions_by_sample
from minimidl.measure.calibration import calibration_error, probabilities
from minimidl.measure.classes import macro_f1
from minimidl.measure.hardness import hardness_and_activity
from minimidl.measure.routing import routing
from minimidl.measure.specificity import specificity
from minimidl.measure.stability import gate_stability
from minimidl.studies.known import label_knowledge, sample_of, told
from minimidl.studies.over_seeds import Row, over_seeds, trained


@dataclass(frozen=True)
class Look:
    """How closely to look.

    Attributes:
        samples: of the test part, all classes in proportion, for sliced information.
        slices: its directions.
        permutations: shuffles for each value of chance.
        noise: on the inputs, for stability: standard deviations of the data.

    """

    samples: int = 1000
    slices: int = 100
    permutations: int = 20
    noise: float = 0.5


QUICK = Look(samples=200, slices=20, permutations=10)

GATE_COLUMNS = (
    "active_ratio", "usage_entropy", "usage_variation", "gate_label_information", "gate_label_p",
    "hardness_correlation", "hardness_p", "selectivity", "specific_share", "flipped_share",
)
"""What is told of the gates; None where none looks at the sample, but for ``active_ratio``: 1
without gates, the open share where connections are gated."""

COLUMNS = ("accuracy", "macro_f1", "calibration_error", *told({}), "open_over_closed",
           *GATE_COLUMNS)
"""All numbers of a row."""


def measure(
    models: Sequence[str], data: Dataset, settings: Mapping[str, Settings], seeds: Sequence[int], *,
    look: Look | None = None, quick: bool = False, bar: Any = None,
) -> list[Row]:
    """Train and look; rows of all seeds, then one summary per model (``"seed": None``).

    Args:
        models: names.
        data: trains on its training part, looks at its test part.
        settings: by model.
        seeds: one training each.
        look: how closely.
        quick: look as :data:`QUICK`.
        bar: a progress bar, one step per training.

    """
    look = look or (QUICK if quick else Look())
    rows: list[Row] = []
    for name, seed, result in trained(models, data, settings, seeds, bar):
        rows.append({"model": name, "dataset": data.name, "seed": seed}
                    | facts_of(result.model, data, look, seed))
        if bar is not None:
            bar.update()
    return rows + over_seeds(rows, ("model", "dataset"), COLUMNS)


def facts_of(model: Sequential, data: Dataset, look: Look, seed: int = 0) -> Row:
    """All of :data:`COLUMNS` of one trained model, and ``layer``, the path of the gates."""
    x, labels = data.x_test, data.y_test
    logits = model.forward(x)[0]
    chance = probabilities(logits)
    knowledge = label_knowledge(model, *sample_of(x, labels, look.samples), seed=seed,
                                n_slices=look.slices, n_permutations=look.permutations)
    smi = told(knowledge)
    split = smi["smi_open"] is not None
    return {
        "accuracy": float((logits.argmax(axis=1) == labels).mean()),
        "macro_f1": macro_f1(labels, logits.argmax(axis=1), data.n_classes),
        "calibration_error": calibration_error(chance, labels), **smi,
        "open_over_closed": smi["smi_open"] - smi["smi_closed"] if split else None,
        **gate_facts(model, x, labels, data.n_classes, look, seed),
    }


def gate_facts(
    model: Sequential, x: Array, labels: Array, n_classes: int, look: Look, seed: int = 0
) -> Row:
    """Statistics of the last gated layer that looks at the sample; see :data:`GATE_COLUMNS`."""
    memory = model.forward(x)[1]
    decisions = decisions_by_sample(model, memory, len(x))
    if not decisions:
        meter = GateMeter(gated_layers(model))
        meter.add(memory)
        return ({"layer": None} | dict.fromkeys(GATE_COLUMNS)
                | {"active_ratio": meter.active_ratio})
    path = list(decisions)[-1]
    active = decisions[path].active
    spread = routing(active, labels, n_permutations=look.permutations, seed=seed)
    link = hardness_and_activity(model, x, n_permutations=look.permutations * 4, seed=seed)
    gates = specificity(active, labels, n_classes, look.permutations, seed)
    steady = gate_stability(model, x, look.noise, seed)[path]
    selective = gates.selectivity[gates.preferred >= 0]
    facts = {
        "active_ratio": float(active.mean()), "usage_entropy": spread.entropy,
        "usage_variation": spread.variation,
        "gate_label_information": spread.information.corrected,
        "gate_label_p": spread.information.p_value,
        "hardness_correlation": link.spearman, "hardness_p": link.spearman_p,
        "selectivity": float(selective.mean()) if selective.size else None,
        "specific_share": float((gates.information > gates.chance).mean()),
        "flipped_share": steady.flip_rate,
    }
    return {"layer": path} | {name: None if value is None or value != value else float(value)
                              for name, value in facts.items()}
