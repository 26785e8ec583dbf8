"""Compressed rows and given decisions: every kernel equals the reference on every kind of mask."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_problems import TOLERANCE, close, guarded, intact

from minimidl.kernels import wires_reference
from minimidl.kernels.choose import wire_kernels
from minimidl.kernels.reference import ACTIVATION_CODES, select_topk
from minimidl.kernels.wire_lists import panel_rows, whole_rows

MASKS = ("random", "sparse", "empty", "full", "ragged", "one")
SHAPES = [(9, 12), (40, 17), (1, 1), (15, 33), (170, 20)]
"""Narrower and wider than a register, and inputs for more than one panel."""


@pytest.fixture(scope="module")
def kernels():
    found = wire_kernels()
    if found is None:
        pytest.skip("Numba is not installed")
    return found


def mask_of(kind, n_units, n_in, rng):
    """``(n_units, n_in)`` boolean."""
    share = {"random": 0.3, "sparse": 0.01, "empty": 0.0, "full": 1.0, "one": 0.0}.get(kind)
    if kind == "ragged":  # from a neuron with nothing to one with everything
        share = np.linspace(0, 1, n_units)[:, None]
    mask = rng.random((n_units, n_in)) < share
    if kind == "one":
        mask[n_units // 2, n_in - 1] = True
    return mask


def case(dtype, n_in, n_units, mask, batch, seed=0):
    """Inputs, weights (NaN where they are dead), live places and biases."""
    rng = np.random.default_rng(seed)
    live = mask_of(mask, n_units, n_in, rng)
    weight_t = (rng.normal(size=(n_units, n_in)) * n_in**-0.5).astype(dtype)
    weight_t[~live] = np.nan  # whoever reads a dead weight answers NaN
    x = guarded(rng.normal(size=(batch, n_in)).astype(dtype))
    return x, weight_t, live, guarded(rng.normal(size=n_units).astype(dtype))


def truth(x, weight_t, live, bias, code):
    out = np.empty((len(x), len(bias)), x.dtype)
    wires_reference.wires(x, *wires_reference.compress(weight_t, live), bias, code, out)
    return out


def assert_both_forms(kernels, dtype, n_in, n_units, mask, batch, activation="relu"):
    x, weight_t, live, bias = case(dtype, n_in, n_units, mask, batch)
    code = ACTIVATION_CODES[activation]
    wanted, before = truth(x, weight_t, live, bias, code), x.copy()
    lanes, inputs = kernels.VECTOR_BYTES // x.itemsize, kernels.panel_inputs()
    rows = [guarded(part) for part in whole_rows(weight_t, live, lanes)]
    panels = [guarded(part) for part in panel_rows(weight_t, live, inputs)]
    for run, args in ((kernels.wire_rows, rows), (kernels.wire_panels, [inputs, *panels])):
        out = guarded(np.full((batch, n_units), np.nan, dtype))
        run(x, *args, bias, code, out)
        close(out, wanted, TOLERANCE[dtype])
        assert intact(out)
        np.testing.assert_array_equal(x, before)
        again = out.copy()
        run(x, *args, bias, code, again)
        assert again.tobytes() == out.tobytes(), "not the same bits"


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_mask_and_shape(kernels, dtype, mask, shape):
    for batch in (1, 5):
        assert_both_forms(kernels, dtype, *shape, mask, batch)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch", [0, 2, 8, 15, 16, 17, 31, 33, 48, 49, 64, 67, 130])
def test_every_number_of_samples(kernels, dtype, batch):
    assert_both_forms(kernels, dtype, 37, 19, "ragged", batch)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
def test_every_activation(kernels, dtype, activation):
    assert_both_forms(kernels, dtype, 20, 6, "random", 19, activation)


@pytest.mark.kernels
@pytest.mark.parametrize("percent", [1, 10, 30, 60, 100])
def test_every_density(kernels, percent):
    rng = np.random.default_rng(percent)
    live = rng.random((24, 200)) < percent / 100
    x, weight_t, _, bias = case("float32", 200, 24, "full", 70)
    wanted = truth(x, weight_t, live, bias, 0)
    out = np.empty_like(wanted)
    inputs = kernels.panel_inputs()
    kernels.wire_panels(x, inputs, *panel_rows(weight_t, live, inputs), bias, 0, out)
    close(out, wanted, 1e-5)
    lanes = kernels.VECTOR_BYTES // 4
    kernels.wire_rows(x, *whole_rows(weight_t, live, lanes), bias, 0, out)
    close(out, wanted, 1e-5)


def test_reference_worked_by_hand():
    # neuron 0 reads input 1 alone: 3 * 2 - 1 = 5; neuron 1 reads nothing: relu(-4) = 0
    weight_t, live = np.array([[9.0, 2.0], [9.0, 9.0]]), np.array([[False, True], [False, False]])
    rows = wires_reference.compress(weight_t, live)
    assert [list(part) for part in rows] == [[0, 1, 1], [1], [2.0]]
    out = np.empty((1, 2))
    wires_reference.wires(np.array([[7.0, 3.0]]), *rows, np.array([-1.0, -4.0]), 1, out)
    assert list(out[0]) == [5.0, 0.0]


def test_lists_hold_every_live_connection_once():
    rng = np.random.default_rng(1)
    live = mask_of("ragged", 11, 23, rng)
    weight_t = rng.normal(size=live.shape)
    starts, columns, weights = whole_rows(weight_t, live, 4)
    assert not (np.diff(starts) % 4).any()
    order, places, own, values = panel_rows(weight_t, live, 8)
    assert (len(own), len(values)) == (live.sum(), live.sum())
    dense, in_panels = np.zeros_like(weight_t), np.zeros_like(weight_t)
    for j in range(len(live)):
        np.add.at(dense[j], columns[starts[j]:starts[j + 1]], weights[starts[j]:starts[j + 1]])
    for p in range(3):
        counts = np.diff(places[p])
        assert (np.diff(counts) >= 0).all(), "not in the order of their number"
        for j, start, stop in zip(order[p], places[p], places[p, 1:], strict=False):
            np.add.at(in_panels[j], 8 * p + own[start:stop], values[start:stop])
    np.testing.assert_array_equal(dense, weight_t * live)
    np.testing.assert_array_equal(in_panels, weight_t * live)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("options", [
    {}, {"block": 3}, {"light": True}, {"block": 2, "light": True, "activation": "gelu"},
    {"n_in": 5}, {"mask": "full", "block": 4}, {"mask": "empty"},
])
def test_given_decisions(kernels, dtype, options):
    block, light = options.get("block", 1), options.get("light", False)
    batch, n_gates, n_out, n_in = 4, 6, 5, options.get("n_in", 37)
    x, weight_t, live, bias = case(dtype, n_in, n_gates * block, options.get("mask", "ragged"),
                                   batch)
    rng = np.random.default_rng(2)
    active = rng.random((batch, n_gates)) < np.array([0, 0.3, 0.6, 1])[:, None]  # none, ..., all
    offsets = np.concatenate([[0], np.cumsum(active.sum(axis=1))])
    chosen = np.nonzero(active)[1]
    gates = guarded(rng.random(len(chosen)).astype(dtype))
    units = rng.normal(size=(batch, n_gates * block)).astype(dtype) if light else np.empty(
        (0, 0), dtype)
    next_weight = guarded(rng.normal(size=(n_gates * block, n_out)).astype(dtype))
    base = guarded(rng.normal(size=(batch if light else 1, n_out)).astype(dtype))
    code = ACTIVATION_CODES[options.get("activation", "relu")]
    head, tail = (x, offsets, chosen, gates, block), (bias, units, code, next_weight, base)
    wanted = np.empty((batch, n_out), dtype)
    rows = wires_reference.compress(weight_t, live)
    wires_reference.given_segment(*head, rows, *tail, wanted)
    lists = whole_rows(weight_t, live, kernels.VECTOR_BYTES // x.itemsize)
    whole = guarded(np.where(live, weight_t, 0).astype(dtype))
    for run, weights in ((kernels.given_wires, lists), (kernels.given_segment, [whole])):
        out = guarded(np.full((batch, n_out), np.nan, dtype))
        run(*head, *weights, *tail, out)
        close(out, wanted, 10 * TOLERANCE[dtype])
        assert intact(out)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("count", [0, 1, 5, 64, 90])
def test_one_block_for_the_samples_that_opened_it(kernels, dtype, light, activation, count):
    batch, block, n_in, n_out = 100, 8, 37, 19
    x, weight_t, live, bias = case(dtype, n_in, block, "full", batch)
    rng = np.random.default_rng(4)
    samples = np.sort(rng.permutation(batch)[:count])
    gates = guarded(rng.random(count).astype(dtype))
    units = guarded(rng.normal(size=(batch, block)).astype(dtype)) if light else np.empty(
        (0, 0), dtype)
    next_weight = guarded(rng.normal(size=(block, n_out)).astype(dtype))
    base = rng.normal(size=(batch, n_out)).astype(dtype)
    offsets = np.concatenate([[0], np.cumsum(np.isin(np.arange(batch), samples))])
    code, wanted = ACTIVATION_CODES[activation], np.empty((batch, n_out), dtype)
    wires_reference.given_segment(
        x, offsets, np.zeros(count, np.int64), gates, block,
        wires_reference.compress(weight_t, live), bias, units, code, next_weight, base, wanted)
    out = guarded(base)
    kernels.given_block(x, samples, gates, guarded(weight_t), bias, units, code, next_weight, out)
    close(out, wanted, 10 * TOLERANCE[dtype])
    assert intact(out)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_routes_are_those_of_the_router(kernels, dtype, renormalise, k):
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(40, 5)).astype(dtype)
    scores[1] = 0.5  # all tied
    scores[2] = [2, 1, 2, 1, 2]
    scores[3] = [1e30, -1e30, 0, 1e30, 5]  # nothing may overflow
    active, gate = np.empty(scores.shape, bool), np.full(scores.shape, np.nan, dtype)
    assert kernels.route(guarded(scores), k, 0.7, renormalise, active, gate) == 0
    p = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float64) / 0.7)
    p /= p.sum(axis=1, keepdims=True)
    for own, weights, row, shares in zip(active, gate, scores, p, strict=True):
        chosen = select_topk(row, k)
        assert list(np.flatnonzero(own)) == chosen
        total = shares[chosen].sum() if renormalise else 1.0
        wanted = np.where(own, shares / total, 0)
        np.testing.assert_allclose(weights, wanted, rtol=1e-5 if dtype == "float32" else 1e-12)
    scores[7, 2] = np.nan
    assert kernels.route(scores, k, 0.7, renormalise, active, gate) == 1
