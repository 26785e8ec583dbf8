"""The plasticity experiment: a drifting stream, five modes, recovery curves over seeds.

What the modes are is told in :mod:`minimidl.studies.modes`. The stream goes through the phases
of :mod:`minimidl.studies.drifts`. A curve is judged on the test part as the phase at hand shows
it; where a phase ends it has two points, before and after the drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from minimidl.data import Dataset
from minimidl.data.drift import DriftStream
from minimidl.experiment.recipe import asked_share, make_budgets
from minimidl.experiment.settings import Settings
from minimidl.experiment.statistics import half_width, mean
from minimidl.layers import Layer, gated_layers
from minimidl.learning import evaluate
from minimidl.studies.adaptation import Adaptation, Check
from minimidl.studies.drifts import hurting_phases
from minimidl.studies.modes import MODES, ModeOptions, adapt_in_modes
from minimidl.studies.over_seeds import Row, against, over_seeds, trained
from minimidl.studies.ownership import has_gated_neurons, neurons_of

VALUES = ("accuracy", "accuracy_before", "clean_before", "clean_after", "clean_lost",
          "active_ratio", "active_before", "recovery")
"""Numbers of a row that are averaged over seeds."""


@dataclass(frozen=True)
class Drift:
    """How long the stream is.

    Attributes:
        steps: batches in each phase.
        batch_size: labelled samples per batch, from the training part.
        part: which part judges; the validation part where something is still being chosen.

    """

    steps: int = 50
    batch_size: int = 64
    part: str = "test"


QUICK = Drift(steps=10)


def measure(
    models: Sequence[str], data: Dataset, settings: Mapping[str, Settings], seeds: Sequence[int], *,
    drift: Drift | None = None, options: ModeOptions | None = None, modes: Sequence[str] = MODES,
    quick: bool = False, bar: Any = None,
) -> list[Row]:
    """Train, adapt in every mode; rows of all seeds, then one summary per model and mode.

    Args:
        models: names.
        data: trains on its training part; the stream shows that part again, drifted.
        settings: by model.
        seeds: one training and one stream each; all models of a seed meet the same stream.
        drift: length of the stream.
        options: how to adapt.
        modes: of :data:`~minimidl.studies.modes.MODES`.
        quick: a stream of :data:`QUICK`.
        bar: a progress bar, one step per training.

    """
    drift = drift or (QUICK if quick else Drift())
    rows: list[Row] = []
    for name, seed, result in trained(models, data, settings, seeds, bar):
        about = {"model": name, "dataset": data.name, "seed": seed}
        rows += [about | row for row in adapted(result.model, data, settings[name], drift,
                                                options or ModeOptions(), modes, seed)]
        if bar is not None:
            bar.update()
    return rows + summed_up(rows)


def adapted(
    model: Layer, data: Dataset, settings: Settings, drift: Drift, options: ModeOptions,
    modes: Sequence[str] = MODES, seed: int = 0,
) -> list[Row]:
    """One row per mode of one trained model, which is left as it was."""
    stream = DriftStream(data, hurting_phases(data, seed), drift.steps, drift.batch_size, seed)
    views = [stream.drifted(phase, drift.part) for phase in range(len(stream.phases))]

    def judge(step: int) -> list[Check]:
        """The phase of the step just done, and at its end the next one, too."""
        phases = {max(0, step - 1) // drift.steps, min(step // drift.steps, len(views) - 1)}
        return [{"step": step, "phase": stream.phases[phase].name} | judged(model, views[phase])
                for phase in sorted(phases)]

    clean = judged(model, data.part(drift.part))
    budgets = partial(make_budgets, model, asked_share(model, settings.model), settings.train)
    done = adapt_in_modes(
        model, [(batch.x, batch.y) for batch in stream], judge, x_clean=data.x_val, modes=modes,
        options=options, budgets=budgets, seed=seed)
    rare = (sum(int((neurons.open_rate < options.closed_below).sum())
                for neurons in neurons_of(model, data.x_val)) if has_gated_neurons(model) else None)
    rows = [row_of(mode, result, clean, rare, drift.steps) for mode, result in done.items()]
    return with_recovery(rows)


def judged(model: Layer, view: Any) -> Check:
    """Accuracy and share of open neurons (None without gates)."""
    told = evaluate(model, *view)
    return {"accuracy": told["accuracy"],
            "active_ratio": told["active_ratio"] if gated_layers(model) else None}


def row_of(mode: str, result: Adaptation, clean: Check, rare: int | None, steps: int) -> Row:
    """What one mode did. Drifted phases are all but the last one, which is clean again.

    A phase is entered at its first check and left at its last one; "before" is the entry of the
    first phase, when nothing has moved yet.
    """
    phases = list(dict.fromkeys(check["phase"] for check in result.checks))
    ends = [[check for check in result.checks if check["phase"] == phase] for phase in phases]
    drifted, again = [end[-1] for end in ends[:-1]], ends[-1][0]
    return {
        "mode": mode, "accuracy": mean([end["accuracy"] for end in drifted]),
        "clean_before": clean["accuracy"], "clean_after": again["accuracy"],
        "clean_lost": clean["accuracy"] - again["accuracy"],
        "active_ratio": mean_if_told([end["active_ratio"] for end in drifted]),
        "active_before": clean["active_ratio"], "movable": result.movable,
        "reached": result.reached, "moved": result.moved, "closed_neurons": rare,
        "learns": result.moved > 0, "note": note_of(mode, result), "curve": result.checks,
    }


def mean_if_told(values: Sequence[float | None]) -> float | None:
    """The mean, or None where one is missing."""
    told = [value for value in values if value is not None]
    return mean(told) if len(told) == len(values) else None


def note_of(mode: str, result: Adaptation) -> str:
    """Why a mode that should learn could not; empty where it did."""
    if mode == "neither" or result.moved:
        return ""
    if not result.movable:
        return "nothing to move: no neuron is rarely open on clean validation samples"
    return "could not learn: none of its neurons opens on the stream"


def with_recovery(rows: list[Row]) -> list[Row]:
    """Add what the drift cost (``accuracy_before``) and which share of it a mode won back.

    ``recovery = (accuracy - frozen) / (clean_before - frozen)``, frozen being the accuracy of
    ``neither``; None without that mode, and where the drift cost less than :data:`SMALLEST`.
    """
    frozen = next((row["accuracy"] for row in rows if row["mode"] == "neither"), None)
    for row in rows:
        cost = None if frozen is None else row["clean_before"] - frozen
        row["accuracy_before"] = frozen
        told = frozen is not None and cost is not None and cost >= SMALLEST
        row["recovery"] = (row["accuracy"] - frozen) / cost if told else None
    return rows


SMALLEST = 0.01
"""Accuracy that a drift must cost before shares of it mean something."""


def summed_up(rows: Sequence[Row]) -> list[Row]:
    """One row per model and mode: means, differences to ``neither``, and the mean curve."""
    made = over_seeds(rows, ("model", "dataset", "mode"), VALUES)
    for row in made:
        mine = [other for other in rows if (other["model"], other["mode"])
                == (row["model"], row["mode"])]
        row["difference_mean"], row["difference_ci95"] = against(
            rows, {"model": row["model"], "mode": row["mode"]},
            {"model": row["model"], "mode": "neither"}, "accuracy")
        row["curve"] = [curve_point(points)
                        for points in zip(*(other["curve"] for other in mine), strict=True)]
    return made


def curve_point(points: Sequence[Check]) -> Check:
    """Mean and half-width over seeds of one point of a curve."""
    heights = [point["accuracy"] for point in points]
    return {"step": points[0]["step"], "phase": points[0]["phase"],
            "accuracy_mean": mean(heights), "accuracy_ci95": half_width(heights)}
