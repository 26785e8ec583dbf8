"""``bench --suite models``: a trained MNIST network against its dense twin, accuracy and time.

MID-L 784-1024-10 (keep 0.45, blocks of 32, rank-16 gate) and the dense network of the same widths
are trained here, by the same recipe and for as many epochs. Then the gated one answers test
images, end to end through ``Executor.predict``, against the fastest dense network installed, at
batch sizes from 1 to 4,096.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minimidl.bench.contest import Contest
from minimidl.bench.gate_peers import one_torch_thread
from minimidl.bench.gated_models import mnist, trained_model
from minimidl.bench.suite import SILENT, Row, Suite, Watch, judged
from minimidl.bench.targets import MODEL, MODEL_BATCHES, MODEL_POINTS
from minimidl.bench.timing import one_thread
from minimidl.data import Dataset

BATCHES = tuple(2**power for power in range(13))
KEEP, BLOCK, WIDTH, EPOCHS = 0.45, 32, 1024, 6

COLUMNS = ("case", "batch", "n_in", "n_units", "n_out", "granularity", "density", "path", "seconds",
           "peer", "peer_seconds", "ratio", "spread_low", "spread_high", "ideal", "quality",
           "target", "met", "accuracy", "dense_accuracy", "points_lost")
LEGEND = f"""
seconds      median of one batch of test images by Executor.predict, one thread, float32, warm
ratio        seconds of the fastest dense network (peer) / seconds
target, met  the ratio this project wants at batch 1 and 256, and whether it is reached
points_lost  accuracy of the dense twin minus that of this model, in points, test part, one seed,
             same recipe and epochs; at most {MODEL_POINTS} wanted
"""
NO_MNIST = ("left out: suite models, since MNIST is not prepared here (run `minimidl data fetch "
            "mnist`, or `minimidl data prepare mnist --raw DIR`)")


def models_suite(
    watch: Watch = SILENT, *, rounds: int = 9, seed: int = 0, batches: Sequence[int] = BATCHES,
    epochs: int = EPOCHS, n_train: int = 55_000, width: int = WIDTH, block: int = BLOCK,
    data: Dataset | None = None, peers: tuple[str, ...] = (),
) -> list[Row]:
    """Train both, then time every batch size.

    Args:
        watch: ticks once per training and once per batch size.
        rounds: alternating rounds per batch size, at least 7.
        seed: of both trainings.
        batches: batch sizes, at most as many as there are test samples.
        epochs: of both trainings.
        n_train: samples of both trainings.
        width: neurons of the hidden layer.
        block: neurons per gate.
        data: another set of the same kind; None is MNIST.
        peers: names of dense peers; none means all that are installed.

    Returns:
        One row per batch size with the keys :data:`COLUMNS` and those of the layers suite, and
        ``accuracy_met``. No rows where MNIST is not prepared; ``watch.note`` is told.

    """
    data = data or mnist()
    if data is None:
        watch.note(NO_MNIST)
        return []
    facts = {"epochs": epochs, "n_train": n_train, "seed": seed}
    with one_thread(), one_torch_thread():
        dense = dense_accuracy(data, width, **facts)
        watch.tick()
        entry = trained_model(data, width, KEEP, block=block, **facts)
        watch.tick()
        contest = Contest(entry, paths=(), peers=peers)
        rows = []
        for batch in batches:
            rows.append(judged_row(contest.row(batch, rounds), dense))
            watch.tick()
    return rows


def dense_accuracy(data: Dataset, width: int, epochs: int, n_train: int, seed: int) -> float:
    """Train the twin by the same recipe; its accuracy on the test part."""
    from dataclasses import replace

    from minimidl.experiment import make_settings, run_experiment

    part = replace(data, x_train=data.x_train[:n_train], y_train=data.y_train[:n_train])
    settings = make_settings("mnist", {"width": (width,), "epochs": epochs})
    result = run_experiment("dense", part, settings, seed=seed, progress=False, timed=False)
    return float(result.row["accuracy"])


def judged_row(row: Row, dense: float) -> Row:
    """The contest's row with this suite's targets and both accuracies."""
    lost = 100 * (dense - row["accuracy"])
    target = MODEL if row["batch"] in MODEL_BATCHES else None
    verdict: dict[str, Any] = judged(row["ratio"], target)
    # Rounded: 0.2 points of 10,000 images are 20 images, and 20 images are still within.
    return row | verdict | {"case": f"model {row['case']}", "dense_accuracy": dense,
                            "points_lost": lost, "accuracy_met": round(lost, 9) <= MODEL_POINTS}


def steps(batches: Sequence[int] = BATCHES, **others: object) -> int:
    """Two trainings, and the batch sizes."""
    return 2 + len(batches)


SUITE = Suite(models_suite, steps, COLUMNS, LEGEND, quick={
    "batches": (1, 16, 256), "epochs": 1, "n_train": 10_000})
