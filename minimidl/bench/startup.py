"""``bench --suite startup``: what a process takes to import, and to its first prediction.

Everything is a fresh process, timed from outside. ``import minimidl`` alternates with
``import numpy``. "Cold" gives every process an empty cache of compiled kernels, "warm" a
filled one. Compiling is slow, so there are as many cold rounds as fit into a budget.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from minimidl.bench.children import predict_program, quartiles, run_child, saved_model
from minimidl.bench.suite import SILENT, Row, Suite, Watch
from minimidl.bench.targets import COLD_SECONDS, IMPORT_TIMES, WARM_SECONDS

SHAPE, KEEP, BLOCK, BATCHES = (784, 1024, 10), 0.45, 32, (1, 256)
COLD_BUDGET, FEWEST_COLD = 25.0, 3
"""Seconds for cold processes per case, and how many there are at least."""

COLUMNS = ("case", "batch", "n_in", "n_units", "n_out", "seconds", "seconds_low", "seconds_high",
           "rounds", "peer", "peer_seconds", "ratio", "limit_seconds", "met")
LEGEND = """
seconds      median of whole processes, start to end; seconds_low and seconds_high are quartiles
ratio        peer_seconds / seconds
limit        wanted at most: 1.3 times import numpy; 5 s with an empty cache of kernels; 0.8 s with
             a filled one
"""


def startup_suite(
    watch: Watch = SILENT, *, rounds: int = 9, seed: int = 0,
    batches: tuple[int, ...] = BATCHES, cold_budget: float = COLD_BUDGET,
) -> list[Row]:
    """Time imports and first predictions.

    Args:
        watch: ticks once per row.
        rounds: processes of each kind, cold ones excepted.
        seed: not used; every suite has it.
        batches: of the one prediction that a process makes.
        cold_budget: seconds after which no further cold process begins, once there are three.

    Returns:
        Rows with the keys :data:`COLUMNS`: the import, then cold and warm for every batch size.

    """
    rows = [import_row(rounds)]
    watch.tick()
    with TemporaryDirectory() as folder:
        path = saved_model(Path(folder), SHAPE, KEEP, BLOCK)
        for batch in batches:
            program = predict_program(path, SHAPE, KEEP, BLOCK, batch)
            for case, limit, times in (
                ("cold process", COLD_SECONDS, cold_times(program, rounds, cold_budget)),
                ("warm process", WARM_SECONDS, warm_times(program, rounds)),
            ):
                rows.append(process_row(f"{case}: load and predict", batch, limit, times))
                watch.tick()
    return rows


def import_row(rounds: int) -> Row:
    """``import minimidl`` against ``import numpy``, in turn."""
    for name in ("minimidl", "numpy"):  # byte code is written and files are read here
        run_child(f"import {name}")
    pairs = [(run_child("import minimidl")[0], run_child("import numpy")[0])
             for _ in range(rounds)]
    own, peer = quartiles([a for a, _ in pairs]), quartiles([b for _, b in pairs])
    limit = IMPORT_TIMES * peer["seconds"]
    return {"case": "import minimidl", **own, "peer": "import numpy",
            "peer_seconds": peer["seconds"], "ratio": peer["seconds"] / own["seconds"],
            "spread_low": peer["seconds_low"] / own["seconds_high"],
            "spread_high": peer["seconds_high"] / own["seconds_low"],
            "limit_seconds": limit, "met": own["seconds"] <= limit}


def cold_times(program: str, rounds: int, budget: float) -> list[float]:
    """Seconds of processes that find no compiled kernel; at least three of them."""
    begin = time.perf_counter()
    times: list[float] = []
    while len(times) < FEWEST_COLD or (
            len(times) < rounds and time.perf_counter() - begin < budget):
        with kernel_cache() as extra:
            times.append(run_child(program, extra)[0])
    return times


def warm_times(program: str, rounds: int) -> list[float]:
    """Seconds of processes that find all kernels compiled."""
    with kernel_cache() as extra:
        run_child(program, extra)
        return [run_child(program, extra)[0] for _ in range(rounds)]


@contextmanager
def kernel_cache() -> Iterator[dict[str, str]]:
    """An empty cache of kernels of its own, as variables for a child."""
    with TemporaryDirectory() as folder:
        yield {"NUMBA_CACHE_DIR": folder}


def process_row(case: str, batch: int, limit: float, times: list[float]) -> Row:
    """A whole process against the limit."""
    n_in, n_units, n_out = SHAPE
    own = quartiles(times)
    return {"case": case, "batch": batch, "n_in": n_in, "n_units": n_units, "n_out": n_out,
            "granularity": f"block:{BLOCK}", "density": KEEP, **own, "peer": None,
            "peer_seconds": None, "ratio": None, "limit_seconds": limit,
            "met": own["seconds"] <= limit}


def steps(batches: tuple[int, ...] = BATCHES, **others: object) -> int:
    """The import, and two per batch size."""
    return 1 + 2 * len(batches)


SUITE = Suite(startup_suite, steps, COLUMNS, LEGEND, rounds=9, quick={
    "batches": (1,), "cold_budget": 0.0})
