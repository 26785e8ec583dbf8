"""The executor with every gate there is: through the kernel, or dense with a reason."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.execution import Executor
from minimidl.gates import ESTIMATORS, SIMPLEX, TOPK
from minimidl.layers import MIDL, DynamicGate, GatedStack, InputGate, Linear, ReLU, Sequential

N_IN, N_UNITS, N_OUT = 12, 12, 4


def batch_of(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, N_IN)).astype(np.float32)


def model_of(kind, seed=3, **options):
    """A gated layer and a linear one; biases that are not zero."""
    model = Sequential(kind(N_IN, N_UNITS, seed=seed, **options),
                       Linear(N_UNITS, N_OUT, seed=seed + 1))
    rng = np.random.default_rng(seed)
    for value in model.params.values():
        if value.ndim == 1:
            value += rng.normal(0, 0.3, value.shape).astype(np.float32)
    return model


def agrees(model, path):
    """Outputs, executed masks and gradients of the executor are the model's."""
    executor = Executor(model, path)
    for batch in (1, 7):
        x = batch_of(batch)
        wanted, wanted_memory = model.forward(x)
        np.testing.assert_allclose(executor.predict(x), wanted, rtol=0, atol=1e-5)
        got, memory = executor.forward(x)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)
        reported = memory["0"]["decision"].active
        np.testing.assert_array_equal(reported, wanted_memory["0"]["decision"].active)
        g = np.ones_like(wanted)
        for name, value in model.backward(g, wanted_memory)[1].items():
            np.testing.assert_allclose(executor.backward(g, memory)[1][name], value, atol=1e-4)
    return executor


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "auto", "dense"])
@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
@pytest.mark.parametrize("options", [
    {"gate": "mlp"}, {"gate": "static"}, {"gate": "mlp", "block": 3, "light": "low-rank"},
    {"gate": "static", "gate_value": "probability"}], ids=str)
def test_static_and_mlp_gates_go_through_the_kernel(kind, options, path):
    executor = agrees(model_of(kind, **options), path)
    assert executor.stages[0].segment is not None
    assert "dense (" not in executor.explain((1,)) or path in ("dense", "auto")


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "auto"])
@pytest.mark.parametrize("name", TOPK)
def test_every_operator_is_hard_in_the_kernel(name, path):
    assert agrees(model_of(MIDL, topk=name), path).stages[0].segment is not None


@pytest.mark.kernels
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_compares_in_the_kernel(name):
    model = model_of(DynamicGate, estimator=name, threshold=0.6)
    assert agrees(model, "neuron").stages[0].segment is not None


@pytest.mark.parametrize("path", ["neuron", "block", "auto"])
@pytest.mark.parametrize(("kind", "options", "reason"), [
    *((MIDL, {"topk": name}, f"no kernel chooses by {name}") for name in [*SIMPLEX, "dselect-k"]),
    (DynamicGate, {"min_keep": 3, "threshold": 0.8}, "no kernel knows min_keep")])
def test_what_no_kernel_knows_runs_dense_and_says_why(kind, options, reason, path):
    executor = agrees(model_of(kind, **options), path)
    assert executor.stages[0].segment is None
    assert f"layer 0: dense ({reason})" in executor.explain()


@pytest.mark.parametrize("path", ["neuron", "block", "auto"])
@pytest.mark.parametrize("first", [
    InputGate(N_IN, keep=5), InputGate(N_IN, choose="threshold", block=2),
    GatedStack(N_IN, (8, N_IN), keep=6), GatedStack(N_IN, (8, N_IN), budget="layer")])
def test_layers_without_a_segment_run_as_they_are(first, path):
    model = Sequential(first, Linear(N_IN, 8, seed=1), ReLU(), MIDL(8, 8, seed=2), Linear(8, 3))
    agrees(model, path)


@pytest.mark.kernels
def test_noise_is_no_part_of_evaluation():
    noisy = model_of(MIDL, gate_noise=3.0)
    agrees(noisy, "neuron")
    x = batch_of(5)
    trained = Executor(noisy).forward(x, True, np.random.default_rng(0))[0]
    assert (trained == noisy.forward(x, True, np.random.default_rng(0))[0]).all()
    assert (trained != noisy.forward(x)[0]).any()
