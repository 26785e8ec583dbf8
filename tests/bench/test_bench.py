"""The machinery of timing: structure and honesty, never the times themselves."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

from minimidl import InputError
from minimidl.bench import (
    alternate,
    batch1_latency,
    best_peer,
    dense_peers,
    one_thread,
    timing,
)
from minimidl.bench.latency import dense_twin, latency
from minimidl.bench.peers import BUILDERS, DensePeer
from minimidl.bench.timing import Timing, calls_for, summary
from minimidl.layers import (
    MIDL,
    DynamicGate,
    Experts,
    GatedStack,
    InputGate,
    LayerNorm,
    Linear,
    MaskedLinear,
    MaskedMIDL,
    ReLU,
    Sequential,
    WeightGate,
    wires_of,
)


def affine(dtype=np.float32, widths=(7, 6, 5, 3)):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(a, b)).astype(dtype), rng.normal(size=b).astype(dtype))
            for a, b in itertools.pairwise(widths)]


def by_hand(x, layers):
    for weight, bias in layers[:-1]:
        x = np.maximum(x @ weight + bias, 0)
    return x @ layers[-1][0] + layers[-1][1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [
    "numpy", pytest.param("torch", marks=pytest.mark.oracle),
    pytest.param("onnxruntime", marks=pytest.mark.oracle),
])
def test_every_peer_computes_the_dense_network(name, dtype):
    if name != "numpy":
        pytest.importorskip(name, reason=f"{name} is not installed")
    layers = affine(dtype)
    x = np.random.default_rng(1).normal(size=(4, 7)).astype(dtype)
    kept = x.copy()
    (peer,) = dense_peers(layers, [name])
    out = peer.predict(x)
    np.testing.assert_allclose(out, by_hand(x, layers), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(peer.bind(x)()), out)
    assert out.dtype == dtype
    np.testing.assert_array_equal(x, kept)


@pytest.mark.oracle
def test_torch_peer_leaves_the_thread_setting_alone():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        (peer,) = dense_peers(affine(), ["torch"])
        peer.predict(np.ones((1, 7), np.float32))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_peer_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert [peer.name for peer in dense_peers(affine())] == ["numpy"]


def test_bad_requests_are_refused():
    with pytest.raises(InputError, match="peer: got 'jax'"):
        dense_peers(affine(), ["jax"])
    with pytest.raises(InputError, match="layers"):
        dense_peers([])
    with pytest.raises(InputError, match="rounds: got 3"):
        alternate({"a": int}, rounds=3)
    with pytest.raises(InputError, match="calls"):
        alternate({})


def test_calls_alternate_and_are_warmed_up():
    order = []
    timings = alternate({name: lambda name=name: order.append(name) for name in "ab"},
                        rounds=9, round_seconds=1e-5)
    assert timings.keys() == {"a", "b"}
    changes = sum(first != second for first, second in itertools.pairwise(order))
    assert changes >= 2 * 9  # a..a b..b a..a b..b, nine times
    assert all(t.rounds == 9 and 0 < t.low <= t.seconds <= t.high for t in timings.values())


def test_every_turn_begins_with_a_call_off_the_clock(monkeypatch):
    calls: list[str] = []
    monkeypatch.setattr(timing, "calls_for", lambda call, round_seconds: 3)
    alternate({"a": lambda: calls.append("a")}, rounds=7)
    assert len(calls) == 7 * (1 + 3)
    calls.clear()
    monkeypatch.setattr(timing, "LONG_CALL", 0.0)  # now every call is a long one
    alternate({"a": lambda: calls.append("a")}, rounds=7)
    assert len(calls) == 1 + 7 * 3


def test_summary_worked_by_hand():
    timing = summary([5.0, 1.0, 2.0, 4.0, 3.0], calls=10)
    assert (timing.seconds, timing.low, timing.high, timing.rounds) == (3.0, 2.0, 4.0, 5)


def test_rounds_are_filled_but_never_empty():
    assert calls_for(lambda: None, 1e-4) > 1
    assert calls_for(lambda: None, 0.0) >= 1


def test_one_thread_limits_blas_and_puts_it_back():
    from threadpoolctl import threadpool_info

    before = [pool["num_threads"] for pool in threadpool_info()]
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_the_best_peer_is_the_fastest():
    def slow():
        return sum(range(20_000))

    peers = [DensePeer("slow", abs, lambda x: slow), DensePeer("fast", abs, lambda x: int)]
    assert best_peer(peers, np.ones((1, 2), np.float32)).name == "fast"


def test_the_dense_twin_has_the_same_widths_and_no_gate():
    model = Sequential(LayerNorm(4), DynamicGate(4, 8, light="linear"), Linear(8, 6), ReLU(),
                       Sequential(MIDL(6, 5), Linear(5, 2)))
    assert [weight.shape for weight, _ in dense_twin(model)] == [(4, 8), (8, 6), (6, 5), (5, 2)]


def test_the_dense_twin_of_input_gates_and_of_stacks():
    model = Sequential(InputGate(4), GatedStack(4, (8, 6)), Linear(6, 2))
    assert [weight.shape for weight, _ in dense_twin(model)] == [(4, 8), (8, 6), (6, 2)]
    times = batch1_latency(model, peers=["numpy"])
    assert times["latency_us"] > 0
    assert times["peer"] == "numpy"


@pytest.mark.kernels
@pytest.mark.parametrize("model", [
    Sequential(MIDL(6, 8), Linear(8, 3)), Sequential(DynamicGate(6, 8), Linear(8, 3)),
    Sequential(Linear(6, 8), ReLU(), Linear(8, 3)), MIDL(6, 8, dtype=np.float64),
])
def test_latency_reports_times_and_the_peer(model):
    kept = {name: value.copy() for name, value in model.params.items()}
    result = batch1_latency(model, peers=["numpy"])
    assert result.keys() == {"latency_us", "dense_latency_us", "peer"}
    assert result["peer"] == "numpy"
    assert 0 < result["latency_us"] < 1e6
    assert 0 < result["dense_latency_us"] < 1e6
    for name, value in kept.items():
        np.testing.assert_array_equal(model.params[name], value)


@pytest.mark.kernels
@pytest.mark.parametrize("model", [
    Sequential(MaskedLinear(6, 8, density=0.5), ReLU(), Linear(8, 3)),
    Sequential(WeightGate(6, 8), Linear(8, 3)),
    Sequential(MaskedMIDL(6, 8, density=0.5), Linear(8, 3)),
    Sequential(Experts(6, 8, n_experts=2), Linear(8, 3)),
])
def test_dense_twins_of_missing_connections_and_experts(model):
    twin, x = dense_twin(model), np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    assert [weight.shape for weight, _ in twin] == [(6, 8), (8, 3)]
    wires = wires_of(model.layers[0])
    if wires is not None:
        np.testing.assert_array_equal(twin[0][0] != 0, wires)
    found = latency(model, x, peers=["numpy"])
    assert found["peer"] == "numpy"
    assert 0 < found["latency_us"] < 1e6
    with pytest.raises(InputError, match="x: got no samples"):
        latency(model, x[:0])


def test_latency_is_per_sample_and_batch1_latency_per_call(monkeypatch):
    ticks = {"model": Timing(8e-6, 0, 0, 1, 7), "dense": Timing(4e-6, 0, 0, 1, 7),
             "numpy": Timing(1e-6, 0, 0, 1, 7)}
    for module in ("latency", "peers"):
        monkeypatch.setattr(f"minimidl.bench.{module}.alternate", lambda calls, **options: ticks)
    model, x = Sequential(Linear(6, 3)), np.ones((4, 6), np.float32)
    found = latency(model, x, peers=["numpy"])
    assert found == {"latency_us": 2.0, "dense_latency_us": 1.0, "peer": "numpy"}
    assert batch1_latency(model, x, peers=["numpy"])["latency_us"] == 8.0


def test_the_dense_peer_may_run_another_network(monkeypatch):
    run = []
    monkeypatch.setattr("minimidl.bench.latency.dense_peers",
                        lambda twin, names: run.append(twin) or dense_peers(twin, names))
    model, like = Sequential(Linear(6, 9), ReLU(), Linear(9, 3)), Sequential(Linear(6, 3))
    x = np.ones((2, 6), np.float32)
    latency(model, x, peers=["numpy"])
    batch1_latency(model, x, peers=["numpy"], like=like)
    assert [len(twin) for twin in run] == [2, 1]


def test_latency_without_anything_to_compare_and_with_a_wrong_sample():
    assert batch1_latency(ReLU())["peer"] == ""
    with pytest.raises(InputError, match="x: got shape"):
        batch1_latency(Sequential(MIDL(6, 8), Linear(8, 3)), x=np.ones((1, 5), np.float32))


def test_peers_are_imported_only_when_asked_for():
    code = "import sys, minimidl.bench; print({'torch', 'onnx', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          check=True)
    assert done.stdout.strip() == "set()"
    assert set(BUILDERS) == {"numpy", "torch", "onnxruntime"}
