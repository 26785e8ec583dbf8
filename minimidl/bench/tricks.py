"""The kernels' tricks, one by one: the time without and with each, as a table in Markdown.

``python -m minimidl.bench.tricks`` writes the table of ``tutorials/kernels/README.md`` for this
machine. Both sides of a pair compute the same numbers; a test compares them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.timing import Timing, alternate, one_thread
from minimidl.bench.trick_cases import Pair, Setting
from minimidl.kernels import gather
from minimidl.kernels.choose import why_not_compiled
from minimidl.layers.initial import aligned_copy

SHAPE = (784, 1024, 10)
BLOCK = 32
ROUNDS, SECONDS = 51, 0.002
"""Many short rounds: most of them pass between two visits of another program."""


def pairs(shape: tuple[int, int, int] = SHAPE) -> Iterator[Pair]:
    """All tricks that can be undone; imports Numba and compiles what it needs.

    Args:
        shape: inputs (whole registers), units (a multiple of 32) and outputs.

    """
    from minimidl.bench import trick_pairs as of

    one, many, few = (Setting(shape, *case) for case in ((1, 0.45), (64, 0.45), (64, 0.1)))
    blocks = Setting(shape, 64, 0.45, BLOCK)
    yield from (of.gather_or_kernel(one), of.tiles_by_hand(one), of.alignment(one))
    yield from (of.turned_round(many), of.turned_round(few), words_or_sorting(many))
    yield from (of.panel(many), of.panel(few), of.kept_rows(many))
    yield from (of.by_count(many), of.by_count(few), of.shared_tiles(blocks))
    yield from (next_rows(blocks), apart(many), exponentials(many), reordered(many))


def words_or_sorting(s: Setting) -> Pair:
    """Who opens what: NumPy's partition and its lists, or counting and bits."""
    from minimidl.kernels.compiled import choose_words
    from minimidl.kernels.words import list_samples

    def before() -> Array:
        best = np.argpartition(-s.scores, s.k - 1, axis=1)[:, :s.k]
        mask = np.zeros(s.scores.shape, bool)
        np.put_along_axis(mask, best, True, axis=1)
        return np.array([len(samples) for samples in gather.samples_by_gate(mask)])

    def after() -> Array:
        choose_words(s.scores, s.k, 0.0, s.words)
        list_samples(s.words[0], s.lists, s.starts)
        return np.diff(s.starts)

    return Pair("count and set bits instead of sorting", s.case, before, after)


def next_rows(s: Setting) -> Pair:
    """The next layer, one row at a time and four."""
    from minimidl.kernels.batch import add_rows_to_all
    from minimidl.kernels.tile_code import BLOCK_ROWS
    from minimidl.kernels.words import CROWD

    rng, wide = np.random.default_rng(1), s.wide()
    values = rng.standard_normal(int(s.starts[-1]) * s.block).astype(np.float32)
    single = s.by_neuron(values)
    spare = aligned_copy(np.zeros(BLOCK_ROWS * wide), np.float32)

    def run(lists: Array, starts: Array, block: int, values: Array) -> Callable[[], Array]:
        totals = aligned_copy(np.zeros(CROWD * wide), np.float32)

        def call() -> Array:
            totals[:] = 0
            add_rows_to_all(s.next_weight, lists, starts, block, values, spare, totals, wide)
            return totals.reshape(CROWD, wide)[:, :s.out.shape[1]]

        return call

    return Pair("four rows of the next layer at a time", s.case, run(*s.per_neuron(), 1, single),
                run(s.lists, s.starts, s.block, values))


def apart(s: Setting) -> Pair:
    """Scores of a gate's samples from rows a power of two apart, or an odd number of lines."""
    from minimidl.bench.trick_kernels import collect

    samples, gates = s.scores.shape
    stride = (gates // 16 | 1) * 16 + 32

    def run(stride: int) -> Callable[[], Array]:
        rows = aligned_copy(np.zeros((samples, stride)), np.float32)
        rows[:, :gates] = s.scores
        flat, room = rows.ravel(), s.room()

        def call() -> Array:
            collect(flat, stride, s.lists, s.starts, room)
            return room

        return call

    return Pair("rows an odd number of cache lines apart", s.case, run(gates), run(stride))


def exponentials(s: Setting) -> Pair:
    """Gate values one by one, or in one sweep."""
    from minimidl.bench.trick_kernels import sigmoids, swept_sigmoids
    from minimidl.kernels.compiled import series

    scores = np.random.default_rng(1).standard_normal(int(s.starts[-1])).astype(np.float32)
    (first, second, room), given = (s.room() for _ in range(3)), series(scores.dtype)

    def before() -> Array:
        sigmoids(scores, first)
        return first

    def after() -> Array:
        swept_sigmoids(scores, given, room, second)
        return second

    return Pair("exponentials in one sweep", s.case, before, after)


def reordered(s: Setting) -> Pair:
    """One sum of all weights, in the order written and in any."""
    from minimidl.bench.trick_kernels import free_sum, strict_sum

    values = s.x.ravel()
    return Pair("leave to reorder a sum", f"{values.size:,} numbers",
                lambda: np.asarray(strict_sum(values)), lambda: np.asarray(free_sum(values)))


def row(pair: Pair, before: Timing, after: Timing) -> str:
    """One line of the table: microseconds, lower quartiles, since other programs only add time."""
    times = " | ".join(f"{1e6 * time.low:.3g}" for time in (before, after))
    return f"| {pair.name} | {pair.case} | {times} | {before.low / after.low:.2f} |"


def table(shape: tuple[int, int, int] = SHAPE, rounds: int = ROUNDS) -> Iterator[str]:
    """The lines of the table, each as soon as it is measured; one thread, in turns."""
    yield "| trick | case | without, µs | with, µs | times |"
    yield "|---|---|---|---|---|"
    for pair in pairs(shape):
        with one_thread():
            times = alternate({"before": pair.before, "after": pair.after}, rounds=rounds,
                              round_seconds=SECONDS)
        yield row(pair, times["before"], times["after"])


def main(arguments: list[str] | None = None) -> int:
    """Command of this module; 0, or 1 where nothing is compiled."""
    parser = argparse.ArgumentParser(prog="python -m minimidl.bench.tricks",
                                     description="Time the kernels without and with each trick.")
    parser.add_argument("--rounds", type=int, default=ROUNDS,
                        help=f"alternating rounds ({ROUNDS})")
    options = parser.parse_args(arguments)
    if reason := why_not_compiled():
        print(reason)
        return 1
    for line in table(rounds=options.rounds):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
