"""How a chain runs gate by gate, for many samples."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from minimidl.arrays import Array
from minimidl.execution.chain_forms import ChainForm, Decided
from minimidl.execution.forms import unpacked
from minimidl.execution.link import Link
from minimidl.execution.workers import share
from minimidl.layers import Linear


class Crowd(ChainForm):
    """Gate by gate, 64 samples at a time; see :mod:`minimidl.kernels.chain_batch`."""

    def __init__(
        self, links: Sequence[Link], linear: Linear | None, kernels: ModuleType, threads: int
    ) -> None:
        super().__init__(links, linear)
        self.kernels, self.threads = kernels, threads
        self.lanes = kernels.VECTOR_BYTES // links[0].bias.itemsize
        self.no_pieces = np.empty((0, 0), np.int64), np.empty(0, np.int64)
        self.none = np.empty((0, 0), links[0].bias.dtype)

    def predict(self, x: Array) -> Array | None:
        """Output ``(batch, n_out)``."""
        layers = self.layers(x)
        return None if layers is None else layers[-1][2]

    def forward(self, x: Array) -> tuple[Array, Decided] | None:
        """Output, and what was decided."""
        layers = self.layers(x)
        if layers is None:
            return None
        decided: Decided = []
        given = x
        for link, (scores, words, out) in zip(self.links, layers, strict=True):
            decided.append((given, link.decide(given, scores, unpacked(words, len(x)))))
            given = out
        return given, decided

    def layers(self, x: Array) -> list[tuple[Array, Array, Array]] | None:
        """Scores, words and output of every gated layer; of the last, behind the linear layer."""
        results: list[tuple[Array, Array, Array]] = []
        for position, link in enumerate(self.links):
            scores = link.scores(x)
            words = np.empty((-(-len(x) // self.kernels.CROWD), link.gated.n_gates), np.uint64)
            k, cut, _ = link.selection()
            if self.kernels.choose_words(scores, k, cut, words):
                return None
            pieces = self.no_pieces
            if position > 0:
                pieces = self.pieces(self.links[position - 1], link, results[-1][1], len(x))
            last = position == len(self.links) - 1
            x = self.run(link, x, pieces, scores, words, last)
            results.append((scores, words, x))
        return results

    def pieces(self, before: Link, link: Link, words: Array, batch: int) -> tuple[Array, Array]:
        """The registers that every sample opened in the layer before, where they can be skipped."""
        block, own = before.gated.block, link.gated.block
        if not self.kernels.skips(block, own, link.bias.itemsize):
            return self.no_pieces
        places = np.empty((batch, link.gated.n_in // self.lanes), np.int64)
        counts = np.empty(batch, np.int64)
        self.kernels.open_registers(words, block, self.lanes, places, counts)
        return places, counts

    def run(
        self, link: Link, x: Array, pieces: tuple[Array, Array], scores: Array, words: Array,
        last: bool,
    ) -> Array:
        """One layer, shared among threads: every one owns some words of samples."""
        weight, base, width = self.none, self.none, link.gated.n_out
        if last and self.linear is not None:
            weight, base, width = self.next_weight, self.next_bias, self.n_out
        out = np.empty((len(x), width), x.dtype)
        crowd, temperature = self.kernels.CROWD, link.selection()[2]
        block, *rest = link.tail

        def part(start: int, stop: int) -> None:
            rows = slice(start * crowd, stop * crowd)
            self.kernels.batch_layer(
                x[rows], pieces[0][rows], pieces[1][rows], scores[rows], words[start:stop], block,
                temperature, link.binary, link.series, *rest, weight, base, out[rows])

        share(part, len(words), self.threads)
        return out
