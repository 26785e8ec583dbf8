"""One sample in one call: scores, selection and answer equal the reference for every shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_problems import TOLERANCE, answer, close, guarded, intact, opened, problem

from minimidl.kernels import reference
from minimidl.kernels.reference import ACTIVATION_CODES

pytest.importorskip("numba", reason="Numba is not installed")

from minimidl.kernels import single as kernels
from minimidl.kernels.rows import series
from minimidl.kernels.tiles import CHAINS, TILE, VECTOR_BYTES

pytestmark = pytest.mark.kernels
DTYPES = tuple(TOLERANCE)
LANES = {dtype: VECTOR_BYTES // np.dtype(dtype).itemsize for dtype in DTYPES}
# Around one register, around what a tile with several sums holds, around a whole tile.
WIDTHS = sorted({1, 2, 3, 7, 24, 100, 400} | {
    registers * lanes + more for registers in (1, 2, TILE // CHAINS, TILE)
    for lanes in LANES.values() for more in (-1, 0, 1)})


def gated_problem(dtype, *, rank=3, bias=None, **options):
    """A problem whose scores the kernel makes: ``down``, ``up`` (empty if rank is 0) and bias."""
    args = problem(dtype, **{"n_in": LANES[dtype] + 3, **options})
    n_in, n_gates = args["x"].shape[1], args["scores"].shape[1]
    rng = np.random.default_rng(7)

    def draw(*shape):
        return guarded((rng.normal(size=shape) * shape[0]**-0.5).astype(dtype))

    net = {
        "down": draw(n_in, rank or n_gates),
        "up": draw(rank, n_gates) if rank else np.empty((0, 0), dtype),
        "score_bias": guarded(np.full(n_gates, bias, dtype)) if bias is not None else draw(n_gates),
        "every": np.arange(max(n_in, rank)),
    }
    args["scores"][:] = np.nan  # the kernel fills them
    return args, net


def run(args, net):
    """The kernel on one problem."""
    return kernels.single_segment(
        args["x"], *net.values(), args["k"], args["cut"], args["temperature"], args["binary"],
        series(args["x"].dtype), *(args[name] for name in (
            "block", "weight_t", "bias", "code", "next_weight", "base", "scores", "offsets",
            "indices", "out")))


def wanted_scores(args, net):
    """Gate scores in float64, rounded once."""
    down, up, bias = (net[name].astype(np.float64) for name in ("down", "up", "score_bias"))
    hidden = args["x"].astype(np.float64) @ down
    return ((hidden @ up if up.size else hidden) + bias).astype(args["x"].dtype)


def assert_equals_reference(dtype, **options):
    """Scores, set and output; the set is the one of the kernel's own scores."""
    args, net = gated_problem(dtype, **options)
    before = {name: value.copy() for name, value in (args | net).items()
              if isinstance(value, np.ndarray)}
    assert run(args, net) == reference.DONE
    close(args["scores"], wanted_scores(args, net), 3 * TOLERANCE[dtype])
    wanted = answer(args)
    n_open = wanted["offsets"][-1]
    np.testing.assert_array_equal(args["offsets"], wanted["offsets"])
    np.testing.assert_array_equal(args["indices"][:n_open], wanted["indices"][:n_open])
    close(args["out"], wanted["out"], 3 * TOLERANCE[dtype])
    for name in ("scores", "offsets", "indices", "out"):
        assert intact(args[name]), f"{name} was written beyond its end"
    for name in ("x", "weight_t", "bias", "next_weight", "base", "down", "up", "score_bias"):
        np.testing.assert_array_equal((args | net)[name], before[name], err_msg=f"{name} changed")
    return wanted


MASKS = {
    "random": {"k": 5},
    "one gate": {"k": 1},
    "full": {"k": 12},
    "empty": {"cut": 1e3},
    "all above": {"cut": -1e3},
    "threshold": {"cut": 0.3, "batch": 9},
    "single row": {"k": 4, "batch": 1},
    "single neuron": {"k": 1, "n_gates": 1},
    "no row": {"k": 4, "batch": 0},
    "ties": {"k": 5, "batch": 1, "bias": 1e9},  # so far away that all scores round to it
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("rank", [0, 3])
@pytest.mark.parametrize("mask", MASKS)
def test_every_kind_of_mask(dtype, mask, rank, block):
    wanted = assert_equals_reference(dtype, rank=rank, block=block, **MASKS[mask])
    counts = np.diff(wanted["offsets"])
    if mask == "threshold":
        assert len(set(counts)) > 2, "the case must be ragged"
    if mask == "ties" and dtype == "float32":
        np.testing.assert_array_equal(np.flatnonzero(opened(wanted, block)[0]), range(5))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_rank(dtype, width):
    assert_equals_reference(dtype, rank=width, k=2, n_gates=5, batch=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("rank", [0, 1, 2, 16, 21])
def test_every_number_of_gates(dtype, width, rank):
    assert_equals_reference(dtype, rank=rank, k=min(width, 3), n_gates=width, batch=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("registers", [1, 2, 3, 9])
@pytest.mark.parametrize("more", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("rank", [0, 5])
def test_every_length_of_a_row(dtype, registers, more, rank):
    assert_equals_reference(dtype, rank=rank, n_in=registers * LANES[dtype] + more, k=3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_out", [1, 10, 16, 17, 400])
@pytest.mark.parametrize("k", [1, 3, 4, 5, 8])
def test_every_width_of_the_next_layer(dtype, n_out, k):
    assert_equals_reference(dtype, n_out=n_out, k=k)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("block", [1, 4])
def test_every_option(dtype, activation, binary, block):
    assert_equals_reference(dtype, activation=activation, binary=binary, k=4, block=block)


@given(st.sampled_from(DTYPES), st.integers(0, 3), st.integers(1, 40), st.integers(0, 40),
       st.integers(0, 40), st.integers(1, 20), st.integers(1, 5), st.floats(-2, 2))
def test_any_shape(dtype, batch, n_gates, rank, more, n_out, block, cut):
    assert_equals_reference(dtype, batch=batch, n_gates=n_gates, rank=rank, block=block, cut=cut,
                            n_in=LANES[dtype] + more, n_out=n_out)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 33])
def test_a_row_times_a_matrix(dtype, n, columns):
    rng = np.random.default_rng(n)
    row, matrix = (guarded(rng.normal(size=shape).astype(dtype)) for shape in (n, (n, columns)))
    out = guarded(np.full(max(columns, LANES[dtype]), np.nan, dtype))
    kernels.listed_times_matrix(row, 0, n, np.arange(n), matrix, out)
    close(out[:columns], (row.astype(np.float64) @ matrix).astype(dtype), 3 * TOLERANCE[dtype])
    assert intact(out)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [0, 2])
def test_scores_that_are_not_finite_are_reported(dtype, bad, k):
    args, net = gated_problem(dtype, k=k)
    net["score_bias"][3] = bad
    assert run(args, net) == reference.NOT_FINITE


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
def test_large_finite_input_gives_no_nan(dtype, activation):
    args, net = gated_problem(dtype, cut=-np.finfo(dtype).max, activation=activation)
    net["score_bias"][::2] = np.finfo(dtype).max / 4
    net["score_bias"][1::2] = -np.finfo(dtype).max / 4
    args["x"] *= args["x"].dtype.type(1e6)
    with np.errstate(over="ignore"):  # score / temperature; compiled code does not warn anyway
        assert run(args, net) == reference.DONE
    close(args["out"], answer(args)["out"], 1e6 * 3 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mask", [{"k": 5}, {"cut": 0.3}, {"cut": 1e3}, {"cut": -1e3}])
@pytest.mark.parametrize("block", [1, 4])
def test_the_answer_is_the_same_where_the_executed_set_is_not_kept(dtype, mask, block):
    args, net = gated_problem(dtype, block=block, batch=4, **mask)
    run(args, net)
    bare, net = gated_problem(dtype, block=block, batch=4, **mask)
    bare |= {"scores": np.empty((0, 0), dtype), "offsets": np.empty(0, np.int64),
             "indices": np.empty(0, np.int64)}
    assert run(bare, net) == reference.DONE
    assert bare["out"].tobytes() == args["out"].tobytes()
    assert intact(bare["out"])


def test_same_call_gives_the_same_bits():
    answers = []
    for _ in range(2):
        args, net = gated_problem("float32", k=7, n_in=200, rank=16)
        run(args, net)
        answers.append(args["out"].tobytes())
    assert answers[0] == answers[1]
