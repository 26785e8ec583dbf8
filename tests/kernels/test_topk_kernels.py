"""Compiled Top-k equals the NumPy reference: every member, both dtypes, every edge.

Tolerances on p: 1e-5 in float32, because tau near 10 has a rounding of 1e-6 and both sides round it
differently; 1e-12 in float64, times a few for sums over a row.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from minimidl.gates import topk
from minimidl.gates.threshold import hard
from minimidl.gates.threshold.base import implicit_backward
from minimidl.kernels import choose

pytestmark = pytest.mark.kernels
MEMBERS = ["sigmoid", "lapsum", "capped-simplex"]
TOLERANCE = {"float32": 1e-5, "float64": 3e-12}


@pytest.fixture(scope="module")
def rows():
    kernels = choose.row_kernels(choose.ENOUGH_SCORES, "float32")
    if kernels is None:
        pytest.skip("Numba is not installed")
    return kernels


def drawn(dtype, shape=(4, 60), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def reference(name, scores, k, temperature):
    """The NumPy side: so small an array never reaches a kernel."""
    assert scores.size < choose.ENOUGH_SCORES
    return topk(name).solve(scores, k, temperature)


def assert_same(rows, name, scores, k, temperature):
    """Answer, slope and all three gradients agree; the budget holds."""
    wanted = reference(name, scores, k, temperature)
    p, slope, u, _ = rows.solve(name, scores, k, temperature)
    tolerance = TOLERANCE[scores.dtype.name]
    np.testing.assert_allclose(p, wanted.p, atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(slope, wanted.slope, atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(p.sum(axis=1, dtype=np.float64), k, rtol=10 * tolerance)
    assert p.dtype == slope.dtype == u.dtype == scores.dtype
    grad_p = drawn(scores.dtype, scores.shape, seed=9)
    grads = implicit_backward(wanted.slope, wanted.u, temperature, grad_p)
    pull, grad_k, _ = rows.implicit_backward(slope, u, temperature, grad_p)
    np.testing.assert_allclose(pull * temperature, grads["scores"] * temperature,
                               atol=10 * tolerance)
    if wanted.slope.sum(axis=1).min() > 0.01:  # where all is decided, dL/dk has no meaning
        assert abs(grad_k - grads["k"]) <= 30 * tolerance * len(scores)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("k", [0.3, 1, 17, 20.5, 59, 59.7])
@pytest.mark.parametrize("temperature", [0.02, 0.5, 30.0])
def test_equals_the_reference(rows, dtype, name, k, temperature):
    assert_same(rows, name, drawn(dtype), k, temperature)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize(("scores", "k", "temperature"), [
    ([[2, 1, 1, 1, 0]], 2, 0.01),  # tied at the cut: the three share what is left
    ([[2, 1, 1, 1, 0]], 2.5, 0.3),
    ([[3, 3, 3, 3]], 1, 1.0),  # all equal
    ([[0, 0, 0, 0]], 2.5, 1e-6),
    ([[7, -7]], 1, 1e-3),  # decided: the middle of the gap
    ([[1e4, 1e4 + 1, 1e4 - 1, 1e4 + 0.5]], 2, 0.5),  # a large common offset
    ([[1e4, 2e4, 0, 1]], 1.5, 1.0),  # one is shared out, far from both neighbours
    ([[5, 1, 0, -3]], 2, 1e4),
    ([[0.3]], 0.25, 1.0),  # one element
])
def test_edges(rows, dtype, name, scores, k, temperature):
    assert_same(rows, name, np.array(scores, dtype), k, temperature)


@pytest.mark.parametrize("name", MEMBERS)
def test_one_far_score_fools_the_first_guess_and_no_more(rows, name):
    scores = drawn("float32")
    scores[:, 7], scores[:, 8] = 1e30, -1e30
    p = rows.solve(name, scores, 5, 0.5)[0]
    np.testing.assert_allclose(p.sum(axis=1), 5, rtol=1e-5)
    np.testing.assert_array_equal(p[:, [7, 8]], [[1, 0]] * 4)
    rest = np.delete(scores, [7, 8], axis=1)
    np.testing.assert_allclose(np.delete(p, [7, 8], axis=1), rows.solve(name, rest, 4, 0.5)[0],
                               atol=1e-5)


@pytest.mark.parametrize("name", ["sigmoid", "lapsum"])
def test_a_deep_gap_keeps_the_relative_size_of_the_slopes(rows, name):
    """Two above, one below, all decided: the slopes on both sides balance, however small."""
    p, slope, u, _ = rows.solve(name, np.array([[40.0, 40.0, 0.0]]), 2, 1.0)
    np.testing.assert_allclose(u[0, 0] + u[0, 2], np.log(2), atol=1e-9)
    np.testing.assert_allclose(slope[0, :2].sum(), slope[0, 2], rtol=1e-8)
    np.testing.assert_allclose(p, [[1, 1, 0]], atol=1e-8)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_the_exponential_is_good_to_two_roundings(rows, kind):
    dtype = np.dtype(kind)
    x = -np.concatenate([np.linspace(0, 86, 500), np.geomspace(1e-30, 1, 50)]).astype(dtype)
    got = np.array([rows.topk.exp_below(value, rows.series(dtype)) for value in x], dtype)
    exact = np.exp(x.astype(np.longdouble))
    assert np.max(np.abs(got - exact) / exact) <= 2 * np.finfo(dtype).eps
    assert rows.topk.exp_below(dtype.type(-4096), rows.series(dtype)) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [1, 2, 30, 59])
def test_masks_equal_the_partition(rows, dtype, k):
    scores = drawn(dtype)
    for given in (scores, np.round(scores), scores * 0, scores * 1e-30, -np.abs(scores)):
        mask = rows.topk_mask(given, k)
        np.testing.assert_array_equal(mask, hard.partition_mask(given, k))
        np.testing.assert_array_equal(mask.sum(axis=1), k)


def test_masks_of_special_scores(rows):
    biggest = np.finfo(np.float32).max
    scores = np.array([[biggest, -biggest, biggest, 0, -0.0, 1]], np.float32)
    for k in range(1, 6):
        np.testing.assert_array_equal(rows.topk_mask(scores, k),
                                      hard.partition_mask(scores, k))
    for odd in (np.nan, np.inf, -np.inf):
        assert rows.topk_mask(np.array([[0, odd, 1]], np.float32), 1) is None


def test_views_and_read_only_arrays(rows):
    scores = drawn("float32", (6, 80))
    views = (scores[::2, ::3], np.asfortranarray(scores), np.broadcast_to(scores[:1], (3, 80)))
    for view in views:
        np.testing.assert_array_equal(rows.solve("sigmoid", view, 5, 1.0)[0],
                                      rows.solve("sigmoid", view.copy(), 5, 1.0)[0])
        np.testing.assert_array_equal(rows.topk_mask(view, 5), rows.topk_mask(view.copy(), 5))


def test_the_rule_looks_at_size_and_dtype_only(monkeypatch):
    monkeypatch.setattr(choose, "why_not_compiled", lambda: "")
    assert choose.row_kernels(choose.ENOUGH_SCORES - 1, "float32") is None
    assert choose.row_kernels(choose.ENOUGH_SCORES, "float16") is None
    assert choose.row_kernels(choose.ENOUGH_SCORES, np.dtype("float64")) is not None
    monkeypatch.setattr(choose, "why_not_compiled", lambda: "Numba is away")
    assert choose.row_kernels(10 * choose.ENOUGH_SCORES, "float32") is None


@pytest.mark.parametrize("name", [*MEMBERS, "hard"])
def test_the_operator_itself_reaches_the_kernels(rows, monkeypatch, name):
    scores, grad_p = drawn("float32", (4, 60)), drawn("float32", (4, 60), seed=1)
    p, memory = topk(name).forward(scores, 9, 0.4)
    grads = topk(name).backward(grad_p, memory)
    calls = []
    monkeypatch.setattr(choose, "ENOUGH_SCORES", 1)
    monkeypatch.setattr(rows, "solve", watched(rows.solve, calls))
    monkeypatch.setattr(rows, "topk_mask", watched(rows.topk_mask, calls))
    monkeypatch.setattr(rows, "implicit_backward", watched(rows.implicit_backward, calls))
    fast_p, fast_memory = topk(name).forward(scores, 9, 0.4)
    fast = topk(name).backward(grad_p, fast_memory)
    assert len(calls) == 2
    np.testing.assert_allclose(fast_p, p, atol=1e-5)
    for key in ("scores", "k", "temperature"):
        assert fast[key].dtype == grads[key].dtype == np.float32
        np.testing.assert_allclose(fast[key], grads[key], atol=1e-4, err_msg=key)


def watched(function, calls):
    def call(*args):
        calls.append(function.__name__)
        return function(*args)
    return call


@pytest.mark.parametrize("name", MEMBERS)
def test_the_warning_of_a_low_temperature_is_the_same(rows, monkeypatch, name):
    scores = np.array([[5, 3, 1, 0.5]], np.float32)
    for enough in (1, 100):
        monkeypatch.setattr(choose, "ENOUGH_SCORES", enough)
        with pytest.warns(RuntimeWarning, match="too low"):
            topk(name).forward(scores, 2, 1e-6)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            topk(name).forward(scores, 2, 1e-3)
