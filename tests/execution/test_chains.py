"""Gated layers in a row: answers, masks and gradients of the model, and nothing closed is read."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl import InputError
from minimidl.execution import Executor
from minimidl.layers import (
    MIDL,
    Dropout,
    DynamicGate,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
    gated_layers,
    memory_at,
)

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
SKIPPING = ("neuron", "block")
PATHS = (*SKIPPING, "dense", "auto")
N_IN, N_OUT = 20, 5


def model_of(dtype="float32", blocks=(1, 1), end=True, kinds=(MIDL, DynamicGate), **options):
    """Gated layers of 96 neurons one behind the other, with biases that are not zero."""
    layers, width = [], N_IN
    for i, (kind, block) in enumerate(zip(kinds, blocks, strict=True)):
        layers.append(kind(width, 96, block=block, dtype=dtype, seed=i + 1, **options))
        width = 96
    if end:
        layers.append(Linear(width, N_OUT, dtype=dtype, seed=9))
    model, rng = Sequential(*layers), np.random.default_rng(5)
    for name, value in model.params.items():
        if name.endswith("bias"):
            value += rng.normal(0, 0.3, value.shape).astype(dtype)
    return model


def batch_of(n, dtype="float32", seed=0, width=N_IN):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(dtype)


def agrees(model, path, x, tolerance):
    """Output, masks, bits of both calls, memory and gradients; the executor."""
    executor = Executor(model, path)
    assert len(executor.stages) == 1
    assert executor.stages[0].chain is not None
    wanted, wanted_memory = model.forward(x)
    predicted = executor.predict(x)
    out, memory = executor.forward(x)
    np.testing.assert_allclose(predicted, wanted, rtol=0, atol=tolerance, err_msg=path)
    assert predicted.dtype == x.dtype
    if path != "auto":
        assert predicted.tobytes() == out.tobytes()
    assert memory.keys() == wanted_memory.keys()
    for layer_path in gated_layers(model):
        got, own = memory_at(memory, layer_path), memory_at(wanted_memory, layer_path)
        np.testing.assert_array_equal(got["decision"].active, own["decision"].active)
        np.testing.assert_allclose(got["probability"], own["probability"], atol=10 * tolerance)
    grad = batch_of(len(x), x.dtype, seed=7, width=wanted.shape[1])
    pulls = {layer_path: np.ones_like(memory_at(memory, layer_path)["probability"])
             for layer_path in gated_layers(model)}
    wanted_x, wanted_grads = model.backward(grad, wanted_memory, pulls)
    for _ in range(2):
        got_x, got_grads = executor.backward(grad, memory, pulls)
        np.testing.assert_allclose(got_x, wanted_x, atol=100 * tolerance)
        assert got_grads.keys() == wanted_grads.keys()
        for name, value in wanted_grads.items():
            np.testing.assert_allclose(got_grads[name], value, atol=300 * tolerance, err_msg=name)
    return executor


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("blocks", [(1, 1), (3, 1), (1, 4), (32, 32), (32, 3), (16, 1)])
def test_every_path_is_the_model(dtype, path, blocks):
    for end in (True, False):
        for batch in (1, 9):
            agrees(model_of(dtype, blocks, end), path, batch_of(batch, dtype), TOLERANCE[dtype])


@pytest.mark.kernels
@pytest.mark.parametrize("path", SKIPPING)
def test_more_samples_than_a_part_holds(path):
    model, x = model_of(blocks=(32, 32)), batch_of(300)
    executor = Executor(model, path)
    np.testing.assert_allclose(executor.predict(x), model.forward(x)[0], atol=1e-5)
    assert executor.predict(x).tobytes() == executor.forward(x)[0].tobytes()


@pytest.mark.kernels
@pytest.mark.parametrize("path", SKIPPING)
@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "sigmoid", "gelu", "gelu-tanh"])
@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
def test_three_layers_with_every_activation(path, activation, kind):
    model = model_of("float64", (1, 4, 1), kinds=(kind, MIDL, DynamicGate), activation=activation)
    agrees(model, path, batch_of(5, "float64"), 1e-12)


@pytest.mark.kernels
@pytest.mark.parametrize("path", SKIPPING)
@pytest.mark.parametrize("gate", ["static", "linear", "low-rank"])
@pytest.mark.parametrize("gate_value", ["probability", "binary"])
def test_every_gate(path, gate, gate_value):
    agrees(model_of(blocks=(4, 1), gate=gate, gate_value=gate_value), path, batch_of(4), 1e-5)


@pytest.mark.kernels
@pytest.mark.parametrize("path", SKIPPING)
@pytest.mark.parametrize("blocks", [(1, 1), (16, 16)])
def test_samples_that_open_nothing(path, blocks):
    model = model_of("float64", blocks, kinds=(DynamicGate, DynamicGate), gate="linear")
    x = batch_of(6, "float64")
    model.params["0.gate.weight"][0] = 100  # the first input opens all, or none
    x[:3, 0], x[3:, 0] = -9, 9
    active = agrees(model, path, x, 1e-12).forward(x)[1]["0"]["decision"].active
    assert not active[:3].any()
    assert active[3:].all()


@pytest.mark.kernels
@pytest.mark.parametrize("blocks", [(1, 1), (3, 4), (32, 32)])
@pytest.mark.parametrize("path", SKIPPING)
def test_what_is_closed_is_never_read(blocks, path):
    # NaN in closed rows of both layers, and in closed columns of the second, does not show.
    model = model_of("float64", blocks, kinds=(MIDL, MIDL), keep=1 / 3)
    x = batch_of(1, "float64")
    wanted, memory = model.forward(x)
    closed = [~layer.to_units(memory_at(memory, name)["decision"].active)[0]
              for name, layer in gated_layers(model).items()]
    model.params["0.weight"][:, closed[0]] = np.nan
    model.params["1.weight"][:, closed[1]] = np.nan
    if path == "neuron" or blocks == (32, 32):  # else columns are masked: multiplied as zeros
        model.params["1.weight"][closed[0]] = np.nan
    np.testing.assert_allclose(Executor(model, path).predict(x), wanted, atol=1e-12)
    with pytest.raises(InputError, match="x: got nan"):  # of the second layer
        Executor(model, "dense").predict(x)


@pytest.mark.kernels
@pytest.mark.parametrize("path", SKIPPING)
def test_training_the_model_changes_the_answer(path):
    model = model_of(blocks=(4, 4))
    executor, x = Executor(model, path), batch_of(3)
    for name, value in model.params.items():
        before = executor.predict(x)
        value += np.random.default_rng(len(name)).normal(0, 0.1, value.shape).astype(value.dtype)
        now = executor.predict(x)
        np.testing.assert_allclose(now, model.forward(x)[0], atol=1e-5, err_msg=name)
        assert not np.array_equal(now, before), f"{name} has no effect: a stale copy"
    model.layers[0].k = 3
    np.testing.assert_allclose(executor.predict(x), model.forward(x)[0], atol=1e-5)


@pytest.mark.kernels
@pytest.mark.parametrize("path", PATHS)
def test_bad_input_and_empty_batches(path):
    executor = Executor(model_of(gate="static"), path)
    assert executor.predict(batch_of(0)).shape == (0, N_OUT)
    assert executor.forward(batch_of(0))[0].shape == (0, N_OUT)
    x = batch_of(2)
    x[1, 3] = np.nan
    for call in (executor.predict, executor.forward):
        with pytest.raises(InputError, match="x: got nan"):
            call(x)


@pytest.mark.kernels
@pytest.mark.parametrize("path", SKIPPING)
def test_gates_that_diverged_are_refused(path):
    model = model_of()
    model.params["1.gate.bias"][4] = np.inf
    with pytest.raises(InputError, match="gate scores"):
        Executor(model, path).predict(batch_of(3))


@pytest.mark.kernels
def test_threads_give_the_same_bits():
    model, x = model_of(blocks=(16, 16)), batch_of(150)
    wanted = Executor(model, "block").predict(x)
    assert Executor(model, "block", threads=2).predict(x).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("end", [True, False])
def test_without_numba_the_answers_are_the_same(path, end, monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    agrees(model_of("float64", (3, 1), end), path, batch_of(4, "float64"), 1e-12)


def test_how_models_are_cut():
    def cuts(*layers):
        return [stage.paths or (stage.path, stage.linear_path)
                for stage in Executor(Sequential(*layers), "neuron").stages]

    def gated(**options):
        return MIDL(8, 8, gate_rank=2, **options)

    assert cuts(gated(), Dropout(0.5), gated(), gated(), Linear(8, 3)) == [("0", "2", "3", "4")]
    assert cuts(gated(), Linear(8, 3)) == [("0", "1")]  # a pair is a segment
    assert cuts(gated(), gated(), LayerNorm(8), gated()) == [("0", "1"), ("2", ""), ("3",)]
    assert cuts(gated(), gated(light="linear"), Linear(8, 2)) == [("0",), ("1", "2")]
    assert cuts(gated(), gated(gate="mlp"), ReLU()) == [("0",), ("1",), ("2", "")]
    assert cuts(gated(gate="mlp"), gated(), Linear(8, 2)) == [("0", "1", "2")]


@pytest.mark.kernels
@pytest.mark.parametrize(("kinds", "batch"), [((MIDL, DynamicGate), 9), ((DynamicGate, MIDL), 2)])
def test_auto_asks_once_where_only_the_batch_size_decides(kinds, batch, monkeypatch):
    executor, x = Executor(model_of(kinds=kinds)), batch_of(batch)
    chain, wanted = executor.stages[0].chain, executor.predict(x)

    def never(x):
        raise AssertionError("asked again")

    monkeypatch.setattr(chain, "kind", never)
    np.testing.assert_allclose(executor.predict(x), wanted, atol=1e-5)
    with pytest.raises(AssertionError, match="asked again"):
        executor.predict(batch_of(batch + 1))


def test_explain_names_the_layers_and_why_not():
    text = Executor(model_of(), "neuron").explain()
    assert "layers 0 and 1 and 2: neuron at every batch, as asked for" in text
    assert "at batch 4 (density 0.45 in the first" in Executor(
        model_of(kinds=(MIDL, MIDL))).explain([4])
    model = Sequential(MIDL(8, 8, light="linear"), MIDL(8, 8), Linear(8, 2))
    assert ("layer 0: dense (no linear layer follows directly, and its light path fills the closed "
            "neurons)") in Executor(model, "neuron").explain()
