"""``bench --suite memory``: peak memory of a whole process that loads a model and predicts.

Compared with a process that has run one trivial cached kernel, since Numba and LLVM take over
100 MB before the first number is multiplied. Peaks differ by a few pages from run to run; the
median of several processes is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from minimidl.bench.children import (
    BASE,
    fresh_model,
    peak_bytes,
    predict_program,
    saved_model,
)
from minimidl.bench.suite import SILENT, Row, Suite, Watch
from minimidl.bench.targets import MEMORY_BYTES

CASES = (((784, 1024, 10), 1), ((784, 1024, 10), 1024), ((1024, 4096, 10), 1024))
"""Shape and batch."""

KEEP, BLOCK = 0.45, 32

COLUMNS = ("case", "batch", "n_in", "n_units", "n_out", "granularity", "density", "peak_bytes",
           "base_bytes", "over_base_bytes", "weights_bytes", "activations_bytes", "limit_bytes",
           "met")
LEGEND = """
peak_bytes   peak resident memory of a process that loads a checkpoint and predicts one batch
base_bytes   the same of a process that runs one trivial cached kernel and nothing else
limit_bytes  wanted for over_base_bytes: weights, activations (input, scores, neurons, output) and
             60 MB
"""


def memory_suite(
    watch: Watch = SILENT, *, rounds: int = 7, seed: int = 0,
    cases: Sequence[tuple[tuple[int, int, int], int]] = CASES, keep: float = KEEP,
    block: int = BLOCK,
) -> list[Row]:
    """Weigh every case.

    Args:
        watch: ticks once per case.
        rounds: processes of each kind, in turn.
        seed: not used; every suite has it.
        cases: ``((n_in, n_units, n_out), batch)``.
        keep: share of open gates.
        block: neurons per gate.

    Returns:
        One row per case with the keys :data:`COLUMNS`; bytes, all of them.

    """
    rows = []
    with TemporaryDirectory() as folder:
        for shape, batch in cases:
            rows.append(one_row(Path(folder), shape, batch, keep, block, rounds))
            watch.tick()
    return rows


def one_row(
    folder: Path, shape: tuple[int, int, int], batch: int, keep: float, block: int, rounds: int
) -> Row:
    """Weigh one model at one batch size."""
    program = predict_program(saved_model(folder, shape, keep, block), shape, keep, block, batch)
    for warm_up in (BASE, program):  # compiled and kept on disk here, not in what is weighed
        peak_bytes(warm_up)
    pairs = [(peak_bytes(BASE), peak_bytes(program)) for _ in range(rounds)]
    base, peak = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    weights = sum(value.nbytes for value in fresh_model(shape, keep, block).params.values())
    n_in, n_units, n_out = shape
    activations = 4 * batch * (n_in + n_units // block + n_units + n_out)
    limit = weights + activations + MEMORY_BYTES
    return {
        "case": "load and predict", "batch": batch, "n_in": n_in, "n_units": n_units,
        "n_out": n_out, "granularity": f"block:{block}", "density": keep, "peak_bytes": peak,
        "base_bytes": base, "over_base_bytes": peak - base, "weights_bytes": weights,
        "activations_bytes": activations, "limit_bytes": limit, "met": peak - base <= limit,
        "rounds": rounds,
    }


def steps(cases: Sequence[object] = CASES, **others: object) -> int:
    """How many cases there are."""
    return len(cases)


SUITE = Suite(memory_suite, steps, COLUMNS, LEGEND, rounds=7, quick={"cases": CASES[:1]})
