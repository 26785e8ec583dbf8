"""Layers with missing connections and experts: the executor answers as the model, never stale."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl import InputError
from minimidl.execution import Executor
from minimidl.execution.grouped import Grouped
from minimidl.execution.wired import Wired
from minimidl.execution.wired_gate import WiredGate
from minimidl.kernels.choose import wire_kernels
from minimidl.layers import (
    Dropout,
    Experts,
    LayerNorm,
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    MaskedMIDL,
    ReLU,
    Sequential,
    Tanh,
    WeightGate,
    memory_at,
)

N_IN, N_UNITS, N_OUT = 21, 24, 5
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
PATHS = ("auto", "neuron", "block", "dense")


def masked(dtype, *, density=0.3, after=ReLU):
    layers = [MaskedLinear(N_IN, N_UNITS, density=density, dtype=dtype, seed=1)]
    return Sequential(*layers, *([after()] if after else []),
                      MaskedLinear(N_UNITS, N_OUT, density=0.6, dtype=dtype, seed=2))


def weight_gate(dtype, **options):
    return Sequential(WeightGate(N_IN, N_UNITS, dtype=dtype, seed=1, **options),
                      Linear(N_UNITS, N_OUT, dtype=dtype, seed=2))


def pair(layer, dtype, **options):
    return Sequential(layer(N_IN, N_UNITS, dtype=dtype, seed=1, **options),
                      Linear(N_UNITS, N_OUT, dtype=dtype, seed=2))


MODELS = {
    "masked": lambda d: masked(d),
    "masked-tanh": lambda d: masked(d, after=Tanh),
    "masked-bare": lambda d: masked(d, after=None),
    "masked-full": lambda d: masked(d, density=1.0),
    "weight-gate": lambda d: weight_gate(d, open_probability=0.2),
    "weight-gate-value": lambda d: weight_gate(d, gate_value="probability", activation="gelu"),
    "masked-midl": lambda d: pair(MaskedMIDL, d, density=0.3),
    "masked-midl-light": lambda d: pair(MaskedMIDL, d, density=0.3, light="low-rank", block=3),
    "masked-midl-sparse": lambda d: pair(MaskedMIDL, d, density=0.04, block=2),
    "masked-gate-keep": lambda d: pair(MaskedDynamicGate, d, density=0.3, min_keep=2),
    "masked-gate": lambda d: pair(MaskedDynamicGate, d, density=0.3, activation="gelu-tanh"),
    "masked-gate-light": lambda d: pair(MaskedDynamicGate, d, density=0.3, light="linear"),
    "switch": lambda d: pair(Experts, d, n_experts=4),
    "topk": lambda d: pair(Experts, d, n_experts=4, router="topk", k=2),
    "topk-raw": lambda d: pair(Experts, d, n_experts=4, router="topk", k=3, renormalise=False),
    "soft": lambda d: pair(Experts, d, n_experts=4, router="soft"),
    "expert-choice": lambda d: pair(Experts, d, n_experts=4, router="expert-choice"),
    "dropping": lambda d: pair(Experts, d, n_experts=4, capacity=0.5, drop_at_evaluation=True),
    "switch-light": lambda d: pair(Experts, d, n_experts=4, light="low-rank", activation="tanh"),
}
GATED = [name for name in MODELS if not name.startswith("masked-") or "-midl" in name
         or "-gate" in name]
GATED.remove("masked")


def model_of(name, dtype="float32"):
    """The model, with biases that are not zero."""
    model, rng = MODELS[name](dtype), np.random.default_rng(3)
    for key, value in model.params.items():
        if key.endswith("bias"):
            value += rng.normal(0, 0.3, value.shape).astype(dtype)
    return model


def batch_of(n, dtype="float32", seed=0, n_in=N_IN):
    return np.random.default_rng(seed).normal(size=(n, n_in)).astype(dtype)


def close(got, wanted, dtype="float32"):
    assert got.dtype == wanted.dtype == dtype
    np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.kernels
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_path_answers_as_the_model(name, path, dtype):
    model = model_of(name, dtype)
    executor = Executor(model, path)
    for batch in (0, 1, 2, 7, 70):
        x = batch_of(batch, dtype)
        close(executor.predict(x), model.forward(x)[0], dtype)


@pytest.mark.kernels
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", PATHS)
def test_predict_and_forward_give_the_same_bits(name, path):
    executor = Executor(model_of(name), path)
    for batch in (1, 6, 70):
        x = batch_of(batch)
        assert executor.predict(x).tobytes() == executor.forward(x)[0].tobytes()


@pytest.mark.kernels
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("training", [False, True])
def test_forward_and_backward_are_the_models_pair(name, path, training):
    model = model_of(name, "float64")
    executor, x = Executor(model, path), batch_of(6, "float64")
    grad = batch_of(6, "float64", seed=9, n_in=N_OUT)
    _, wanted_memory = model.forward(x, training)
    wanted_x, wanted = model.backward(grad, wanted_memory)
    _, memory = executor.forward(x, training)
    for _ in range(2):  # twice with the same memory
        got_x, got = executor.backward(grad, memory)
        np.testing.assert_allclose(got_x, wanted_x, atol=1e-12)
        assert got.keys() == wanted.keys() == executor.params.keys()
        for key in wanted:
            np.testing.assert_allclose(got[key], wanted[key], atol=1e-12, err_msg=key)


@pytest.mark.kernels
@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("path", PATHS)
def test_the_decision_in_the_memory_is_the_one_that_was_run(name, path):
    model = model_of(name)
    executor, layer, x = Executor(model, path), model.layers[0], batch_of(9)
    memory = memory_at(executor.forward(x)[1], "0")
    wanted = layer.decide(x)
    np.testing.assert_array_equal(memory["decision"].active, wanted.active)
    np.testing.assert_allclose(memory["decision"].gate, wanted.gate, rtol=1e-6)
    np.testing.assert_array_equal(memory["probability"], wanted.probability)


@pytest.mark.kernels
@pytest.mark.parametrize("name", ["switch", "topk"])
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_experts_that_nobody_chose_are_never_read(name, path):
    model, x = model_of(name), batch_of(1)
    wanted = model.forward(x)[0]
    closed = ~np.repeat(model.layers[0].decide(x).active[0], N_UNITS // 4)
    assert closed.any()
    model.params["0.weight"][:, closed] = np.nan
    close(Executor(model, path).predict(x), wanted)


@pytest.mark.kernels
@pytest.mark.parametrize("name", ["masked", "masked-midl", "masked-gate"])
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_dead_weights_are_never_read(name, path):
    # What an optimiser's momentum made of a dead weight must not matter: not even NaN.
    model = model_of(name)
    for batch in (1, 40):
        wanted = model.forward(batch_of(batch))[0]
        odd = model_of(name)
        odd.params["0.weight"][~odd.layers[0].mask] = np.nan
        close(Executor(odd, path).predict(batch_of(batch)), wanted)


@pytest.mark.kernels
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_training_the_model_is_seen_by_an_executor_made_before(name, path):
    model = model_of(name)
    executor, x = Executor(model, path), batch_of(30)
    executor.predict(x[:1])
    before = executor.predict(x)
    out, memory = model.forward(x, training=True)
    for key, grad in model.backward(out / 30, memory)[1].items():
        model.params[key] -= 0.5 * grad  # in place, as every optimiser does
    for n in (1, 30):
        close(executor.predict(x[:n]), model.forward(x[:n])[0])
    assert not np.allclose(before, model.forward(x)[0], atol=1e-4)


@pytest.mark.kernels
@pytest.mark.parametrize("name", ["masked", "masked-midl", "weight-gate"])
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_a_changed_wiring_is_seen(name, path):
    model = model_of(name)
    executor, layer, x = Executor(model, path), model.layers[0], batch_of(12)
    executor.predict(x)
    if name == "weight-gate":
        layer.state["threshold"][...] = 0.7
    else:  # as in pruning: the mask alone
        layer.mask[np.random.default_rng(0).random(layer.mask.shape) < 0.5] = False
    close(executor.predict(x), model.forward(x)[0])
    close(executor.predict(x[:1]), model.forward(x[:1])[0])


def prune(layer):
    """Close the weakest twentieth of the live connections; no weight changes."""
    live = np.flatnonzero(layer.mask)
    weak = live[np.argsort(np.abs(layer.params["weight"].reshape(-1)[live]))[:len(live) // 20]]
    layer.mask.reshape(-1)[weak] = False


def rewire(layer):
    """Exchange a twentieth; what grows starts at 0, as in RigL, and nothing has learned yet."""
    dead = np.flatnonzero(~layer.mask)
    before = layer.mask.sum()
    prune(layer)
    born = dead[:before - layer.mask.sum()]
    layer.mask.reshape(-1)[born] = True
    layer.params["weight"].reshape(-1)[born] = 0


def train_one_neuron(layer):
    """A step of plain descent on a loss that heard of one neuron only."""
    layer.params["weight"][:, 77] *= 0.5
    layer.params["bias"][77] -= 0.1


def decay(layer):
    """Weight decay, which leaves biases and the mask alone."""
    layer.params["weight"][...] *= 0.9


@pytest.mark.kernels
@pytest.mark.parametrize("change", [prune, rewire, train_one_neuron, decay])
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_small_changes_of_a_layer_too_large_to_look_at_are_seen(change, path):
    model = Sequential(MaskedLinear(256, 256, density=0.2, seed=1))
    executor, layer, x = Executor(model, path), model.layers[0], batch_of(20, n_in=256)
    before = executor.predict(x)
    assert len(executor.stages[0].chain.wires.probes) < layer.mask.sum() / 20
    change(layer)
    assert not np.allclose(before, model.forward(x)[0], atol=1e-4)
    close(executor.predict(x), model.forward(x)[0])
    close(executor.predict(x[:1]), model.forward(x[:1])[0])


@pytest.mark.kernels
def test_a_single_weight_changed_by_hand_is_seen_by_forward_and_after_refresh():
    model = Sequential(MaskedLinear(100, 100, density=0.5, seed=1))  # more than can be looked at
    executor, x = Executor(model, "neuron"), batch_of(3, n_in=100)
    executor.predict(x)
    probes = executor.stages[0].chain.wires.probes
    place = next(i for i in np.flatnonzero(model.layers[0].mask) if i not in set(probes))
    for run in (lambda: executor.forward(x)[0], lambda: executor.predict(x)):
        model.params["0.weight"].reshape(-1)[place] += 5
        stale = executor.predict(x)
        assert not np.allclose(stale, model.forward(x)[0], atol=1e-3)  # the limit that is told
        executor.refresh()
        close(executor.predict(x), model.forward(x)[0])
        model.params["0.weight"].reshape(-1)[place] += 5
        executor.forward(x)
        close(run(), model.forward(x)[0])


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block"])
def test_behind_gates_too_forward_looks_at_every_weight(path):
    model = Sequential(MaskedDynamicGate(100, 100, density=0.5, seed=1), Linear(100, 3, seed=2))
    executor, x = Executor(model, path), batch_of(9, n_in=100)
    executor.predict(x)
    chain = executor.stages[0].chain
    neuron = model.layers[0].decide(x).active.sum(axis=0).argmax()
    live = np.flatnonzero(model.layers[0].mask[:, neuron])  # in memory, neuron after neuron
    place = next(i for i in live if neuron * 100 + i not in set(chain.wires.probes))
    before = model.forward(x)[0]
    model.params["0.weight"][place, neuron] += 5
    assert not np.allclose(before, model.forward(x)[0], atol=1e-3)
    close(executor.forward(x)[0], model.forward(x)[0])
    close(executor.predict(x), model.forward(x)[0])


@pytest.mark.kernels
@pytest.mark.parametrize("path", ["neuron", "block"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_experts_narrower_than_a_register(path, dtype):
    model = Sequential(Experts(3, 16, n_experts=4, dtype=dtype, seed=1),
                       Linear(16, 2, dtype=dtype, seed=2))
    for batch in (1, 70):
        x = batch_of(batch, dtype, n_in=3)
        close(Executor(model, path).predict(x), model.forward(x)[0], dtype)


@pytest.mark.kernels
def test_a_training_step_through_the_executor_forgets_the_copies():
    model = Sequential(MaskedLinear(100, 100, density=0.5, seed=1))
    executor, x = Executor(model, "neuron"), batch_of(3, n_in=100)
    executor.predict(x)
    wires = executor.stages[0].chain.wires
    assert wires.seen
    executor.forward(x, training=True)
    assert not wires.seen


@pytest.mark.kernels
@pytest.mark.parametrize("name", ["masked", "weight-gate", "masked-midl", "topk"])
def test_threads_change_no_bit(name):
    model, x = model_of(name), batch_of(300)
    wanted = Executor(model, "neuron").predict(x)
    assert Executor(model, "neuron", threads=2).predict(x).tobytes() == wanted.tobytes()
    wanted = Executor(model, "block").predict(x)
    assert Executor(model, "block", threads=2).predict(x).tobytes() == wanted.tobytes()


@pytest.mark.kernels
def test_mixed_and_nested_models_run_in_stages():
    model = Sequential(
        LayerNorm(N_IN), Sequential(MaskedLinear(N_IN, 16, density=0.3, seed=1), ReLU()),
        Dropout(0.5), Experts(16, 12, n_experts=3, seed=2), Linear(12, 8, seed=3),
        WeightGate(8, 10, seed=4), MaskedDynamicGate(10, 6, density=0.5, seed=5),
        Linear(6, N_OUT, seed=6))
    executor, x = Executor(model, "neuron"), batch_of(9)
    kinds = [type(stage.chain) for stage in executor.stages if stage.chain is not None]
    assert kinds == [Wired, Grouped, Wired, WiredGate]
    wanted, wanted_memory = model.forward(x)
    got, memory = executor.forward(x)
    close(got, wanted)
    grad = np.ones_like(wanted)
    wanted_x, wanted_grads = model.backward(grad, wanted_memory)
    got_x, got_grads = executor.backward(grad, memory)
    np.testing.assert_allclose(got_x, wanted_x, atol=1e-5)
    for key in wanted_grads:
        np.testing.assert_allclose(got_grads[key], wanted_grads[key], atol=1e-4, err_msg=key)
    upstream = memory_at(memory, "1.0")["upstream"]
    assert upstream.grad_u is not None, "what grows by gradient asks the memory for it"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", MODELS)
def test_without_numba_the_answers_are_the_same(name, path, monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    model = model_of(name)
    executor = Executor(model, path)
    for batch in (0, 1, 9):
        x = batch_of(batch)
        close(executor.predict(x), model.forward(x)[0])


@pytest.mark.kernels
@pytest.mark.parametrize("name", ["masked", "weight-gate", "masked-midl", "switch"])
@pytest.mark.parametrize("path", PATHS)
def test_bad_input_is_refused(name, path):
    executor, x = Executor(model_of(name), path), batch_of(3)
    nan = x.copy()
    nan[1, 2] = np.nan
    for bad in (nan, x[:, :4], x.astype(np.float64), x[0]):
        for call in (executor.predict, executor.forward):
            with pytest.raises(InputError):
                call(bad)


@pytest.mark.kernels
@pytest.mark.parametrize("change", ["bias", "temperature"])
def test_balancing_and_schedules_of_a_router_are_seen(change):
    model, x = model_of("topk"), batch_of(40)
    executor = Executor(model, "block")
    before = executor.predict(x)
    model.layers[0].state[change][...] = [0.9, 0, 0, 0] if change == "bias" else 0.3
    close(executor.predict(x), model.forward(x)[0])
    assert not np.array_equal(before, executor.predict(x))


@pytest.mark.kernels
def test_gates_on_sparse_layers_run_by_rows_or_by_lists():
    if wire_kernels() is None:
        pytest.skip("Numba is not installed")
    found = {}
    for name in ("masked-midl", "masked-midl-sparse", "masked-gate-keep"):
        executor = Executor(model_of(name))
        executor.predict(batch_of(2))
        found[name] = executor.stages[0].chain.by_rows(1) is not None
    assert found == {"masked-midl": True, "masked-midl-sparse": True,
                     "masked-gate-keep": False}  # no kernel knows min_keep


@pytest.mark.kernels
@pytest.mark.parametrize("name", ["masked-midl-sparse", "masked-midl-light", "masked-gate"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_large_layers_with_few_connections_run_by_lists(name, dtype, monkeypatch):
    monkeypatch.setattr("minimidl.execution.wired_gate.LARGE", 0)
    monkeypatch.setattr("minimidl.execution.wired_gate.SPARSE", 1.0)
    model = model_of(name, dtype)
    executor = Executor(model, "neuron")
    for batch in (1, 3, 9):
        x = batch_of(batch, dtype)
        out, memory = executor.forward(x)
        close(out, model.forward(x)[0], dtype)
        assert executor.predict(x).tobytes() == out.tobytes()
        active = memory_at(memory, "0")["decision"].active
        np.testing.assert_array_equal(active, model.layers[0].decide(x).active)
    if wire_kernels() is not None:
        assert executor.stages[0].chain.by_rows(3) is None
        assert executor.stages[0].chain.by_rows(9) is not None


def test_explain_says_what_runs():
    text = Executor(model_of("masked"), "neuron").explain()
    assert "layers 0 and 1: runs as 30.0% of the connections are live" in text
    text = Executor(model_of("switch")).explain((1, 64))
    assert "4 experts" in text
    assert "at batch 64 (density 0.25" in text
    lonely = Executor(Sequential(Experts(N_IN, N_UNITS, n_experts=4), ReLU()))
    assert "layer 0: dense (no linear layer follows directly)" in lonely.explain()
    if wire_kernels() is not None:
        assert "neuron" in Executor(model_of("masked-midl")).explain((1,))


def test_layers_that_do_not_fit_run_dense_and_say_why():
    model = model_of("switch")
    model.layers[1].params["weight"] = np.asfortranarray(model.layers[1].params["weight"])
    executor, x = Executor(model, "neuron"), batch_of(4)
    assert "not stored in C order" in executor.explain()
    close(executor.predict(x), model.forward(x)[0])
