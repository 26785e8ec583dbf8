"""The executor answers as the model does, runs what it reports, and never goes stale."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest

from minimidl import InputError
from minimidl.execution import Executor
from minimidl.execution.segment import Segment
from minimidl.kernels import compiled_kernels
from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    LayerNorm,
    Linear,
    OpenDropoutDynamicGate,
    OpenDropoutMIDL,
    ReLU,
    Sequential,
    gated_layers,
    memory_at,
)

N_IN, N_UNITS, N_OUT = 12, 12, 4
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
LIGHTS = ("zero", "identity", "low-rank", "linear")

# All pairs would be 2 x 4 x 2 x 2 x 2; every light path meets every other option here.
OPTIONS = [
    {"kind": kind, "light": light, "gate": gate, "block": block, "gate_value": value}
    for (kind, light), (gate, block, value) in itertools.product(
        itertools.product((MIDL, DynamicGate), LIGHTS),
        (("low-rank", 1, "probability"), ("linear", 3, "probability"), ("linear", 1, "binary"),
         ("low-rank", 3, "binary")))
]


def name_of(options):
    """Readable test names."""
    return "-".join(getattr(v, "__name__", str(v)) for v in options.values())


def model_of(dtype="float32", kind=MIDL, seed=3, **options):
    """A gated layer between an input and a linear layer; biases that are not zero."""
    model = Sequential(kind(N_IN, N_UNITS, dtype=dtype, seed=seed, **options),
                       Linear(N_UNITS, N_OUT, dtype=dtype, seed=seed + 1))
    rng = np.random.default_rng(seed)
    for name in ("0.bias", "1.bias", "0.gate.bias"):
        model.params[name] += rng.normal(0, 0.3, model.params[name].shape).astype(dtype)
    return model


def batch_of(n, dtype="float32", seed=0, n_in=N_IN):
    return np.random.default_rng(seed).normal(size=(n, n_in)).astype(dtype)


@pytest.mark.kernels
@pytest.mark.parametrize("options", OPTIONS, ids=name_of)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_path_answers_as_the_model(options, dtype):
    model = model_of(dtype, activation="gelu-tanh", **options)
    for batch in (1, 7):
        x = batch_of(batch, dtype)
        wanted = model.forward(x)[0]
        for path in ("auto", "dense", "neuron", "block"):
            got = Executor(model, path).predict(x)
            np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE[dtype], err_msg=path)
            assert got.dtype == dtype


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "dense", "auto"])
@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "sigmoid", "gelu", "gelu-tanh"])
def test_every_activation(path, activation):
    model = model_of(activation=activation, light="low-rank")
    x = batch_of(5)
    np.testing.assert_allclose(Executor(model, path).predict(x), model.forward(x)[0], atol=1e-5)


@pytest.mark.kernels
@pytest.mark.parametrize("options", OPTIONS, ids=name_of)
@pytest.mark.parametrize("path", ["neuron", "block", "dense"])
def test_executed_mask_is_the_reported_mask_on_every_sample(options, path):
    model = model_of(**options)
    executor, layer, x = Executor(model, path), model.layers[0], batch_of(60)
    segment = executor.stages[0].segment
    whole = executor.forward(x)[1]["0"]["decision"].active
    np.testing.assert_array_equal(whole, layer.decide(x).active)
    for sample in (x[i:i + 1] for i in range(len(x))):
        wanted = layer.decide(sample)
        reported = executor.forward(sample)[1]["0"]["decision"].active
        np.testing.assert_array_equal(reported, wanted.active)
        if path != "dense":
            out, decision = segment.run(sample, path)
            np.testing.assert_array_equal(decision.active, wanted.active)
            assert out.tobytes() == segment.predict(sample, path).tobytes()


@pytest.mark.parametrize("gate", ["low-rank", "linear"])
def test_scores_are_those_of_the_layer_bit_for_bit(gate):
    model = model_of(gate=gate)
    segment = Segment(model.layers[0], model.layers[1])
    for batch in (1, 2, 33):
        x = batch_of(batch)
        assert segment.scores(x).tobytes() == model.layers[0].decide(x).scores.tobytes()


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "dense", "auto"])
@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
def test_predict_and_forward_give_the_same_bits(path, kind):
    executor = Executor(model_of(kind=kind, light="linear", block=2), path)
    for batch in (1, 6):
        x = batch_of(batch)
        assert executor.predict(x).tobytes() == executor.forward(x)[0].tobytes()


def test_neurons_of_closed_gates_are_never_read():
    # The proof that work is skipped: NaN in the weights of a closed neuron does not show.
    model = model_of("float64", keep=4)
    x = batch_of(1, "float64")
    closed = ~model.layers[0].decide(x).active[0]
    wanted = model.forward(x)[0]
    model.params["0.weight"][:, closed] = np.nan
    for path in ("neuron", "block"):
        np.testing.assert_allclose(Executor(model, path).predict(x), wanted, atol=1e-12)
    assert np.isnan(Executor(model, "dense").predict(x)).all()


@pytest.mark.kernels
@pytest.mark.parametrize("options", OPTIONS[::3], ids=name_of)
@pytest.mark.parametrize("path", ["neuron", "block", "dense", "auto"])
@pytest.mark.parametrize("training", [False, True])
def test_forward_and_backward_are_the_models_pair(options, path, training):
    model = model_of("float64", **options)
    executor, x = Executor(model, path), batch_of(5, "float64")
    grad = batch_of(5, "float64", seed=9, n_in=N_OUT)
    _, wanted_memory = model.forward(x, training)
    probability = wanted_memory["0"]["probability"]
    grad_gate = {"0": np.ones_like(probability)}
    wanted_x, wanted = model.backward(grad, wanted_memory, grad_gate)
    _, memory = executor.forward(x, training)
    np.testing.assert_allclose(memory_at(memory, "0")["probability"], probability, atol=1e-12)
    for _ in range(2):  # twice with the same memory
        got_x, got = executor.backward(grad, memory, grad_gate)
        np.testing.assert_allclose(got_x, wanted_x, atol=1e-12)
        assert got.keys() == wanted.keys() == executor.params.keys()
        for name in wanted:
            np.testing.assert_allclose(got[name], wanted[name], atol=1e-12, err_msg=name)


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_changing_the_model_changes_the_answer(path):
    model = model_of(light="low-rank")
    executor, x = Executor(model, path), batch_of(3)
    before = executor.predict(x)
    for name, value in model.params.items():
        value += np.random.default_rng(len(name)).normal(0, 0.1, value.shape).astype(value.dtype)
        now = executor.predict(x)
        np.testing.assert_allclose(now, model.forward(x)[0], atol=1e-5, err_msg=name)
        assert not np.array_equal(now, before), f"{name} has no effect: a stale copy"
        before = now
    assert executor.params is model.params


@pytest.mark.kernels
def test_changing_threshold_temperature_or_k_changes_the_answer():
    gate = model_of(kind=DynamicGate, gate_value="probability")
    executor, x = Executor(gate, "neuron"), batch_of(4)
    for name, value in (("0.threshold", 0.7), ("0.temperature", 0.4)):
        gate.state[name][...] = value
        np.testing.assert_allclose(executor.predict(x), gate.forward(x)[0], atol=1e-5)
    top = model_of()
    executor = Executor(top, "neuron")
    executor.predict(x)
    top.layers[0].k = 2
    np.testing.assert_allclose(executor.predict(x), top.forward(x)[0], atol=1e-5)


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "auto"])
def test_nested_deep_and_mixed_models(path):
    model = Sequential(
        LayerNorm(N_IN), Sequential(MIDL(N_IN, 16, block=4, seed=1), Linear(16, 8, seed=2)), ReLU(),
        Sequential(Sequential(DynamicGate(8, 10, light="linear", seed=3), Linear(10, 6, seed=4)),
                   Dropout(0.5), MIDL(6, 6, seed=5)),
        DynamicGate(6, 6, seed=6), Linear(6, N_OUT, seed=7))
    executor, x = Executor(model, path), batch_of(9)
    wanted, wanted_memory = model.forward(x)
    got, memory = executor.forward(x)
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    for layer_path in gated_layers(model):
        np.testing.assert_array_equal(memory_at(memory, layer_path)["decision"].active,
                                      memory_at(wanted_memory, layer_path)["decision"].active)
    grad = np.ones_like(wanted)
    wanted_x, wanted_grads = model.backward(grad, wanted_memory)
    got_x, got_grads = executor.backward(grad, memory)
    np.testing.assert_allclose(got_x, wanted_x, atol=1e-5)
    for name in wanted_grads:
        np.testing.assert_allclose(got_grads[name], wanted_grads[name], atol=1e-4, err_msg=name)
    text = executor.explain()
    assert "layers 1.0 and 1.1" in text
    assert "layers 3.2 and 4 and 5" in text


def test_a_single_layer_and_a_dense_model():
    layer = MIDL(N_IN, 6, seed=1)
    executor, x = Executor(layer), batch_of(3)
    out, memory = executor.forward(x)
    wanted, wanted_memory = layer.forward(x)
    np.testing.assert_allclose(out, wanted, atol=1e-6)  # a chain of one, written out densely
    grad_gate = np.ones((3, 6), np.float32)
    got = executor.backward(np.ones_like(out), memory, grad_gate)
    for name, value in layer.backward(np.ones_like(out), wanted_memory, grad_gate)[1].items():
        np.testing.assert_allclose(got[1][name], value, atol=1e-6)
    dense = Sequential(Linear(N_IN, 6), ReLU(), Linear(6, 2))
    np.testing.assert_array_equal(Executor(dense).predict(x), dense.forward(x)[0])
    np.testing.assert_array_equal(Executor(ReLU()).predict(x), np.maximum(x, 0))
    np.testing.assert_array_equal(Executor(Dropout(0.5)).predict(x), x)  # nothing is left to run


@pytest.mark.kernels
@pytest.mark.parametrize("kind", [OpenDropoutMIDL, OpenDropoutDynamicGate])
def test_dropout_on_open_neurons_is_skipped_in_evaluation_and_drawn_in_training(kind):
    model = Sequential(kind(N_IN, N_UNITS, open_dropout=0.5, seed=1), Linear(N_UNITS, N_OUT))
    executor, x = Executor(model, "neuron", gradient="active-only"), batch_of(9)
    assert executor.stages[0].segment is not None
    np.testing.assert_allclose(executor.predict(x), model.forward(x)[0], atol=1e-5)
    wanted, got = (run.forward(x, True, np.random.default_rng(0))[0] for run in (model, executor))
    np.testing.assert_array_equal(got, wanted)  # by the model's own layers, dropout and all
    assert not np.allclose(got, model.forward(x)[0], atol=1e-3)


def test_layers_without_a_kernel_run_dense_and_say_so():
    class Other(MIDL):
        """A subclass may decide otherwise; no kernel knows how."""

    model = Sequential(Other(N_IN, 6), Linear(6, 2))
    executor, x = Executor(model, "neuron"), batch_of(2)
    np.testing.assert_array_equal(executor.predict(x), model.forward(x)[0])
    assert "layer 0: dense (Other has no kernel)" in executor.explain()
    model = model_of()
    model.layers[0].gate = Sequential(Linear(N_IN, N_UNITS))
    assert "gate network Sequential has no kernel" in Executor(model).explain()
    model = model_of()
    model.layers[0].params["weight"] = np.ascontiguousarray(model.layers[0].params["weight"])
    assert "Fortran" in Executor(model).explain()


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "dense"])
def test_awkward_memory_layouts_are_copied_never_wrong(path):
    executor, x = Executor(model_of(), path), batch_of(6)
    wanted = executor.predict(x)
    frozen = x.copy()
    frozen.flags.writeable = False
    bytes_ = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = bytes_[1:].view(np.float32).reshape(x.shape)
    unaligned[...] = x
    wide = np.repeat(x, 2, axis=1)
    for name, odd in (("fortran", np.asfortranarray(x)), ("strided", wide[:, ::2]),
                      ("reversed", x[::-1].copy()[::-1]), ("read-only", frozen),
                      ("unaligned", unaligned)):
        np.testing.assert_allclose(executor.predict(odd), wanted, atol=1e-6, err_msg=name)
        np.testing.assert_array_equal(odd, x)


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "dense", "auto"])
def test_bad_input_is_refused_in_one_line(path):
    x = batch_of(3)
    for model in (model_of(), model_of(kind=DynamicGate), Sequential(Linear(N_IN, N_OUT))):
        executor = Executor(model, path)
        bad_nan, bad_inf = x.copy(), x.copy()
        bad_nan[1, 2], bad_inf[0, 0] = np.nan, np.inf
        for bad in (x[0], x[:, :5], x.astype(np.float64), x.tolist(), bad_nan, bad_inf, None):
            for call in (executor.predict, executor.forward):
                with pytest.raises(InputError) as caught:
                    call(bad)
                assert "\n" not in str(caught.value)


def test_what_a_kernel_refused_is_refused_even_where_numpys_sums_stay_finite():
    # x = (3e38, -3e38, ...) and weights of 1: the kernel's four sums overflow, BLAS's may not.
    with pytest.raises(InputError, match="gate scores: got NaN or infinity"):
        Executor(model_of()).stages[0].segment.refuse(batch_of(2))


def test_only_layers_run():
    with pytest.raises(InputError, match="model: got str, expected a layer"):
        Executor("model.npz")


@pytest.mark.parametrize("batches", [(0,), (-1, 4), (1.5,)])
def test_explain_wants_batches_with_samples(batches):
    executor = Executor(model_of())
    before = {kind: dict(times) for kind, times in executor.stages[0].segment.choice.found.items()}
    with pytest.raises(InputError, match="batches: got"):
        executor.explain(batches)
    assert executor.stages[0].segment.choice.found == before  # nothing measured, nothing kept


def test_unknown_path_is_refused():
    with pytest.raises(InputError, match="path: got 'fast'"):
        Executor(model_of(), "fast")


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block", "dense", "auto"])
@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
def test_empty_batch(path, kind):
    assert Executor(model_of(kind=kind), path).predict(batch_of(0)).shape == (0, N_OUT)


@pytest.mark.parametrize("path", ["neuron", "block", "dense", "auto"])
def test_without_numba_the_answers_are_the_same(path, monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    for options in OPTIONS[::5]:
        model, x = model_of(**options), batch_of(5)
        executor = Executor(model, path)
        assert executor.stages[0].segment.kernels is None
        np.testing.assert_allclose(executor.predict(x), model.forward(x)[0], atol=1e-5)
        active = executor.forward(x)[1]["0"]["decision"].active
        np.testing.assert_array_equal(active, model.layers[0].decide(x).active)
    assert "MINIMIDL_NO_NUMBA" in executor.explain()


def test_in_a_process_without_numba():
    code = """
import sys
sys.modules["numba"] = None
import numpy as np
from minimidl.execution import Executor
from minimidl.layers import MIDL, Linear, Sequential
model, x = Sequential(MIDL(6, 8), Linear(8, 2)), np.ones((3, 6), np.float32)
for path in ("auto", "neuron", "block", "dense"):
    assert np.allclose(Executor(model, path).predict(x), model.forward(x)[0], atol=1e-6), path
print("same")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.stdout == "same\n", done.stderr


def answer_in_a_child(queue, executor, x):
    queue.put(executor.predict(x))


@pytest.mark.kernels
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_in_a_forked_process():
    executor, x = Executor(model_of(), "neuron"), batch_of(4)
    wanted = executor.predict(x)  # compiled and run before the fork
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=answer_in_a_child, args=(queue, executor, x))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=60), wanted)
    child.join(timeout=60)
    assert child.exitcode == 0


def test_explain_names_path_batch_and_reason():
    lines = Executor(model_of(block=4)).explain(batches=(1, 512)).splitlines()
    assert len(lines) == 3
    assert "at batch 1 (" in lines[1]
    assert "at batch 512 (" in lines[2]
    assert "as asked for" in Executor(model_of(), "block").explain()
    if compiled_kernels() is not None:
        assert "neuron at batch 1" in lines[1]
