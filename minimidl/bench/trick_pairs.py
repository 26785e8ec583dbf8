"""Before and after: the tricks of the product itself, which is most of the time."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.trick_cases import Pair, Setting
from minimidl.kernels import gather
from minimidl.layers.initial import aligned_copy

SHIFT = 4
"""Numbers by which badly placed arrays miss the start of a cache line: 16 bytes."""


def gather_or_kernel(s: Setting) -> Pair:
    """NumPy copies the open rows; the kernel reads them where they are."""
    active = np.unpackbits(s.words.view(np.uint8), bitorder="little").reshape(-1, 64).T[:len(s.x)]
    gate = (1 / (1 + np.exp(-s.scores))).astype(np.float32)

    def before() -> Array:
        out = np.repeat(s.base, len(s.x), axis=0)
        gather.neurons(s.x, active, gate, s.block, s.weight_t, s.bias, None,
                       lambda u: np.maximum(u, 0), s.next_weight, out)
        return out

    return Pair("read rows in place instead of copying them", s.case, before, sample_by_sample(s))


def sample_by_sample(s: Setting) -> Callable[[], Array]:
    """The kernel that makes one sample after the other."""
    from minimidl.kernels.compiled import neuron_segment

    room = len(s.x) * s.k * s.block + s.block
    outputs = (np.empty(len(s.x) + 1, np.int64), np.empty(room, np.int64),
               np.empty(room, np.float32), s.out.copy())

    def run() -> Array:
        neuron_segment(*s.arguments(), *outputs)
        return outputs[-1]

    return run


def tiles_by_hand(s: Setting) -> Pair:
    """Four rows that LLVM's vectoriser sees, against six rows in explicit registers."""
    from minimidl.kernels.cpu import multiply_listed, multiply_rows
    from minimidl.kernels.tiles import VECTOR_BYTES

    units = np.flatnonzero(np.diff(s.starts))
    given = (s.x[0], s.weight_t, s.bias, units)
    rest, (first, second) = np.zeros(VECTOR_BYTES // 4, np.float32), (s.room(), s.room())

    def before() -> Array:
        multiply_rows(*given, first, 0, len(units))
        return first

    def after() -> Array:
        multiply_listed(*given, second, 0, len(units), rest)
        return second

    return Pair("registers by hand instead of the vectoriser", s.case, before, after)


def alignment(s: Setting) -> Pair:
    """Weights that start 16 bytes beside a cache line, and on it."""
    from minimidl.kernels.cpu import multiply_listed
    from minimidl.kernels.tiles import VECTOR_BYTES

    units, rest = np.flatnonzero(np.diff(s.starts)), np.zeros(VECTOR_BYTES // 4, np.float32)
    wide = aligned_copy(np.concatenate([np.zeros(SHIFT), s.weight_t.ravel()]), np.float32)

    def run(weight_t: Array) -> Callable[[], Array]:
        room = s.room()

        def call() -> Array:
            multiply_listed(s.x[0], weight_t, s.bias, units, room, 0, len(units), rest)
            return room

        return call

    return Pair("weights start at a cache line", s.case,
                run(wide[SHIFT:].reshape(s.weight_t.shape)), run(s.weight_t))


def turned_round(s: Setting) -> Pair:
    """Sample by sample, and gate by gate."""
    from minimidl.kernels.compiled import batch_segment, choose_words, series

    (x, scores, k, cut, temperature, binary, block, *rest), out = s.arguments(), s.out.copy()
    coefficients = series(np.dtype(np.float32))

    def after() -> Array:
        choose_words(scores, k, cut, s.words)
        batch_segment(x, scores, s.words, block, temperature, binary, coefficients, *rest, out)
        return out

    return Pair("gate by gate instead of sample by sample", s.case, sample_by_sample(s), after)


def ordered(s: Setting, by_count: bool, kept: bool, crowds: int = 1) -> Callable[[], Array]:
    """The product in panels, neurons in one order or the other, for several crowds in turn."""
    from minimidl.bench.trick_kernels import panelled
    from minimidl.kernels.tiles import KEPT, VECTOR_BYTES
    from minimidl.kernels.words import order_by_count

    order, values, lanes = np.arange(len(s.lists)), s.room(), VECTOR_BYTES // 4
    panel = aligned_copy(np.zeros(64 * lanes * min(KEPT[0], s.x.shape[1] // lanes)), np.float32)
    turns, lists = itertools.cycle([s.shuffled(seed) for seed in range(crowds)]), s.lists.copy()

    def run() -> Array:
        given, starts = next(turns)
        lists[...] = given  # into the cache, where the batch kernel has them from making them
        if by_count:
            order_by_count(starts, order)
        panelled(s.x, s.weight_t, lists, starts, order, kept, panel, values)
        return values

    return run


def panel(s: Setting) -> Pair:
    """Whole inputs from the second cache, and panels from the first."""
    from minimidl.bench.trick_kernels import listed_dots

    weights, inputs, n_in = s.weight_t.ravel(), s.x.ravel(), s.x.shape[1]
    order, values = np.arange(len(s.lists)), s.room()

    def before() -> Array:
        listed_dots(weights, 0, n_in, inputs, n_in, n_in, s.lists, s.starts, order, False, values)
        return values

    return Pair("inputs in panels that fit into the first cache", s.case, before,
                ordered(s, False, False))


def kept_rows(s: Setting) -> Pair:
    """The neuron's piece of weights: loaded for every eight samples, or kept."""
    return Pair("the neuron's weights stay in registers", s.case, ordered(s, True, False),
                ordered(s, True, True))


def by_count(s: Setting) -> Pair:
    """Neurons as they come, and those with equally many samples together.

    Sixteen crowds in turn: the branch predictor would learn the lengths of one by heart.
    """
    return Pair("gates ordered by their number of samples", s.case,
                ordered(s, False, True, crowds=16), ordered(s, True, True, crowds=16))


def shared_tiles(s: Setting) -> Pair:
    """The same open places, as single neurons and as blocks."""
    def run(lists: Array, starts: Array, block: int) -> Callable[[], Array]:
        from minimidl.kernels.products import LONGEST, multiply
        from minimidl.kernels.tiles import KEPT, VECTOR_BYTES

        lanes, values = VECTOR_BYTES // 4, s.room()
        longest = min(LONGEST if block > 1 else KEPT[0], s.x.shape[1] // lanes)
        panel = aligned_copy(np.zeros(64 * lanes * longest), np.float32)

        def call() -> Array:
            multiply(s.x, s.weight_t, lists, starts, block, panel, values)
            return values

        return call

    before, after = run(*s.per_neuron(), 1), run(s.lists, s.starts, s.block)
    return Pair("four neurons of a block share a tile", s.case, before,
                after, s.by_neuron)
