"""Many samples at once: words and sums equal the reference for every shape, mask and option."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_problems import GUARD, READ, TOLERANCE, answer, close, guarded, intact, opened, problem

from minimidl.kernels import reference
from minimidl.kernels.reference import ACTIVATION_CODES

pytest.importorskip("numba", reason="Numba is not installed")

from minimidl.kernels import products
from minimidl.kernels.batch import batch_segment
from minimidl.kernels.products import LONGEST
from minimidl.kernels.rows import series
from minimidl.kernels.tiles import KEPT, VECTOR_BYTES
from minimidl.kernels.words import CROWD, choose_words

pytestmark = pytest.mark.kernels
DTYPES = tuple(TOLERANCE)
LANES = {dtype: VECTOR_BYTES // np.dtype(dtype).itemsize for dtype in DTYPES}


def choose(scores, k, cut):
    """Words of a batch; what the kernel must not touch is checked."""
    words = guarded(np.full((-(-len(scores) // CROWD), scores.shape[1]), 5, np.uint64))
    status = choose_words(scores, k, cut, words)
    assert intact(words)
    return status, words


def unpacked(words, batch):
    """Words as a mask ``(batch, n_gates)``; the bits of samples that are not there must be 0."""
    samples = np.arange(len(words) * CROWD)
    bits = words[samples // CROWD] >> (samples % CROWD).astype(np.uint64)[:, None]
    mask = (bits & np.uint64(1)).astype(bool)
    assert not mask[batch:].any()
    return mask[:batch]


def run(args):
    """Both kernels on one problem."""
    status, words = choose(args["scores"], args["k"], args["cut"])
    assert status == reference.DONE
    batch_segment(
        args["x"], args["scores"], words, args["block"], args["temperature"], args["binary"],
        series(args["x"].dtype), *(args[name] for name in (
            "weight_t", "bias", "light", "code", "next_weight", "base", "out")))
    assert intact(args["out"])
    return words


def assert_equals_reference(dtype, **options):
    """Same set, same output, inputs untouched; the answer of the reference."""
    args = problem(dtype, **{"n_in": LANES[dtype] + 3, **options})
    before = {name: args[name].copy() for name in READ}
    wanted = answer(args)
    words = run(args)
    np.testing.assert_array_equal(
        unpacked(words, len(args["x"])), opened(wanted, args["block"]))
    close(args["out"], wanted["out"], 3 * TOLERANCE[dtype])
    for name, value in before.items():
        np.testing.assert_array_equal(args[name], value, err_msg=f"{name} was modified")
    return wanted


MASKS = {
    "random": {"k": 5},
    "one gate": {"k": 1},
    "full": {"k": 12},
    "empty": {"cut": 1e3},
    "all above": {"cut": -1e3},
    "threshold": {"cut": 0.3},
    "ragged": {"cut": 0.3, "ragged": 2.0, "batch": 20},
    "single row": {"k": 4, "batch": 1},
    "single neuron": {"k": 1, "n_gates": 1},
    "single neuron, closed": {"cut": 1e3, "n_gates": 1},
    "no row": {"k": 4, "batch": 0},
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 3, 4])
@pytest.mark.parametrize("mask", MASKS)
def test_every_kind_of_mask(dtype, mask, block):
    wanted = assert_equals_reference(dtype, block=block, **MASKS[mask])
    counts = np.diff(wanted["offsets"])
    if mask == "ragged":
        assert counts.min() <= 2 * block
        assert counts.max() >= 10 * block
    if "empty" in mask or "closed" in mask:
        assert counts.sum() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("batch", [1, 2, 63, 64, 65, 130])
@pytest.mark.parametrize("light", [False, True])
def test_every_batch(dtype, batch, block, light):
    assert_equals_reference(dtype, batch=batch, block=block, cut=0.2, ragged=0.5, light=light,
                            n_gates=6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 2, 4])
@pytest.mark.parametrize("registers", [1, 2, 3, 4, 5, 7, 9, 10, 11, 14, 21, 30])
@pytest.mark.parametrize("more", [0, 1, -1])
def test_every_length_of_a_row(dtype, registers, more, block):
    n_in = max(registers * LANES[dtype] + more, LANES[dtype])
    assert_equals_reference(dtype, n_in=n_in, block=block, k=2, n_gates=4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("registers", [LONGEST, LONGEST + 1, 3 * LONGEST])
@pytest.mark.parametrize("more", [0, 1])
def test_rows_longer_than_a_panel_of_blocks(dtype, registers, more):
    n_in = registers * LANES[dtype] + more
    assert_equals_reference(dtype, n_in=n_in, block=4, k=1, n_gates=2, batch=9)


def test_panels_cover_every_row_and_fit_their_room():
    for whole in range(1, 400):
        for more in (0, 1):
            for length, longest in ((products.row_length, KEPT[0]),
                                    (products.block_length, LONGEST)):
                left = whole + more
                while left > 0:
                    vectors = length(left, whole)
                    assert 1 <= vectors <= min(whole, longest)
                    left -= vectors


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("n_out", [1, 2, 10, 15, 16, 17, 33, 100, 400])
def test_every_width_of_the_next_layer(dtype, n_out, block):
    assert_equals_reference(dtype, n_out=n_out, block=block, k=5, n_gates=7)
    assert_equals_reference(dtype, n_out=n_out, block=block, k=1, n_gates=1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 8, 12, 32])
@pytest.mark.parametrize("options", [{}, {"light": True}, {"binary": True, "activation": "gelu"}])
def test_every_block(dtype, block, options):
    assert_equals_reference(dtype, block=block, k=2, n_gates=4, batch=7, **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_every_option(dtype, activation, light, binary):
    for block in (1, 4):
        assert_equals_reference(dtype, activation=activation, light=light, binary=binary, k=4,
                                block=block, n_gates=7)


@given(st.sampled_from(DTYPES), st.integers(1, 70), st.integers(1, 9), st.integers(0, 40),
       st.integers(1, 20), st.integers(1, 9), st.floats(-2, 2), st.booleans(), st.integers(0, 99))
def test_any_shape(dtype, batch, n_gates, more, n_out, block, cut, light, seed):
    assert_equals_reference(dtype, batch=batch, n_gates=n_gates, n_in=LANES[dtype] + more,
                            n_out=n_out, block=block, cut=cut, light=light, ragged=1.0, seed=seed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scores", [
    [1, 1, 1, 1, 1, 1], [0.0, -0.0, 0.0, -0.0, 2, 0.0], [3, 2, 2, 2, 2, 1], [-1, -1, -2, -2, -3, 5],
    [1e38, 1e38, 2e38, -2e38, 0, 1e-38], [1e-45, 0, -1e-45, 1e-40, 2e-45, 3e-45],
])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_ties_and_extremes_open_exactly_k_lowest_index_first(dtype, scores, k):
    given = guarded(np.array([scores, scores[::-1]], dtype))
    status, words = choose(given, k, 0.0)
    assert status == reference.DONE
    for own, row in zip(unpacked(words, 2), given, strict=True):
        assert list(np.flatnonzero(own)) == reference.select_topk(row, k)


@given(st.lists(st.lists(st.integers(-3, 3), min_size=7, max_size=7), min_size=1, max_size=5),
       st.integers(0, 7), st.sampled_from([-3.0, -0.5, 0.0, 1.0, 3.0]), st.sampled_from(DTYPES))
def test_any_ties(rows, k, cut, dtype):
    scores = np.array(rows, dtype)
    _, words = choose(scores, k, cut)
    for own, row in zip(unpacked(words, len(rows)), scores, strict=True):
        wanted = reference.select_topk(row, k) if k else reference.select_above(row, cut)
        assert list(np.flatnonzero(own)) == wanted


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [0, 2])
def test_scores_that_are_not_finite_are_reported(dtype, bad, k):
    args = problem(dtype, batch=70)
    args["scores"][68, 3] = bad
    assert choose(args["scores"], k, 0.0)[0] == reference.NOT_FINITE


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
@pytest.mark.parametrize("block", [1, 4])
def test_large_finite_input_gives_no_nan(dtype, activation, block):
    args = problem(dtype, k=6, activation=activation, n_in=LANES[dtype] + 1, block=block)
    biggest = np.finfo(dtype).max
    args["scores"][:] = np.sign(args["scores"]) * biggest
    args["x"] *= args["x"].dtype.type(1e6)
    wanted = answer(args)
    with np.errstate(over="ignore"):  # score / temperature; compiled code does not warn anyway
        run(args)
    close(args["out"], wanted["out"], 1e6 * 3 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gates_from_wide_open_to_shut_at_any_temperature(dtype):
    for temperature in (1e-6, 0.05, 1.0, 1e6):
        args = problem(dtype, cut=-1e9, n_in=LANES[dtype], batch=40)
        args["scores"] *= args["scores"].dtype.type(30)
        args["temperature"] = temperature
        wanted = answer(args)
        run(args)
        close(args["out"], wanted["out"], 3 * TOLERANCE[dtype])


@pytest.mark.parametrize("block", [1, 4])
def test_same_call_gives_the_same_bits(block):
    options = {"k": 7, "light": True, "n_in": 200, "batch": 70, "block": block}
    first, second = problem("float32", **options), problem("float32", **options)
    run(first)
    run(second)
    assert first["out"].tobytes() == second["out"].tobytes()


def test_guards_notice_what_is_written_beyond_an_array():
    out = guarded(np.zeros((2, 3)))
    assert intact(out)
    out.base[GUARD + 6] = 0
    assert not intact(out)
