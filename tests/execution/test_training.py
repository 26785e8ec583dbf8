"""The gradient "active-only": the exact derivative of what was executed, and of nothing else."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from minimidl import InputError
from minimidl.data import load
from minimidl.execution import Executor
from minimidl.execution.masked import MaskedPlaces
from minimidl.execution.places import Places
from minimidl.kernels import compiled_kernels
from minimidl.layers import (
    ACTIVATIONS,
    MIDL,
    Dropout,
    DynamicGate,
    InputGate,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
    Tanh,
    gated_layers,
    memory_at,
)
from minimidl.learning import SGD, Adam, Budget, fit

STEP, DOUBLE = 1e-6, {"dtype": np.float64}
LANES = 8  # float64 numbers in the widest register: rows of N_IN are a register and a bit, or two
N_IN, N_OUT = LANES + 1, 3
KINDS = (MIDL, DynamicGate)


def varied(model, seed=0):
    """Parameters moved at random, so that no bias is 0; the same model."""
    rng = np.random.default_rng(seed)
    for value in model.params.values():
        value += 0.2 * rng.normal(size=value.shape).astype(value.dtype)
    return model


def segment_of(kind, *, n_in=N_IN, n_units=8, n_out=N_OUT, between=(), **options):
    """A gated layer, what stands between, and a linear layer."""
    options = {"gate_rank": 2, "light_rank": 2, "activation": "tanh", **DOUBLE, **options}
    return varied(Sequential(kind(n_in, n_units, seed=1, **options), *between,
                             Linear(n_units, n_out, seed=2, dtype=options["dtype"])))


class Bench:
    """One training step of a model with a fixed objective, budgets included."""

    def __init__(self, model, batch=3, seed=3, rng_seed=5):
        rng = np.random.default_rng(seed)
        self.model, self.rng_seed = model, rng_seed
        self.executor = Executor(model, gradient="active-only")
        self.x = rng.normal(size=(batch, model.n_in)).astype(self.executor.dtype)
        self.grad = rng.normal(size=(batch, model.n_out)).astype(self.executor.dtype)
        self.pulls = {path: rng.normal(size=(batch, gated.n_gates)).astype(self.executor.dtype)
                      for path, gated in gated_layers(model).items()}

    def forward(self):
        return self.executor.forward(self.x, True, np.random.default_rng(self.rng_seed))

    def gradients(self):
        """All gradients by name, that of x as "x", and the memory."""
        memory = self.forward()[1]
        grad_x, grads = self.executor.backward(self.grad, memory, self.pulls)
        assert grads.keys() == self.model.params.keys()
        return grads | {"x": grad_x}, memory

    def masks(self, memory):
        return b"".join(memory_at(memory, path)["decision"].active.tobytes()
                        for path in self.pulls)

    def value(self):
        """The objective, and which gates were open."""
        output, memory = self.forward()
        pulled = sum(np.vdot(memory_at(memory, path)["probability"], pull)
                     for path, pull in self.pulls.items())
        return np.vdot(output, self.grad) + pulled, self.masks(memory)

    def check(self, every=True):
        """Central differences on the entries of every parameter and of x."""
        grads, memory = self.gradients()
        home, rng = self.masks(memory), np.random.default_rng(0)
        for name, tensor in (self.model.params | {"x": self.x}).items():
            assert grads[name].shape == tensor.shape
            entries = list(np.ndindex(tensor.shape))
            if not every and len(entries) > 10:
                entries = [entries[i] for i in rng.choice(len(entries), 10, replace=False)]
            for index in entries:
                before = tensor[index]
                tensor[index] = before + STEP
                above, mask_above = self.value()
                tensor[index] = before - STEP
                below, mask_below = self.value()
                tensor[index] = before
                assert mask_above == mask_below == home, "a gate jumped: choose another seed"
                slope, scale = (above - below) / (2 * STEP), 1 + np.abs(grads[name]).max()
                assert abs(slope - grads[name][index]) < 1e-7 * scale, (name, index)
        return grads, memory


def uses_kernels(memory):
    """Whether compiled kernels made this memory; then they are what was differentiated."""
    own = next(part for part in memory.values() if "open" in part)
    return not isinstance(own["open"]["places"], MaskedPlaces)


def name_of(value):
    return getattr(value, "__name__", str(value))


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_differences_on_every_entry_for_every_block(kind, block):
    bench = Bench(segment_of(kind, block=block, n_units=max(12, 3 * block)), 4)
    grads, memory = bench.check()
    assert uses_kernels(memory) == (compiled_kernels() is not None)
    assert all(np.abs(value).max() > 1e-3 for value in grads.values())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("kind", "block"), [(MIDL, 1), (DynamicGate, 4)])
def test_differences_for_every_activation(kind, block, activation):
    Bench(segment_of(kind, block=block, activation=activation)).check()


@pytest.mark.parametrize("light", ["zero", "low-rank", "linear", "identity"])
@pytest.mark.parametrize("value", ["probability", "binary"])
@pytest.mark.parametrize("block", [1, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_differences_for_every_light_path_and_gate_value(kind, light, value, block):
    n_in = 12 if light == "identity" else N_IN
    model = segment_of(kind, n_in=n_in, n_units=12, block=block, light=light, gate_value=value)
    Bench(model).check(every=block == 1)


@pytest.mark.parametrize("gate", ["static", "linear", "low-rank", "mlp"])
@pytest.mark.parametrize("kind", KINDS)
def test_differences_for_every_gate_network(kind, gate):
    Bench(segment_of(kind, gate=gate, gate_value="probability")).check()


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize(("kind", "temperature"), [(DynamicGate, 0.4), (MIDL, 0.4), (MIDL, 3.0)])
def test_differences_at_other_temperatures(kind, temperature, block):
    Bench(segment_of(kind, block=block, temperature=temperature, gate_value="probability")).check()


@pytest.mark.kernels
@pytest.mark.parametrize("batch", [1, 5, 70])
@pytest.mark.parametrize("block", [1, 4])
def test_differences_for_every_size_of_a_batch(batch, block):
    Bench(segment_of(DynamicGate, block=block, gate_value="probability"), batch).check(every=False)


@pytest.mark.kernels
@pytest.mark.parametrize("n_in", [1, LANES - 1, LANES, LANES + 1, 2 * LANES + 3])
@pytest.mark.parametrize("n_out", [1, LANES - 1, LANES, LANES + 1])
@pytest.mark.parametrize("block", [1, 4])
def test_differences_around_the_width_of_a_register(n_in, n_out, block):
    bench = Bench(segment_of(MIDL, n_in=n_in, n_out=n_out, block=block, gate="linear"))
    _, memory = bench.check(every=False)
    kernels = compiled_kernels()
    assert uses_kernels(memory) == (
        kernels is not None and n_in >= kernels.VECTOR_BYTES // bench.x.itemsize)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("light", ["zero", "low-rank"])
def test_differences_with_noise_and_dropout(kind, block, light):
    bench = Bench(segment_of(kind, block=block, light=light, gate_noise=0.7,
                             gate_value="probability", between=(Dropout(0.4), Dropout(0.2))), 6)
    _, memory = bench.check()
    clean = bench.executor.forward(bench.x)[1]
    assert bench.masks(memory) != bench.masks(clean), "noise opened nothing"
    kept = memory["0"]["open"]["kept"]
    assert all((mask["factor"] == 0).any() for mask in kept)


def deep_model(dtype=np.float64):
    """Plain layers and three segments on several levels, with dropout inside and outside."""
    d = {"dtype": dtype}
    return varied(Sequential(
        LayerNorm(N_IN, **d), Linear(N_IN, 10, seed=1, **d), Tanh(), Dropout(0.2),
        Sequential(MIDL(10, 12, block=4, seed=2, activation="gelu", **d), Dropout(0.3),
                   Linear(12, 9, seed=3, **d)),
        Sequential(Sequential(DynamicGate(9, 8, light="low-rank", gate_value="probability",
                                          activation="tanh", seed=4, **d)),
                   Linear(8, 8, seed=5, **d), Tanh()),
        MIDL(8, 8, block=2, keep=2, gate_noise=0.5, activation="sigmoid", seed=6, **d),
        Linear(8, N_OUT, seed=7, **d)))


@pytest.mark.kernels
def test_differences_of_a_deep_nested_model():
    Bench(deep_model(), 4).check(every=False)


def test_differences_where_gates_stand_without_a_kernel():
    # The input gate and the last layer have no segment: they train as they are, and the derivative
    # of the segment between them is the same as ever. Nothing is asked of their own parameters.
    model = varied(Sequential(Linear(N_IN, N_IN, **DOUBLE), Tanh(),
                              MIDL(N_IN, 8, activation="tanh", **DOUBLE), Linear(8, 6, **DOUBLE),
                              InputGate(6, keep=6, gate="static", **DOUBLE)))
    bench = Bench(model)
    assert list(bench.executor.active_only.segments) == ["2"]
    bench.pulls.pop("4")
    grads, _ = bench.gradients()
    for name in ("0.weight", "2.weight", "2.gate.down", "3.weight"):
        index = np.unravel_index(np.abs(grads[name]).argmax(), grads[name].shape)
        before = model.params[name][index]
        values = []
        for move in (STEP, -STEP):
            model.params[name][index] = before + move
            values.append(bench.value()[0])
        model.params[name][index] = before
        assert (values[0] - values[1]) / (2 * STEP) == pytest.approx(grads[name][index], rel=1e-6)


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("light", ["zero", "low-rank"])
def test_nothing_open_at_all(block, light):
    bench = Bench(segment_of(DynamicGate, threshold=1 - 1e-9, block=block, light=light,
                             gate_value="probability"), 5)
    grads, memory = bench.check()
    assert not memory["0"]["decision"].active.any()
    assert not grads["0.weight"].any()
    assert not grads["0.bias"].any()
    assert grads["0.gate.bias"].any()  # the budget is heard by closed gates
    assert len(bench.executor.touched(memory)["0.bias"]) == 0


@pytest.mark.kernels
@pytest.mark.parametrize("kind", KINDS)
def test_a_single_neuron_and_a_single_output(kind):
    Bench(segment_of(kind, n_units=1, n_out=1, gate="linear"), 4).check()


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("light", ["zero", "linear"])
def test_an_empty_batch(dtype, light):
    bench = Bench(segment_of(MIDL, dtype=dtype, n_in=20, light=light), 0)
    output, _ = bench.forward()
    assert output.shape == (0, N_OUT)
    grads, memory = bench.gradients()
    assert grads.pop("x").shape == (0, 20)
    assert not any(value.any() for value in grads.values())
    assert all(len(rows) == 0 for rows in bench.executor.touched(memory).values())


@pytest.mark.parametrize("topk", ["sigmoid", "lapsum", "gumbel"])
def test_a_soft_operator_is_trained_hard(topk):
    bench = Bench(segment_of(MIDL, topk=topk, keep=3), 5)
    _, memory = bench.check(every=False)
    assert (memory["0"]["decision"].active.sum(axis=1) == 3).all()
    np.testing.assert_array_equal(bench.forward()[0].shape, (5, N_OUT))
    np.testing.assert_allclose(bench.forward()[0], bench.model.forward(bench.x)[0], atol=1e-12)


def test_an_estimator_that_draws_is_trained_without_drawing():
    bench = Bench(segment_of(DynamicGate, estimator="concrete", gate_value="probability"))
    bench.check(every=False)
    np.testing.assert_allclose(bench.forward()[0], bench.model.forward(bench.x)[0], atol=1e-12)


CASES = [{"kind": kind, "block": block, "light": light, "gate_value": value}
         for kind, (block, light, value) in product(KINDS, [
             (1, "zero", "probability"), (2, "low-rank", "binary"), (3, "linear", "probability"),
             (4, "zero", "binary"), (4, "low-rank", "probability"), (12, "zero", "probability")])]


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 5, 70])
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(name_of, case.values())))
def test_kernels_equal_the_masked_layers(case, batch, dtype, monkeypatch):
    options = {"n_in": 20, "n_units": 12, "activation": "gelu", "gate_noise": 0.5, "dtype": dtype}
    bench = Bench(segment_of(**case | options), batch)
    output, memory = bench.forward()
    grads, _ = bench.gradients()
    assert uses_kernels(memory) == (compiled_kernels() is not None)
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    twin = Bench(bench.model, batch)
    wanted, wanted_memory = twin.forward()
    wanted_grads, _ = twin.gradients()
    assert not uses_kernels(wanted_memory)
    assert bench.masks(memory) == bench.masks(wanted_memory)
    tolerance = 2e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(output, wanted, rtol=0, atol=tolerance)
    assert output.dtype == dtype
    for name, value in wanted_grads.items():
        np.testing.assert_allclose(grads[name], value, rtol=0, atol=tolerance, err_msg=name)
        assert grads[name].dtype == dtype, name
    for name, rows in twin.executor.touched(wanted_memory).items():
        np.testing.assert_array_equal(bench.executor.touched(memory)[name], rows)


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 4])
def test_ragged_masks(block, monkeypatch):
    # One feature lifts all scores of a sample: some samples open everything, some nothing.
    model = segment_of(DynamicGate, n_in=20, n_units=24, block=block, gate="linear",
                       gate_value="probability")
    model.params["0.gate.weight"][0] = 4
    bench = Bench(model, 130)
    bench.x[:, 0] = np.random.default_rng(1).normal(size=130) * 5
    output, memory = bench.forward()
    grads, _ = bench.gradients()
    counts = memory["0"]["decision"].active.sum(axis=1)
    assert counts.min() == 0
    assert counts.max() == 24 // block
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    bench.executor = Executor(model, gradient="active-only")
    np.testing.assert_allclose(output, bench.forward()[0], atol=1e-12)
    for name, value in bench.gradients()[0].items():
        np.testing.assert_allclose(grads[name], value, rtol=1e-11, atol=1e-11, err_msg=name)


@pytest.mark.kernels
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(name_of, case.values())))
def test_the_output_is_that_of_the_models_own_training_step(case):
    bench = Bench(segment_of(**case, n_in=20, n_units=12, gate_noise=0.5), 7)
    wanted, _ = bench.model.forward(bench.x, True, np.random.default_rng(bench.rng_seed))
    np.testing.assert_allclose(bench.forward()[0], wanted, atol=1e-12)


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 4])
def test_twice_gives_the_same_bits_and_changes_nothing(block):
    bench = Bench(segment_of(MIDL, block=block, light="low-rank", gate_noise=0.3,
                             between=(Dropout(0.2),)), 70)
    kept = {name: value.copy() for name, value in bench.model.params.items()}
    x, grad = bench.x.copy(), bench.grad.copy()
    output, memory = bench.forward()
    before = output.copy()
    first = bench.executor.backward(bench.grad, memory, bench.pulls)
    second = bench.executor.backward(bench.grad, memory, bench.pulls)
    assert first[0].tobytes() == second[0].tobytes()
    for name, value in first[1].items():
        assert value.tobytes() == second[1][name].tobytes(), name
        assert bench.model.params[name].tobytes() == kept[name].tobytes(), name
    assert output.tobytes() == before.tobytes() == bench.forward()[0].tobytes()
    assert (x.tobytes(), grad.tobytes()) == (bench.x.tobytes(), bench.grad.tobytes())


@pytest.mark.kernels
@pytest.mark.parametrize("model", [segment_of(MIDL, light="low-rank"), deep_model()],
                         ids=["segment", "deep"])
def test_backward_params_are_the_gradients_of_backward(model):
    bench = Bench(model)
    grads, memory = bench.gradients()
    alone = bench.executor.backward_params(bench.grad, memory, bench.pulls)
    assert alone.keys() == model.params.keys()
    for name, value in alone.items():
        assert value.tobytes() == grads[name].tobytes(), name


def test_nobody_makes_the_gradient_of_an_input_that_nobody_asked_for(monkeypatch):
    def made(model):
        bench = Bench(model)
        memory, calls = bench.forward()[1], []
        for kind in (Places, MaskedPlaces):
            monkeypatch.setattr(kind, "spread", lambda self, *args: calls.append("segment"))
        monkeypatch.setattr(Linear, "backward", lambda self, grad, memory, gate=None: (
            calls.append("linear") or grad @ self.params["weight"].T, {}))
        bench.executor.backward_params(bench.grad, memory)
        monkeypatch.undo()
        return calls

    assert made(segment_of(MIDL)) == []
    d = {"dtype": np.float64}
    deep = Sequential(Linear(N_IN, N_IN, **d), MIDL(N_IN, 8, **d), Linear(8, N_OUT, **d),
                      Linear(N_OUT, N_OUT, **d))
    assert made(deep) == ["linear", "segment"]  # the last two; the first layer needs neither


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 4])
def test_neurons_that_nobody_opened_are_not_read_and_learn_nothing(block):
    bench = Bench(segment_of(MIDL, n_units=24, block=block, keep=2))
    output, memory = bench.forward()
    grads, _ = bench.gradients()
    opened = np.repeat(memory["0"]["decision"].active.any(axis=0), block)
    assert 0 < opened.sum() < 24
    for name, value in (("0.weight", grads["0.weight"].T), ("0.bias", grads["0.bias"]),
                        ("1.weight", grads["1.weight"])):
        assert not value[~opened].any(), name
        assert value[opened].any(), name
    if compiled_kernels() is None:
        return  # masked arithmetic reads everything
    bench.model.params["0.weight"][:, ~opened] = np.nan
    bench.model.params["1.weight"][~opened] = np.nan
    assert bench.forward()[0].tobytes() == output.tobytes()
    for name, value in bench.gradients()[0].items():
        np.testing.assert_array_equal(value, grads[name], err_msg=name)


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 2, 4])
@pytest.mark.parametrize("light", ["zero", "low-rank"])
def test_touched_rows_are_those_that_are_not_zero(block, light):
    bench = Bench(segment_of(MIDL, n_units=24, block=block, keep=2, light=light), 4)
    grads, memory = bench.gradients()
    rows = bench.executor.touched(memory)
    np.testing.assert_array_equal(rows["0.weight"], np.flatnonzero(grads["0.weight"].any(axis=0)))
    np.testing.assert_array_equal(rows["0.bias"], np.flatnonzero(grads["0.bias"]))
    assert 0 < len(rows["0.bias"]) < 24
    outgoing = np.flatnonzero(grads["1.weight"].any(axis=1))
    if light == "zero":
        np.testing.assert_array_equal(rows["1.weight"], outgoing)
    else:  # closed neurons hand on their light value, so the next layer learns from them too
        assert "1.weight" not in rows
        assert len(outgoing) == 24


@pytest.mark.parametrize(("n_in", "n_units", "n_out"), [(N_IN, 1, 3), (1, 8, 3), (N_IN, 8, 1)])
def test_of_ambiguous_weights_no_row_is_named(n_in, n_units, n_out):
    bench = Bench(segment_of(MIDL, n_in=n_in, n_units=n_units, n_out=n_out, gate="linear"))
    grads, memory = bench.gradients()
    rows = bench.executor.touched(memory)
    optimizer = Adam(bench.model.params, 0.01, sparse=True)
    grads.pop("x")
    optimizer.step(grads, touched=rows)  # refuses rows that are out of range
    for part in optimizer.parts:
        if part.name in rows:
            lying = part.in_rows(part.flat(grads[part.name]))
            silent = np.setdiff1d(np.arange(part.n_rows), rows[part.name])
            assert not lying[silent].any(), part.name


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_sparse_step_over_touched_rows_is_a_sparse_step(kind):
    def stepped(**options):
        bench = Bench(segment_of(MIDL, n_units=24, keep=5))
        optimizer = kind(bench.model.params, 0.1, sparse=options.pop("sparse"))
        for _ in range(3):
            grads, memory = bench.gradients()
            grads.pop("x")
            told = {"touched": bench.executor.touched(memory)} if options else {}
            optimizer.step(grads, **told)
        return bench.model.params

    told, looked, dense = stepped(sparse=True, told=True), stepped(sparse=True), stepped(
        sparse=False)
    for name, value in told.items():
        assert value.tobytes() == looked[name].tobytes(), name
        if kind is SGD:  # no momentum, no decay: a row without a gradient stays where it is
            assert value.tobytes() == dense[name].tobytes(), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_task_moves_a_probability_gate_and_not_a_binary_one(kind):
    for value in ("probability", "binary"):
        bench = Bench(segment_of(kind, gate_value=value), 6)
        memory = bench.forward()[1]
        task = bench.executor.backward(bench.grad, memory)[1]
        budget = bench.executor.backward(0 * bench.grad, memory, bench.pulls)[1]
        for name in ("0.gate.down", "0.gate.up", "0.gate.bias"):
            assert task[name].any() == (value == "probability"), (value, name)
            assert budget[name].any(), name


def test_closed_gates_learn_from_straight_through_only():
    model = segment_of(MIDL, gate="static", gate_value="probability", keep=3)
    bench = Bench(model, 6)
    closed = ~bench.forward()[1]["0"]["decision"].active[0]
    own = model.backward(bench.grad, model.forward(bench.x, True)[1])[1]["0.gate.bias"]
    exact = bench.executor.backward(bench.grad, bench.forward()[1])[1]["0.gate.bias"]
    assert own[closed].all()
    assert not exact[closed].any()
    assert exact[~closed].all()


def test_straight_through_is_the_models_own():
    model = deep_model()
    executor, plain = Executor(model, gradient="straight-through"), Executor(model)
    x, grad = Bench(model).x, Bench(model).grad
    wanted, memory = model.forward(x, True, np.random.default_rng(1))
    wanted_x, wanted_grads = model.backward(grad, memory)
    for runner in (executor, plain):
        got, own = runner.forward(x, True, np.random.default_rng(1))
        got_x, grads = runner.backward(grad, own)
        assert (got.tobytes(), got_x.tobytes()) == (wanted.tobytes(), wanted_x.tobytes())
        assert all(grads[name].tobytes() == value.tobytes()
                   for name, value in wanted_grads.items())
        assert runner.touched(own) == {}


def test_evaluation_and_its_backward_stay_the_models_pair():
    model = segment_of(MIDL, light="low-rank")
    bench = Bench(model)
    output, memory = bench.executor.forward(bench.x)
    wanted, wanted_memory = model.forward(bench.x)
    np.testing.assert_allclose(output, wanted, atol=1e-12)
    grads = bench.executor.backward(bench.grad, memory, bench.pulls)[1]
    for name, value in model.backward(bench.grad, wanted_memory, bench.pulls)[1].items():
        np.testing.assert_allclose(grads[name], value, atol=1e-12, err_msg=name)


@pytest.mark.kernels
@pytest.mark.parametrize("block", [1, 4])
def test_gradients_in_any_memory_layout(block):
    bench = Bench(segment_of(MIDL, n_in=20, block=block), 6)
    wanted, memory = bench.gradients()
    frozen = bench.grad.copy()
    frozen.flags.writeable = False
    wide = np.repeat(bench.grad, 2, axis=1)
    for odd in (np.asfortranarray(bench.grad), wide[:, ::2], frozen):
        grad_x, grads = bench.executor.backward(odd, memory, bench.pulls)
        for name, value in (grads | {"x": grad_x}).items():
            np.testing.assert_array_equal(value, wanted[name], err_msg=name)


@pytest.mark.kernels
def test_bad_input_is_refused_in_one_line():
    bench = Bench(segment_of(MIDL), 4)
    _, memory = bench.forward()
    bad_nan = bench.x.copy()
    bad_nan[1, 2] = np.nan
    calls = [lambda bad=bad: bench.executor.forward(bad, True)
             for bad in (bench.x[0], bench.x[:, :5], bench.x.astype(np.float32), bad_nan, None)]
    calls += [lambda bad=bad: bench.executor.backward(bad, memory)
              for bad in (bench.grad[:2], bench.grad[:, :1], bench.grad.astype(np.float32))]
    calls += [lambda bad=bad: bench.executor.backward(bench.grad, memory, bad)
              for bad in (np.ones(3), {"7": bench.pulls["0"]}, {"0": bench.pulls["0"][:2]},
                          {"0": bench.pulls["0"].astype(np.float32)})]
    calls += [lambda: Executor(segment_of(MIDL, gate_noise=1.0), gradient="active-only").forward(
        bench.x, True)]
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("options", "message"), [
    ({"gradient": "soft"}, "gradient: got 'soft', expected one of straight-through, active-only"),
    ({"threads": 0}, "threads: got 0, expected"), ({"threads": -1}, "threads: got -1"),
    ({"threads": "2"}, "threads: got '2'"), ({"threads": 1.5}, "threads: got 1.5")])
def test_unknown_options_are_refused_in_one_line(options, message):
    with pytest.raises(InputError) as caught:
        Executor(segment_of(MIDL), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lone_layer_and_a_model_without_gates_train_as_they_are():
    for model in (MIDL(N_IN, 6, seed=1), Sequential(Linear(N_IN, 6), ReLU(), Linear(6, 2))):
        executor = Executor(model, gradient="active-only")
        x = np.random.default_rng(0).normal(size=(3, N_IN)).astype(np.float32)
        output, memory = executor.forward(x, True, np.random.default_rng(1))
        wanted, wanted_memory = model.forward(x, True)
        np.testing.assert_array_equal(output, wanted)
        got = executor.backward(np.ones_like(output), memory)[1]
        for name, value in model.backward(np.ones_like(output), wanted_memory)[1].items():
            np.testing.assert_array_equal(got[name], value)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("kind", "options"), [
    (MIDL, {"keep": 0.5, "block": 4}), (DynamicGate, {"gate_value": "probability"})])
def test_fit_trains_through_the_executor(kind, options, sparse, digits):
    def trained():
        model = Sequential(kind(64, 64, seed=1, **options), Dropout(0.1), Linear(64, 10, seed=2))
        before = {name: value.copy() for name, value in model.params.items()}
        budgets = [Budget("quadratic", 1.0, 0.4)] if kind is DynamicGate else []
        history = fit(Executor(model, "dense", gradient="active-only"), digits, epochs=8,
                      optimizer=Adam(model.params, 5e-3, sparse=sparse), batch_size=64,
                      budgets=budgets, progress=False)
        assert all((before[name] != value).any() for name, value in model.params.items())
        return model, history

    model, history = trained()
    assert (model.forward(digits.x_test)[0].argmax(axis=1) == digits.y_test).mean() > 0.9
    again, _ = trained()
    for name, value in model.params.items():
        assert value.tobytes() == again.params[name].tobytes(), name
    assert history.rows[-1]["active_ratio"] < 0.7
