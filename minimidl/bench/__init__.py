"""Timing against the strongest dense peer that is installed."""

from minimidl.bench.latency import batch1_latency
from minimidl.bench.peers import DensePeer, best_peer, dense_peers
from minimidl.bench.timing import Timing, alternate, one_thread

__all__ = [
    "DensePeer", "Timing", "alternate", "batch1_latency", "best_peer", "dense_peers", "one_thread",
]
