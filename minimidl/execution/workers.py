"""Sharing the parts of a batch among threads: every part has an owner, and no part has two.

The kernels release Python's lock, and every part writes rows of its own, so threads need no locks
and the answer is bit for bit that of one thread. Plain Python threads: nothing that a forked
process could inherit half-alive, and no second library's threads beside BLAS's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def share(part: Callable[[int, int], None], parts: int, threads: int) -> None:
    """Call ``part(start, stop)`` for contiguous shares of ``range(parts)``, one per thread."""
    threads = min(threads, parts)
    if threads <= 1:
        part(0, parts)
        return
    edges = [parts * thread // threads for thread in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, edges[:-1], edges[1:]))  # raises here what a thread raised
