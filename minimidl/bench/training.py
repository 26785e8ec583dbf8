"""``bench --suite training``: one gated training step, and one dense training epoch.

The step is forward, backward and Adam of MID-L 784-1024-10 (keep 0.45, blocks of 32, gradient
"active-only") at batch 128, against the dense network of the same widths in PyTorch eager and here.
The epoch is 20,000 samples of a dense network, batch 128, Adam, against PyTorch eager and
scikit-learn: the same weights, the same batches in the same order, and losses that agree.
PyTorch's fused Adam, which its users have to ask for, stands beside its default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any

from minimidl.arrays import Array
from minimidl.bench.contest import work_of
from minimidl.bench.gate_peers import one_torch_thread
from minimidl.bench.gated_models import random_model
from minimidl.bench.suite import SILENT, Row, Suite, Watch, against, judged
from minimidl.bench.targets import EPOCH, STEP
from minimidl.bench.timing import Call, Timing, alternate, one_thread
from minimidl.bench.trainers import (
    OwnTrainer,
    SklearnTrainer,
    TorchTrainer,
    batches_of,
    dense_model,
    training_set,
)

N_IN, N_OUT, BATCH = 784, 10, 128
KEEP, BLOCK, GRADIENT = 0.45, 32, "active-only"
AGREE = 1e-3
"""Largest relative difference of two mean losses after one epoch of the same training."""

COLUMNS = ("case", "batch", "n_in", "n_units", "n_out", "granularity", "density", "path", "seconds",
           "peer", "peer_seconds", "ratio", "spread_low", "spread_high", "ideal", "target", "met",
           "losses_agree")
LEGEND = """
seconds      median of one step (forward, backward, Adam) or of one epoch, one thread, float32
ratio        peer_seconds / seconds, one row per peer
ideal        dense MACs / executed MACs of the forward pass, gate included
target, met  the ratio this project wants at least, and whether it is reached
losses_agree  the mean losses of the first epoch differ by less than a thousandth
"""


def training_suite(
    watch: Watch = SILENT, *, rounds: int = 9, seed: int = 0, width: int = 1024,
    epoch_widths: Sequence[int] = (256, 1024), samples: int = 20_000, batch: int = BATCH,
    gradient: str = GRADIENT,
) -> list[Row]:
    """Time the step and the epochs.

    Args:
        watch: ticks once for the step, and once per epoch width.
        rounds: alternating rounds, at least 7.
        seed: of weights and data.
        width: neurons of the gated network.
        epoch_widths: neurons of the dense networks.
        samples: of an epoch.
        batch: samples per step.
        gradient: the executor's.

    Returns:
        One row per case and peer with the keys :data:`COLUMNS`, and ``peers`` (seconds of all) and
        ``losses`` (epochs: mean loss of the first one, by library).

    """
    with one_thread(), one_torch_thread():
        rows = step_rows(width, batch, gradient, rounds, seed)
        watch.tick()
        for units in epoch_widths:
            rows += epoch_rows(units, samples, batch, rounds, seed)
            watch.tick()
    return rows


def installed(**builders: Callable[[], Any]) -> dict[str, Any]:
    """The trainers whose library is there, by name (underscores become spaces)."""
    found = {}
    for name, build in builders.items():
        try:
            found[name.replace("_", " ")] = build()
        except ImportError:  # not installed: a peer less
            continue
    return found


def step_rows(width: int, batch: int, gradient: str, rounds: int, seed: int) -> list[Row]:
    """One gated step against dense ones, on a few batches in turn."""
    entry = random_model((N_IN, width, N_OUT), KEEP, BLOCK, batch, seed)
    ideal = work_of(entry.model, entry.inputs)["ideal"]
    dense = dense_model(N_IN, width, N_OUT, seed)
    trainers = {"own": OwnTrainer(entry.model, gradient=gradient)} | installed(
        torch=lambda: TorchTrainer(dense), torch_fused=lambda: TorchTrainer(dense, fused=True)
    ) | {"own dense": OwnTrainer(dense)}
    x, y = training_set(16 * batch, N_IN, N_OUT, seed)
    timings = alternate({name: stepper(trainer.step, x, y, batch)
                         for name, trainer in trainers.items()}, rounds=rounds,
                        round_seconds=0.05)
    facts = {"case": "gated step", "batch": batch, **sizes(width), "granularity": f"block:{BLOCK}",
             "density": KEEP, "path": gradient, "ideal": ideal, "rounds": rounds}
    return compared(facts, timings, STEP)


def stepper(
    step: Callable[[Array, Array], float], x: Array, y: Array, batch: int
) -> Call:
    """One step after the other, through all batches again and again."""
    endless = cycle(list(batches_of(x, y, batch)))
    return lambda: step(*next(endless))


def epoch_rows(width: int, samples: int, batch: int, rounds: int, seed: int) -> list[Row]:
    """One dense epoch in every library; the first one also proves that they do the same."""
    model = dense_model(N_IN, width, N_OUT, seed)
    trainers = installed(
        torch=lambda: TorchTrainer(model), torch_fused=lambda: TorchTrainer(model, fused=True),
        scikit_learn=lambda: SklearnTrainer(model, batch, N_OUT))
    trainers = {"scikit-learn" if name == "scikit learn" else name: trainer
                for name, trainer in trainers.items()} | {"own": OwnTrainer(model)}
    x, y = training_set(samples, N_IN, N_OUT, seed)
    losses = {name: trainer.epoch(x, y, batch) for name, trainer in trainers.items()}
    timings = alternate({name: partial(trainer.epoch, x, y, batch)
                         for name, trainer in trainers.items()}, rounds=rounds)
    facts = {"case": f"dense epoch of {samples:,}", "batch": batch, **sizes(width),
             "granularity": "dense", "density": 1.0, "path": "dense", "ideal": 1.0,
             "samples": samples, "rounds": rounds, "losses": losses,
             "losses_agree": agree(list(losses.values()))}
    return compared(facts, timings, EPOCH)


def agree(losses: list[float]) -> bool:
    """Whether all losses are the same to one in a thousand."""
    return max(losses) - min(losses) <= AGREE * min(losses)


def compared(
    facts: Row, timings: dict[str, Timing], targets: dict[str, float]
) -> list[Row]:
    """One row per peer."""
    own = timings["own"]
    peers = {name: timing for name, timing in timings.items() if name != "own"}
    seconds = {name: timing.seconds for name, timing in peers.items()}
    rows = []
    for name, timing in peers.items():
        versus = against(own, timing)
        verdict = judged(versus["ratio"], targets.get(name))
        rows.append(facts | {"seconds": own.seconds, "peer": name} | versus | verdict
                    | {"peers": seconds})
    return rows


def sizes(width: int) -> Row:
    """The three widths."""
    return {"n_in": N_IN, "n_units": width, "n_out": N_OUT}


def steps(epoch_widths: Sequence[int] = (256, 1024), **others: object) -> int:
    """The step, and every epoch width."""
    return 1 + len(epoch_widths)


SUITE = Suite(training_suite, steps, COLUMNS, LEGEND, rounds=7, quick={
    "epoch_widths": (256,), "samples": 2_000})
