"""One run of a comparison, by rules that are equal for all models.

* The training part trains; the validation part chooses the epoch and, with a search, the settings.
  Neither the training nor the search is given the test part: it is replaced by an empty one.
* The test part is read once, when everything is chosen, for the row.
* Every model trains for the same number of epochs and gets the same number of random draws.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from minimidl.data import Dataset
from minimidl.errors import InputError
from minimidl.experiment.judging import judge
from minimidl.experiment.models import build_model
from minimidl.experiment.plan import Plan, Run, read_of, uncommon
from minimidl.experiment.recipe import fit_arguments
from minimidl.experiment.run import Trained, train
from minimidl.experiment.search import draws
from minimidl.experiment.settings import make_settings
from minimidl.learning import count_steps
from minimidl.learning.loop import OnEpoch

Row = dict[str, Any]


def check_models(plan: Plan, runs: Sequence[Run], data: Mapping[str, Dataset]) -> None:
    """Build what will be trained, once per model and data set, and forget it again.

    Raises:
        InputError: a setting that a model, its optimiser or its wiring refuses: better now than
            when its turn comes.

    """
    for dataset, model in dict.fromkeys((run.dataset, run.model) for run in runs):
        settings, own = plan.settings(dataset, model), data[dataset]
        with named(f"{dataset} {model}"):
            built = build_model(model, own.n_features, own.n_classes, settings.model)
            asked = fit_arguments(built, own, settings.model, settings.train, model)
            if asked["wiring"] is not None:
                steps = asked["epochs"] * count_steps(len(own.x_train), asked["batch_size"])
                asked["wiring"].begin(built, asked["optimizer"], steps)


@contextmanager
def named(run: str) -> Iterator[None]:
    """Say in which run something went wrong."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{run}: {error}") from None


def run_one(
    plan: Plan, run: Run, data: Dataset, *, timed: bool = True, on_epoch: Sequence[OnEpoch] = ()
) -> Row:
    """Train, choose, judge.

    Args:
        plan: the rules.
        run: which one of its runs.
        data: the data set of that name.
        timed: whether to measure times and memory.
        on_epoch: called after every epoch, as :func:`minimidl.learning.fit` does.

    Returns:
        The row of the contract; besides: ``val_score`` (what the choice was made by),
        ``searched`` (the winning draw, {} where the recipe itself won or nothing was searched),
        ``settings`` (what differs from the common defaults; the file holds these once),
        ``seconds`` (the whole run) and ``seconds_judging`` (the part of it spent on the test part,
        times included).

    """
    begin = time.perf_counter()
    trained, drawn = choose(plan, run, data, on_epoch)
    middle = time.perf_counter()
    judged = judge(trained.model, data, timed=timed, twin=trained.twin)
    end = time.perf_counter()
    return {
        "model": run.model, "dataset": run.dataset, "seed": run.seed, **judged,
        "params": sum(p.size for p in trained.model.params.values()),
        "epochs": len(trained.history), "checkpoint": None,
        "val_score": list(trained.score), "searched": drawn,
        "settings": uncommon(trained.settings), "seconds": end - begin,
        "seconds_judging": end - middle,
    }


def choose(
    plan: Plan, run: Run, data: Dataset, on_epoch: Sequence[OnEpoch] = ()
) -> tuple[Trained, dict[str, float]]:
    """Train once per draw; the best on the validation part, the first of equals, and its draw.

    A random draw that diverges has lost; the recipe itself must not.
    """
    mine = read_of(run.model, plan.chosen)
    best: tuple[Trained, dict[str, float]] | None = None
    for drawn in draws(run.model, run.dataset, mine, plan.search, run.seed):
        settings = make_settings(run.dataset, {**mine, **drawn})
        try:
            trained = train(run.model, data, settings, seed=run.seed, progress=False,
                            on_epoch=on_epoch)
        except InputError:
            if not drawn:
                raise
            continue
        if best is None or trained.score > best[0].score:
            best = trained, drawn
    assert best is not None  # the first draw is always there
    return best
