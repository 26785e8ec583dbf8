"""Every kernel equals the reference on every kind of mask, in both dtypes."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_problems import BATCH, N_GATES, READ, TOLERANCE, intact, problem

from minimidl.kernels import compiled_kernels, gather, reference
from minimidl.kernels.reference import ACTIVATION_CODES
from minimidl.layers import ACTIVATIONS


@pytest.fixture(scope="module")
def cpu():
    kernels = compiled_kernels()
    if kernels is None:
        pytest.skip("Numba is not installed")
    return kernels


def assert_equals_reference(cpu, dtype, **options):
    """Same set in the same order, same values, same output, dtype kept, inputs untouched."""
    wanted, got = problem(dtype, **options), problem(dtype, **options)
    assert reference.neuron_segment(*wanted.values()) == reference.DONE
    assert cpu.neuron_segment(*got.values()) == reference.DONE
    n_open = wanted["offsets"][-1]
    np.testing.assert_array_equal(got["offsets"], wanted["offsets"])
    np.testing.assert_array_equal(got["indices"][:n_open], wanted["indices"][:n_open])
    for name, size in (("values", n_open), ("out", len(wanted["out"]))):
        np.testing.assert_allclose(got[name][:size], wanted[name][:size],
                                   rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], err_msg=name)
        assert got[name].dtype == dtype
    assert all(intact(got[name]) for name in ("offsets", "indices", "values", "out"))
    fresh = problem(dtype, **options)
    for name in READ:
        np.testing.assert_array_equal(got[name], fresh[name], err_msg=f"{name} was modified")
    return wanted


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("mask", "n_open"), [
    ({"k": 5}, 5 * BATCH),
    ({"k": 1}, BATCH),
    ({"k": N_GATES}, N_GATES * BATCH),
    ({"cut": 0.3}, None),  # ragged: as many as pass
    ({"cut": 1e3}, 0),
    ({"cut": -1e3}, N_GATES * BATCH),
    ({"k": 4, "batch": 1}, 4),
    ({"k": 1, "n_gates": 1}, BATCH),
    ({"k": 3, "n_in": 1, "n_out": 1}, 3 * BATCH),
    ({"k": 3, "batch": 0}, 0),
    ({"k": 2, "block": 4, "n_gates": 5}, 2 * 4 * BATCH),
    ({"k": 3, "n_in": 150, "n_out": 40}, 3 * BATCH),  # longer than any vector register
])
def test_every_kind_of_mask(cpu, dtype, mask, n_open):
    wanted = assert_equals_reference(cpu, dtype, **mask)
    if n_open is None:
        assert len(set(np.diff(wanted["offsets"]))) > 1, "the case must be ragged"
    else:
        assert wanted["offsets"][-1] == n_open


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
@pytest.mark.parametrize("options", [
    {}, {"light": True}, {"binary": True}, {"light": True, "block": 3},
    {"binary": True, "block": 2},
])
def test_every_option(cpu, dtype, activation, options):
    assert_equals_reference(cpu, dtype, activation=activation, k=4, **options)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scores", [
    [1, 1, 1, 1, 1, 1], [0.0, -0.0, 0.0, -0.0, 2, 0.0], [3, 2, 2, 2, 2, 1], [-1, -1, -2, -2, -3, 5],
    [1e38, 1e38, 2e38, -2e38, 0, 1e-38], [1e-45, 0, -1e-45, 1e-40, 2e-45, 3e-45],
])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_ties_and_extremes_open_exactly_k_lowest_index_first(cpu, dtype, scores, k):
    args = problem(dtype, batch=1, n_gates=6, k=k, scores=[scores])
    cpu.neuron_segment(*args.values())
    assert list(args["indices"][:k]) == reference.select_topk(args["scores"][0], k)
    assert args["offsets"][1] == k


def test_reference_selection_worked_by_hand():
    scores = np.array([0.5, 2.0, 0.5, -1.0, 0.5], np.float32)
    assert reference.select_topk(scores, 3) == [0, 1, 2]  # of the three tied, the first two
    assert reference.select_topk(scores, 1) == [1]
    assert reference.select_above(scores, 0.5) == [1]  # strictly above


def test_reference_worked_by_hand():
    # one sample (1, 2), two neurons; neuron 1 is open with gate sigmoid(0) = 1/2:
    # u = 1*1 + 2*1 - 1 = 2, light 0.5, value = (2 - 0.5) / 2 = 0.75, out = 10 + 0.75 * 4 = 13
    offsets, indices = np.zeros(2, np.int64), np.zeros(3, np.int64)
    values, out = np.zeros(3), np.zeros((1, 1))
    status = reference.neuron_segment(
        np.array([[1.0, 2.0]]), np.array([[-1.0, 0.0]]), 1, 0.0, 1.0, False, 1,
        np.array([[5.0, 5.0], [1.0, 1.0]]), np.array([0.0, -1.0]), np.array([[9.0, 0.5]]), 1,
        np.array([[7.0], [4.0]]), np.array([[10.0]]), offsets, indices, values, out)
    assert (status, list(offsets), indices[0], values[0], out[0, 0]) == (0, [0, 1], 1, 0.75, 13.0)


@pytest.mark.parametrize("name", ACTIVATION_CODES)
def test_reference_activations_are_those_of_the_layers(name):
    u = np.linspace(-6, 6, 41)
    wanted = ACTIVATIONS[name].value(u)
    got = [reference.activate(v, ACTIVATION_CODES[name]) for v in u]
    np.testing.assert_allclose(got, wanted, atol=1e-12)


@pytest.mark.kernels
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_scores_that_are_not_finite_are_reported_and_nothing_is_run(cpu, dtype, bad):
    for kernel in (cpu.neuron_segment, reference.neuron_segment):
        args = problem(dtype, k=2)
        args["scores"][1, 3] = bad
        assert kernel(*args.values()) == reference.NOT_FINITE
        assert np.isnan(args["out"]).all()


@pytest.mark.kernels
@pytest.mark.parametrize("activation", ACTIVATION_CODES)
def test_large_finite_input_gives_no_nan(cpu, activation):
    args = problem("float32", k=6, activation=activation)
    args["scores"] *= np.float32(1e30)
    args["x"] *= np.float32(1e6)
    cpu.neuron_segment(*args.values())
    assert np.isfinite(args["out"]).all()


@pytest.mark.kernels
def test_same_call_gives_the_same_bits(cpu):
    first, second = problem("float32", k=7, light=True), problem("float32", k=7, light=True)
    cpu.neuron_segment(*first.values())
    cpu.neuron_segment(*second.values())
    assert first["out"].tobytes() == second["out"].tobytes()


@pytest.mark.parametrize("form", [gather.neurons, gather.blocks])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("mask", [
    {"k": 2}, {"cut": 0.3}, {"cut": 1e3}, {"cut": -1e3}, {"k": 2, "batch": 1}, {"k": 1, "batch": 0},
    {"k": 1, "n_gates": 1},
])
@pytest.mark.parametrize("block", [1, 3])
def test_gathered_forms_equal_the_reference(form, dtype, light, mask, block):
    wanted = problem(dtype, block=block, light=light, **mask)
    reference.neuron_segment(*wanted.values())
    scores, k = wanted["scores"], wanted["k"]
    active = np.zeros(scores.shape, bool)
    for row, own in zip(active, scores, strict=True):
        chosen = reference.select_topk(own, k) if k else reference.select_above(own, wanted["cut"])
        row[chosen] = True
    gate = (1 / (1 + np.exp(-scores / scores.dtype.type(0.7)))).astype(dtype)
    out = np.repeat(wanted["base"], len(scores), axis=0) if not light else wanted["base"].copy()
    form(wanted["x"], active, gate, block, wanted["weight_t"], wanted["bias"],
         wanted["light"] if light else None, ACTIVATIONS["relu"].value, wanted["next_weight"], out)
    np.testing.assert_allclose(out, wanted["out"], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert out.dtype == dtype
