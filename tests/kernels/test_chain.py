"""Gated layers in a row equal the reference; what is closed is never read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import TOLERANCE, close, guarded, intact

from minimidl.kernels import chain_reference as reference
from minimidl.kernels.reference import ACTIVATION_CODES, DONE, NOT_FINITE

pytest.importorskip("numba", reason="Numba is not installed")

from minimidl.kernels import chain, chain_batch, columns
from minimidl.kernels.rows import series
from minimidl.kernels.tiles import VECTOR_BYTES
from minimidl.kernels.words import CROWD, choose_words

pytestmark = pytest.mark.kernels
DTYPES = tuple(TOLERANCE)
LANES = {dtype: VECTOR_BYTES // np.dtype(dtype).itemsize for dtype in DTYPES}


def layer_of(rng, dtype, n_in, n_gates, block, rank):
    """Weights of one gated layer between guards."""
    def draw(*shape, scale=1.0):
        return guarded((scale * rng.normal(size=shape)).astype(dtype))

    return {
        "down": draw(n_in, rank or n_gates, scale=n_in**-0.5),
        "up": draw(rank, n_gates, scale=rank**-0.5) if rank else np.empty((0, 0), dtype),
        "score_bias": draw(n_gates), "every": np.arange(max(n_in, rank)),
        "weight_t": draw(n_gates * block, n_in, scale=n_in**-0.5), "bias": draw(n_gates * block),
    }


def room_of(batch, n_gates, block, dtype):
    """Scores, and offsets, indices and values of a set, between marks and filled with rubbish."""
    most = batch * n_gates * block + block
    return (guarded(np.full((batch, n_gates), np.nan, dtype)),
            guarded(np.full(batch + 1, -9, np.int64)), guarded(np.full(most, -9, np.int64)),
            guarded(np.full(most, np.nan, dtype)))


def problem(dtype, *, batch=5, n_in=70, n_gates=12, block=1, density=0.5, k=4, cut=0.0, rank=3,
            binary=False, activation="relu", seed=0, n_out=5):
    """A set of random size per sample (some of them empty) and the layer that takes it."""
    rng = np.random.default_rng(seed)
    mask = rng.random((batch, n_in)) < density * rng.integers(0, 3, (batch, 1)) / 1.5
    mask[0] = False
    values = rng.normal(size=mask.sum()).astype(dtype)
    before = (np.concatenate([[0], mask.sum(axis=1).cumsum()]), np.nonzero(mask)[1].copy(),
              guarded(values))
    own = layer_of(rng, dtype, n_in, n_gates, block, rank)
    options = (k, cut, 0.7, binary)
    end = (guarded(rng.normal(size=(n_gates * block, n_out)).astype(dtype)),
           guarded(rng.normal(size=(1, n_out)).astype(dtype)))
    return before, own, options, block, ACTIVATION_CODES[activation], end


def same_set(got, wanted, tolerance):
    offsets, indices, values = wanted
    n_open = offsets[-1]
    np.testing.assert_array_equal(got[0], offsets)
    np.testing.assert_array_equal(got[1][:n_open], indices[:n_open])
    close(got[2][:n_open], values[:n_open], tolerance)
    assert all(intact(array) for array in got)


def run_next(before, own, options, block, code, dtype):
    batch, n_gates = len(before[0]) - 1, len(own["score_bias"])
    scores, *opened = room_of(batch, n_gates, block, dtype)
    status = chain.next_layer(
        *before, own["down"], own["up"], own["score_bias"], own["every"], *options,
        series(np.dtype(dtype)), block, own["weight_t"], own["bias"], code, scores, *opened)
    return status, scores, tuple(opened)


def truth(before, own, options, block, code, scores, dtype):
    """The reference on the kernel's own scores: the set must be the one of those."""
    _, *wanted = room_of(*scores.shape, block, dtype)
    assert reference.open_layer(before, scores, *options, block, own["weight_t"], own["bias"], code,
                                *wanted) == DONE
    return tuple(wanted)


def assert_equals_reference(dtype, **options):
    before, own, choice, block, code, end = problem(dtype, **options)
    kept = [array.copy() for array in (*before, *own.values())]
    status, scores, got = run_next(before, own, choice, block, code, dtype)
    assert status == DONE
    wanted_scores = np.empty_like(scores)
    reference.set_scores(before, own["down"], own["up"], own["score_bias"], wanted_scores)
    close(scores, wanted_scores, 3 * TOLERANCE[dtype])
    wanted = truth(before, own, choice, block, code, scores, dtype)
    same_set(got, wanted, 3 * TOLERANCE[dtype])
    out, wanted_out = (guarded(np.full((len(scores), end[0].shape[1]), np.nan, dtype))
                       for _ in range(2))
    chain.linear_layer(*got, *end, out)
    reference.linear_layer(wanted, *end, wanted_out)
    close(out, wanted_out, 5 * TOLERANCE[dtype])
    assert intact(out)
    for array, old in zip((*before, *own.values()), kept, strict=True):
        np.testing.assert_array_equal(array, old)
    return wanted


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 3, 4])
@pytest.mark.parametrize("density", [0.0, 0.05, 0.5, 2.0])
@pytest.mark.parametrize("k", [0, 1, 12])
def test_every_kind_of_set(dtype, block, density, k):
    wanted = assert_equals_reference(dtype, block=block, density=density, k=k)
    if k == 0:
        assert len(set(np.diff(wanted[0]))) > 1 or density == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", [0, 1, 3])
@pytest.mark.parametrize("n_in", [1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100])
def test_every_width(dtype, n_in, rank):
    assert_equals_reference(dtype, n_in=n_in, rank=rank, n_gates=5)
    assert_equals_reference(dtype, n_in=n_in, rank=rank, n_gates=40, batch=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
@pytest.mark.parametrize("binary", [False, True])
def test_every_option(dtype, activation, binary):
    assert_equals_reference(dtype, activation=activation, binary=binary)


@settings(max_examples=25)
@given(st.sampled_from(DTYPES), st.integers(1, 90), st.integers(1, 9), st.integers(1, 5),
       st.floats(-2, 2), st.floats(0, 1.5), st.integers(0, 99))
def test_any_shape(dtype, n_in, n_gates, block, cut, density, seed):
    assert_equals_reference(dtype, n_in=n_in, n_gates=n_gates, block=block, k=0, cut=cut,
                            density=density, seed=seed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_in", [5, 40, 67])
def test_closed_rows_and_columns_are_never_read(dtype, n_in):
    before, own, options, block, code, _ = problem(dtype, n_in=n_in, batch=4, density=0.4)
    for s in range(4):  # sample by sample, because another one may open what this one closes
        one = (np.array([0, before[0][s + 1] - before[0][s]]),
               *(array[before[0][s]:before[0][s + 1]] for array in before[1:]))
        wanted = run_next(one, own, options, block, code, dtype)[2]
        poisoned = {name: value.copy() for name, value in own.items()}
        columns_closed, rows_closed = np.ones(n_in, bool), np.ones(len(own["bias"]), bool)
        columns_closed[one[1]] = False
        rows_closed[wanted[1][:wanted[0][1]]] = False
        poisoned["weight_t"][:, columns_closed] = np.nan
        poisoned["weight_t"][rows_closed] = np.nan
        poisoned["down"][columns_closed] = np.nan
        status, scores, got = run_next(one, poisoned, options, block, code, dtype)
        assert status == DONE
        assert np.isfinite(scores).all()
        assert got[2][:got[0][1]].tobytes() == wanted[2][:wanted[0][1]].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_in", [3, 8, 30])
def test_first_layer_takes_a_dense_input(dtype, n_in):
    _, own, options, block, code, _ = problem(dtype, n_in=n_in, block=2)
    x = guarded(np.random.default_rng(1).normal(size=(6, n_in)).astype(dtype))
    scores, *opened = room_of(6, 12, block, dtype)
    assert chain.first_layer(
        x, own["down"], own["up"], own["score_bias"], own["every"], *options,
        series(np.dtype(dtype)), block, own["weight_t"], own["bias"], code, scores,
        *opened) == DONE
    given_set = reference.dense_set(x)
    wanted = truth(given_set, own, options, block, code, scores, dtype)
    same_set(opened, wanted, 3 * TOLERANCE[dtype])
    dense = np.full((6, 24), np.nan, dtype)
    chain.write_dense(*opened, dense)
    assert (dense != 0).sum() <= opened[0][-1]
    for s in range(6):
        own_places = slice(opened[0][s], opened[0][s + 1])
        np.testing.assert_array_equal(dense[s, opened[1][own_places]], opened[2][own_places])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_reported(bad):
    before, own, options, block, code, _ = problem("float32")
    own["score_bias"][2] = bad
    assert run_next(before, own, options, block, code, "float32")[0] == NOT_FINITE
    scores = np.full((1, 12), bad, np.float32)
    assert reference.open_layer(before, scores, *options, block, own["weight_t"], own["bias"], code,
                                *before) == NOT_FINITE


def test_pieces_worked_by_hand():
    # rows of 11 inputs, registers of 4: columns 0-3, 4-7, and 7-10, of which 7 belongs before
    places, masks = np.zeros(4, np.int64), np.zeros(4, np.uint16)
    assert columns.list_pieces(np.array([1, 3, 7, 8, 10]), 0, 5, 11, 4, places, masks) == 3
    assert list(places[:3]) == [0, 4, 7]
    assert list(masks[:3]) == [0b1010, 0b1000, 0b1010]
    assert columns.list_pieces(np.array([1, 9]), 1, 2, 11, 4, places, masks) == 1
    assert (places[0], masks[0]) == (7, 0b100)


def batch_problem(dtype, block_before, block, batch, activation="relu"):
    """A dense input in which whole gates are 0, and the words that say which."""
    rng = np.random.default_rng(block)
    gates_before = 3 * LANES[dtype] // block_before + 1
    n_in = gates_before * block_before
    given_words = np.zeros((-(-batch // CROWD), gates_before), np.uint64)
    choose_words(rng.normal(size=(batch, gates_before)), 0, 0.4, given_words)
    mask = np.array([[int(given_words[s // CROWD, g]) >> (s % CROWD) & 1
                      for g in range(gates_before)] for s in range(batch)], bool)
    x = guarded((rng.normal(size=(batch, n_in)) * np.repeat(mask, block_before, 1)).astype(dtype))
    return x, np.repeat(mask, block_before, 1), given_words, layer_of(rng, dtype, n_in, 6, block, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block_before", [1, 16, 32])
@pytest.mark.parametrize("block", [1, 3, 4, 12])
@pytest.mark.parametrize("batch", [3, 70])
@pytest.mark.parametrize("n_out", [0, 3])
def test_gate_by_gate(dtype, block_before, block, batch, n_out):
    x, open_columns, given_words, own = batch_problem(dtype, block_before, block, batch)
    lanes = LANES[dtype]
    scores = np.random.default_rng(2).normal(size=(batch, 6)).astype(dtype)
    words = np.zeros((len(given_words), 6), np.uint64)
    choose_words(scores, 2, 0.0, words)
    places, counts = np.empty((0, 0), np.int64), np.empty(0, np.int64)
    if chain_batch.skips(block_before, block, x.itemsize):
        places, counts = np.full((batch, x.shape[1] // lanes), -9), np.full(batch, -9)
        chain_batch.open_registers(given_words, block_before, lanes, places, counts)
        np.testing.assert_array_equal(counts * lanes, open_columns.sum(axis=1))
    n_units = 6 * block
    rng = np.random.default_rng(3)
    weight = (guarded(rng.normal(size=(n_units, n_out)).astype(dtype)) if n_out
              else np.empty((0, 0), dtype))
    base = rng.normal(size=(1, n_out)).astype(dtype)
    out = guarded(np.full((batch, n_out or n_units), np.nan, dtype))
    chain_batch.batch_layer(
        x, places, counts, scores, words, block, 0.7, False, series(np.dtype(dtype)),
        own["weight_t"], own["bias"], ACTIVATION_CODES["relu"], weight, base, out)
    assert intact(out)
    given_set = reference.dense_set(x)
    wanted = truth(given_set, own, (2, 0.0, 0.7, False), block, ACTIVATION_CODES["relu"], scores,
                   dtype)
    answer = np.empty_like(out)
    if n_out:
        reference.linear_layer(wanted, weight, base, answer)
    else:
        chain.write_dense(*wanted, answer)
    close(out, answer, 5 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gate_by_gate_skips_columns_of_blocks_that_nobody_opened(dtype):
    x, open_columns, given_words, own = batch_problem(dtype, 16, 4, 9)
    given_words[:, 1] = 0
    x[:, 16:32] = 0
    places = np.full((9, x.shape[1] // LANES[dtype]), -9)
    counts = np.full(9, -9)
    chain_batch.open_registers(given_words, 16, LANES[dtype], places, counts)
    words = np.full((1, 6), 0b111, np.uint64)
    own["weight_t"][:, 16:32] = np.nan
    out = np.full((9, 24), np.nan, dtype)
    chain_batch.batch_layer(
        x, places, counts, np.zeros((9, 6), dtype), words, 4, 1.0, True, series(np.dtype(dtype)),
        own["weight_t"], own["bias"], 0, np.empty((0, 0), dtype), np.empty((0, 0), dtype), out)
    assert open_columns.any()
    assert np.isfinite(out).all()
