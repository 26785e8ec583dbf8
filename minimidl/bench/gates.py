"""``bench --suite gates``: Top-k operators against PyTorch, against a sort, and as n grows.

Forward plus backward in float32 on one thread. The number of scores is the same for every n, so
that a flat time per score is linear growth. Every operator is timed in alternation with its peers
and with one NumPy sort of the same array; peers that lose the first short race drop out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.gate_peers import argpartition_mask, one_torch_thread, torch_peers
from minimidl.bench.suite import Row, Suite, Watch, against
from minimidl.bench.timing import Call, alternate, one_thread
from minimidl.errors import require

OPERATORS = ("sigmoid", "lapsum", "capped-simplex", "hard")
SIZES = (100, 1_000, 3_000, 10_000, 30_000, 100_000)
ROWS_AT_1000 = 256
SHARE, TEMPERATURE = 0.25, 0.3
"""k as a share of n, and T in units of the scores' standard deviation."""

COLUMNS = ("operator", "rows", "n", "path", "seconds", "peer", "peer_seconds", "ratio",
           "spread_low", "spread_high", "sorts")
LEGEND = """
seconds      median of one batch, forward plus backward (hard: the mask alone), one thread, float32
ratio        peer_seconds / seconds; spread_low and spread_high at unlucky and lucky quartiles
sorts        seconds in NumPy sorts of the same array
"""


def gates_suite(
    sizes: Sequence[int] = SIZES, rows: int = ROWS_AT_1000, seed: int = 0, rounds: int = 15,
    tick: Callable[[], object] = lambda: None,
) -> list[Row]:
    """Time every operator at every size.

    Args:
        sizes: numbers of scores per row, each at least 4.
        rows: rows at n = 1,000; other sizes get as many as keep the number of scores.
        seed: of the normal scores and gradients.
        rounds: alternating rounds per comparison, at least 7.
        tick: called after every row, for a progress bar.

    Returns:
        One row per operator and size with the keys :data:`COLUMNS`, and ``race``, the seconds of
        every peer that was tried. ``seconds`` is the median for
        the whole batch, forward plus backward (hard: the mask alone); ``ratio`` is
        ``peer_seconds / seconds``, ``spread_low`` and ``spread_high`` the ratio at unlucky and
        lucky quartiles; ``sorts`` is ``seconds`` in NumPy sorts of the same array. Peer entries
        are None where no peer is installed.

    Raises:
        InputError: a size below 4, or fewer than one row.

    """
    require(len(sizes) > 0 and min(sizes) >= 4, "n", list(sizes), "numbers of at least 4")
    require(rows >= 1, "rows", rows, "at least 1")
    found = []
    with one_thread(), one_torch_thread():
        for n in sizes:
            for operator in OPERATORS:
                found.append(one_row(operator, rows_for(n, rows), n, seed, rounds))
                tick()
    return found


def rows_for(n: int, rows_at_1000: int) -> int:
    """As many rows of ``n`` as hold the scores of ``rows_at_1000`` rows of 1,000, rounded."""
    return max(1, round(rows_at_1000 * 1000 / n))


def one_row(operator: str, rows: int, n: int, seed: int, rounds: int) -> Row:
    """Time one operator at one size."""
    rng = np.random.default_rng(seed)
    scores, grad_p = (rng.normal(size=(rows, n)).astype(np.float32) for _ in range(2))
    k = max(1, round(SHARE * n))
    peers = {name: call for name, call in peers_of(operator, scores, k, grad_p).items()
             if operator == "hard" or agrees(call, operator, scores, k)}
    calls = {"own": own_call(operator, scores, k, grad_p),
             "sort": lambda: np.sort(scores, axis=1)}
    race = raced(peers)
    peer = min(race, key=lambda name: race[name]) if race else None
    if peer is not None:
        calls["peer"] = peers[peer]
    timings = alternate(calls, rounds=rounds)
    return {"operator": operator, "rows": rows, "n": n, "path": path_of(scores),
            "seconds": timings["own"].seconds, "peer": peer,
            **against(timings["own"], timings.get("peer")),
            "sorts": timings["own"].seconds / timings["sort"].seconds, "race": race}


def own_call(operator: str, scores: Array, k: int, grad_p: Array) -> Call:
    """Forward and backward of ours; for the hard operator the mask."""
    from minimidl.gates import topk, topk_mask

    if operator == "hard":
        return lambda: topk_mask(scores, k)
    gate = topk(operator)

    def run() -> object:
        _, memory = gate.forward(scores, k, TEMPERATURE)
        return gate.backward(grad_p, memory)

    return run


def peers_of(operator: str, scores: Array, k: int, grad_p: Array) -> dict[str, Call]:
    """Everything installed that does the same."""
    if operator == "hard":
        return {"numpy argpartition": lambda: argpartition_mask(scores, k)}
    return {**torch_peers(operator, scores, k, TEMPERATURE, grad_p)}


def agrees(peer: Call, operator: str, scores: Array, k: int) -> bool:
    """Whether a peer's ``p`` is ours to 1e-3: who answers something else is not compared."""
    from minimidl.gates import topk

    theirs: Any = peer()
    ours, _ = topk(operator).forward(scores, k, TEMPERATURE)
    return bool(np.abs(theirs[0].detach().numpy() - ours).max() < 1e-3)


def raced(peers: dict[str, Call]) -> dict[str, float]:
    """Seconds of every peer in a short race, to find the fastest."""
    if not peers:
        return {}
    timings = alternate(peers, rounds=7, round_seconds=0.002)
    return {name: timing.seconds for name, timing in timings.items()}


def path_of(scores: Array) -> str:
    """Who solves an array of this size here: ``"compiled"`` or ``"numpy"``."""
    from minimidl.kernels.choose import row_kernels

    return "numpy" if row_kernels(scores.size, scores.dtype) is None else "compiled"


def run(watch: Watch, **sizes: Any) -> list[Row]:
    """:func:`gates_suite` as the command line calls every suite."""
    return gates_suite(**sizes, tick=watch.tick)


def steps(sizes: Sequence[int] = SIZES, **others: object) -> int:
    """One per operator and size."""
    return len(sizes) * len(OPERATORS)


SUITE = Suite(run, steps, COLUMNS, LEGEND, rounds=15, quick={"sizes": (100, 10_000)})
