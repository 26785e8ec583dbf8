"""``bench --suite layers``: does the clock follow the gate? Single gated layers, batch 1 to 1,024.

MID-L with a rank-16 gate and the linear layer after it, against the fastest dense network of the
same widths: masks per neuron and in blocks, random ones and (784-1024-10) those of a gate that is
trained on MNIST inside the bench. Denser masks than the table of targets asks for show where
skipping stops to pay. The machine's ceilings are measured at the end, for the roofline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minimidl.bench.ceilings import ARRAY_BYTES, ceilings
from minimidl.bench.contest import Contest
from minimidl.bench.gate_peers import one_torch_thread
from minimidl.bench.gated_models import GatedModel, mnist, random_model, trained_model
from minimidl.bench.suite import SILENT, Row, Suite, Watch
from minimidl.bench.targets import DENSITIES, LARGE
from minimidl.bench.timing import one_thread

Shape = tuple[int, int, int]
SHAPES: tuple[Shape, ...] = ((784, 1024, 10), (1024, 4096, 10))
KINDS = ((1, (1, *LARGE)), (16, (1,)), (32, (16, *LARGE)))
"""Neurons per gate, and the batch sizes."""

DENSE_END = (0.7, 1.0)
"""More densities, first shape only: the crossover may lie there."""

COLUMNS = ("case", "batch", "n_in", "n_units", "n_out", "granularity", "density", "path", "seconds",
           "peer", "peer_seconds", "ratio", "spread_low", "spread_high", "ideal", "quality",
           "target", "met", "auto_over_best")
LEGEND = """
seconds      median of one batch by Executor.predict, gate included, one thread, float32, warm
peer         the fastest dense network of the same widths installed here; all are in the JSON
ratio        peer_seconds / seconds; spread_low and spread_high at unlucky and lucky quartiles
ideal        dense MACs / executed MACs, gate included; quality is ratio / ideal
target, met  the ratio this project wants at least, and whether it is reached
auto_over_best  time of "auto" over that of the best of its own paths (wanted: at most 1.05)
random       an untrained gate; its masks favour no neuron
"""
NO_MNIST = ("left out: the trained cases, since MNIST is not prepared here (run `minimidl data "
            "fetch mnist`, or `minimidl data prepare mnist --raw DIR`)")


def layers_suite(
    watch: Watch = SILENT, *, rounds: int = 9, seed: int = 0,
    shapes: Sequence[Shape] = SHAPES, kinds: Sequence[tuple[int, Sequence[int]]] = KINDS,
    densities: Sequence[float] = DENSITIES, dense_end: Sequence[float] = DENSE_END,
    trained: Sequence[int] = LARGE, epochs: int = 4, n_train: int = 20_000,
    read_bytes: Sequence[int] = ARRAY_BYTES, peers: tuple[str, ...] = (),
) -> list[Row]:
    """Time every case.

    Args:
        watch: ticks once per model.
        rounds: alternating rounds per case, at least 7.
        seed: of weights and inputs.
        shapes: ``(n_in, n_units, n_out)`` of the random cases.
        kinds: neurons per gate, and the batch sizes of each.
        densities: shares of open gates.
        dense_end: more of them, for the first shape.
        trained: batch sizes of the trained cases; none leaves them out.
        epochs: of their training.
        n_train: samples of it.
        read_bytes: sizes of the arrays that the ceilings are measured on.
        peers: names of dense peers; none means all that are installed.

    Returns:
        One row per case with the keys :data:`COLUMNS`, and ``peers`` (seconds of all), ``paths``
        (seconds of the executor's own), ``active_ratio``, ``flops``, ``bytes_least``,
        ``flops_per_byte``, ``gflops_executed``, ``max_error``, ``why`` (what auto says of its
        choice), ``usage_low`` and ``usage_high`` (random) or ``accuracy`` (trained); then the rows
        of :func:`~minimidl.bench.ceilings.ceilings`.

    """
    rows: list[Row] = []
    with one_thread(), one_torch_thread():
        for entry, batches in random_entries(shapes, kinds, densities, dense_end, seed):
            rows += rows_of(entry, batches, rounds, peers)
            watch.tick()
        for entry in trained_entries(densities, epochs, n_train, seed, watch) if trained else ():
            rows += rows_of(entry, trained, rounds, peers)
            watch.tick()
        return rows + ceilings(read_bytes)


def rows_of(
    entry: GatedModel, batches: Sequence[int], rounds: int, peers: tuple[str, ...]
) -> list[Row]:
    """One model at its batch sizes."""
    contest = Contest(entry, peers=peers)
    return [contest.row(batch, rounds) for batch in batches]


def random_entries(
    shapes: Sequence[Shape], kinds: Sequence[tuple[int, Sequence[int]]],
    densities: Sequence[float], dense_end: Sequence[float], seed: int,
) -> Iterator[tuple[GatedModel, Sequence[int]]]:
    """Untrained models, one after the other, so that one at a time is in memory."""
    for shape in shapes:
        for density in (*densities, *(dense_end if shape == shapes[0] else ())):
            for block, batches in kinds:
                yield random_model(shape, density, block, max(batches), seed), batches


def trained_entries(
    densities: Sequence[float], epochs: int, n_train: int, seed: int, watch: Watch
) -> Iterator[GatedModel]:
    """Per-neuron gates trained on MNIST, 784-1024-10; none where it is not prepared."""
    data = mnist()
    if data is None:
        watch.note(NO_MNIST)
        return
    for density in densities:
        yield trained_model(data, SHAPES[0][1], density, epochs=epochs, n_train=n_train, seed=seed)


def steps(
    shapes: Sequence[Shape] = SHAPES, kinds: Sequence[tuple[int, Sequence[int]]] = KINDS,
    densities: Sequence[float] = DENSITIES, dense_end: Sequence[float] = DENSE_END,
    trained: Sequence[int] = LARGE, **others: object,
) -> int:
    """How many models there are."""
    random = len(shapes) * len(densities) + len(dense_end)
    return random * len(kinds) + (len(densities) if trained else 0)


SUITE = Suite(layers_suite, steps, COLUMNS, LEGEND, quick={
    "shapes": SHAPES[:1], "kinds": ((1, (1, 256)), (32, (1, 256))), "densities": (0.45, 0.10),
    "dense_end": (), "trained": ()})
