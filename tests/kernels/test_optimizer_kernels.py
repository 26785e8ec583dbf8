"""One-pass optimiser steps equal NumPy's to the last bit: every option, order and dtype."""

from __future__ import annotations

import platform

import numpy as np
import pytest

from minimidl.kernels import choose, jit
from minimidl.learning import SGD, Adam, AdamW, Group, gate_group

pytestmark = pytest.mark.kernels
numba = pytest.importorskip("numba", reason="Numba is not installed")
from minimidl.kernels import optimizers  # noqa: E402  (needs Numba)

GROUPS = [gate_group(0.3), Group("frozen", lambda name: name == "scale", 0.0),
          Group("decaying", lambda name: name == "1.bias", 1.0, 0.2)]
MAKE = {
    "sgd": lambda p, **o: SGD(p, 0.1, **o),
    "sgd, decay": lambda p, **o: SGD(p, 0.1, weight_decay=0.3, groups=GROUPS, **o),
    "momentum": lambda p, **o: SGD(p, 0.1, momentum=0.9, weight_decay=0.1, **o),
    "nesterov": lambda p, **o: SGD(p, 0.1, momentum=0.8, nesterov=True, groups=GROUPS, **o),
    "adam": lambda p, **o: Adam(p, 0.01, **o),
    "adam, other betas": lambda p, **o: Adam(p, 0.01, betas=(0.0, 0.5), eps=1e-3, **o),
    "adamw": lambda p, **o: AdamW(p, 0.01, groups=GROUPS, **o),
}
every_optimizer = pytest.mark.parametrize("name", list(MAKE))
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def start(dtype):
    """Parameters of every shape and order; 35 and 33 leave a rest behind every vector length."""
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (7, 5), "0.gate.weight": (5, 3), "1.weight": (33, 2), "1.bias": (33,),
              "scale": (), "none": (0, 4), "cube": (3, 2, 4)}
    params = {name: np.array(rng.normal(size=shape), dtype) for name, shape in shapes.items()}
    return params | {"0.weight": np.asfortranarray(params["0.weight"])}


def gradients(params, step):
    """Gradients of many sizes, some 0, in the order of the parameters."""
    rng = np.random.default_rng(100 + step)
    grads = {}
    for name, values in params.items():
        size = 10.0 ** rng.integers(-30, 3, values.shape) * (rng.random(values.shape) < 0.7)
        grads[name] = np.zeros_like(values)
        grads[name][...] = rng.normal(size=values.shape) * size
        if step > 3:  # let the moments fade
            grads[name] *= np.asarray(1e-12, values.dtype)
    return grads


def walk(optimizer, params, touched=None, steps=18):
    """Eighteen steps: the sixteenth sweeps out subnormal moments."""
    for step in range(steps):
        with np.errstate(under="ignore"):
            optimizer.step(gradients(params, step), touched=touched and touched(step))
    return {**params, **optimizer.slots}


def assert_same_bits(one, two):
    for name, array in one.items():
        assert array.dtype == two[name].dtype
        assert array.tobytes() == two[name].tobytes(), name


@pytest.fixture
def compiled(monkeypatch):
    """Kernels for the smallest of models, and a count of their calls."""
    calls = []
    plain = optimizers.step
    monkeypatch.delenv("MINIMIDL_NO_NUMBA", raising=False)
    monkeypatch.setattr(choose, "ENOUGH_WEIGHTS", 1)
    monkeypatch.setattr(optimizers, "step", lambda *a: (calls.append(a[0]), plain(*a))[1])
    return calls


@every_optimizer
@both_dtypes
@pytest.mark.parametrize("sparse", ["dense", "listed", "found"])
def test_the_bits_are_those_of_numpy(compiled, monkeypatch, name, dtype, sparse):
    def touched(step):
        rng = np.random.default_rng(step)
        return {"0.weight": np.flatnonzero(rng.random(5) < 0.5), "1.bias": np.array([3, 4, 32]),
                "1.weight": np.array([], int), "cube": np.arange(3), "none": np.arange(0)}

    rows, kind = touched if sparse == "listed" else None, sparse != "dense"
    params, twins = start(dtype), start(dtype)
    by_kernel = walk(MAKE[name](params, sparse=kind), params, rows)
    assert len(compiled) == 18 * len(params)
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    by_numpy = walk(MAKE[name](twins, sparse=kind), twins, rows)
    assert len(compiled) == 18 * len(params), "the twin did not touch a kernel"
    assert_same_bits(by_kernel, by_numpy)
    assert any((by_kernel[key] != start(dtype)[key]).any() for key in params)


def test_the_bits_are_those_of_numpy_for_a_large_model_by_the_rule_itself(monkeypatch):
    rng = np.random.default_rng(0)
    grad, results = rng.normal(size=(520, 257)).astype(np.float32), []
    for without in ("", "1"):
        monkeypatch.setenv("MINIMIDL_NO_NUMBA", without)
        params = {"w": np.ones((520, 257), np.float32)}
        optimizer = AdamW(params)
        for _ in range(3):
            optimizer.step({"w": grad})
        results.append(params["w"].tobytes())
    assert results[0] == results[1]


@both_dtypes
def test_nan_and_infinity_pass_through(compiled, dtype):
    params = {"w": np.ones(5, dtype)}
    optimizer = Adam(params, 0.1)
    with np.errstate(all="ignore"):
        for _ in range(16):  # up to a sweep, which must not tidy them away
            optimizer.step({"w": np.array([np.nan, np.inf, 1, 0, -1], dtype)})
    assert len(compiled) == 16
    assert np.isnan(params["w"]).tolist() == [True, True, False, False, False]
    assert np.isnan(optimizer.slots["first/w"][0])
    assert np.isinf(optimizer.slots["first/w"][1])


def test_gradients_in_another_order_and_read_only_ones(compiled):
    grad = np.arange(12, dtype=np.float32).reshape(3, 4)
    odd = np.asfortranarray(grad)
    odd.flags.writeable = False
    results = []
    for given in (grad, odd, np.repeat(grad, 2, axis=1)[:, ::2]):
        params = {"w": np.ones((3, 4), np.float32)}
        Adam(params, 0.1).step({"w": given})
        results.append(params["w"].tobytes())
    assert results[0] == results[1] == results[2]
    assert len(compiled) == 3


def test_a_gradient_of_another_dtype_is_left_to_numpy(compiled):
    params = {"w": np.ones(3, np.float32)}
    SGD(params, 0.5).step({"w": np.ones(3, np.float64)})
    assert params["w"].tolist() == [0.5] * 3
    assert compiled == []


def test_spans_join_neighbours():
    assert optimizers.spans_of(np.array([0, 1, 4]), 3).tolist() == [[0, 6], [12, 15]]
    assert optimizers.spans_of(np.array([2]), 5).tolist() == [[10, 15]]
    assert optimizers.spans_of(np.arange(4), 1).tolist() == [[0, 4]]
    assert optimizers.spans_of(np.arange(0), 3).shape == (0, 2)


@both_dtypes
@pytest.mark.parametrize("width", [0, 1, 127, 128, 300])
def test_rows_with_a_gradient_are_found(dtype, width):
    grad = np.zeros((6, width), dtype)
    if width:
        grad[0, -1], grad[2, 0], grad[3, width // 2] = np.finfo(dtype).smallest_subnormal, 3, -1
        grad[4], grad[5, -1] = -0.0, np.nan
    assert optimizers.nonzero_rows(grad).tolist() == ([0, 2, 3, 5] if width else [])


def test_the_rule_looks_at_size_and_dtype_only(monkeypatch):
    monkeypatch.setattr(choose, "why_not_compiled", lambda: "")
    enough = choose.ENOUGH_WEIGHTS
    assert choose.optimizer_kernels(enough - 1, "float32") is None
    assert choose.optimizer_kernels(enough, "float16") is None
    assert choose.optimizer_kernels(enough, np.dtype("float64")) is optimizers
    monkeypatch.setattr(choose, "why_not_compiled", lambda: "Numba is away")
    assert choose.optimizer_kernels(10 * enough, "float32") is None


def test_the_size_that_counts_is_that_of_all_parameters_together(monkeypatch):
    asked = []
    monkeypatch.setattr(choose, "optimizer_kernels", lambda *given: asked.append(given))
    params = {"a": np.ones(3, np.float32), "b": np.ones((4, 2), np.float32), "c": np.ones(5)}
    SGD(params).step({name: np.ones_like(values) for name, values in params.items()})
    assert asked == [(11, np.float32), (5, np.float64)]


def test_a_new_update_does_not_inherit_a_kernel(compiled):
    class Backwards(Adam):
        def update(self, values, grad, slots, scratch, rate):
            values += rate * grad

    params = {"w": np.zeros(3)}
    Backwards(params, 0.5).step({"w": np.ones(3)})
    assert params["w"].tolist() == [0.5] * 3
    assert compiled == []


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="the JIT is off")
@pytest.mark.skipif(bool(numba.config.BOUNDSCHECK), reason="checked loops do not run in vectors")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86 instructions")
def test_the_loop_runs_in_vectors(monkeypatch):
    """A root and a division of several float32 at once, and no conversion to float64."""
    monkeypatch.setenv("MINIMIDL_NO_CACHE", "1")  # what comes from the cache has no assembly
    kernel = jit.compiled()(optimizers.adam.py_func)
    arrays = [np.ones(64, np.float32) for _ in range(4)]
    kernel(np.array([[0, 64]]), *arrays, *np.full(8, 0.5, np.float32))
    assembly = next(iter(kernel.inspect_asm().values()))
    assert "sqrtps" in assembly
    assert "divps" in assembly
    assert "cvtps2pd" not in assembly
    assert "cvtss2sd" not in assembly
