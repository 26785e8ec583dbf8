"""What every layer promises: same bits twice, inputs untouched, dtype kept, params not rebound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import (
    GELU,
    MIDL,
    Dropout,
    DynamicGate,
    GatedStack,
    InputGate,
    Layer,
    LayerNorm,
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    MaskedMIDL,
    OpenDropoutDynamicGate,
    OpenDropoutMIDL,
    RandomGate,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    WeightGate,
)

Build = Callable[[Any], Layer]
LAYERS: dict[str, Build] = {
    "linear": lambda dtype: Linear(6, 4, dtype=dtype),
    "relu": lambda dtype: ReLU(),
    "gelu": lambda dtype: GELU(),
    "gelu-tanh": lambda dtype: GELU("tanh"),
    "tanh": lambda dtype: Tanh(),
    "sigmoid": lambda dtype: Sigmoid(),
    "layer-norm": lambda dtype: LayerNorm(6, dtype=dtype),
    "dropout": lambda dtype: Dropout(0.4),
    "midl": lambda dtype: MIDL(6, 8, dtype=dtype),
    "midl soft": lambda dtype: MIDL(6, 6, topk="sigmoid", temperature=0.5, light="identity",
                                    activation="gelu", dtype=dtype),
    "midl blocks": lambda dtype: MIDL(6, 8, keep=2, block=2, gate="linear", light="low-rank",
                                      gate_value="binary", activation="tanh", dtype=dtype),
    "dynamic": lambda dtype: DynamicGate(6, 8, dtype=dtype),
    "dynamic blocks": lambda dtype: DynamicGate(
        6, 8, block=4, gate="linear", light="linear", gate_value="probability", threshold=0.4,
        temperature=0.7, activation="gelu-tanh", init="xavier", dtype=dtype),
    "midl drawn, mlp": lambda dtype: MIDL(6, 8, topk="gumbel", gate="mlp", gate_noise=0.3,
                                          dtype=dtype),
    "midl sparsemax": lambda dtype: MIDL(6, 8, topk="sparsemax", temperature=0.5, dtype=dtype),
    "midl dselect": lambda dtype: MIDL(6, 8, keep=2, topk="dselect-k", gate_spread=20, dtype=dtype),
    "dynamic drawn": lambda dtype: DynamicGate(6, 8, estimator="reinmax", min_keep=2, dtype=dtype),
    "dynamic static": lambda dtype: DynamicGate(6, 8, estimator="clipped", gate="static",
                                                threshold=0.4, dtype=dtype),
    "input gate": lambda dtype: InputGate(6, dtype=dtype),
    "input gate blocks": lambda dtype: InputGate(6, choose="threshold", block=2, gate="mlp",
                                                 gate_value="probability", dtype=dtype),
    "stack": lambda dtype: GatedStack(6, (8, 4), dtype=dtype),
    "stack layers": lambda dtype: GatedStack(
        6, (8, 4), budget="layer", choose="threshold", estimator="concrete", block=2,
        activation="tanh", gate_noise=0.2, dtype=dtype),
    "masked": lambda dtype: MaskedLinear(6, 4, density=0.4, scale_init=True, dtype=dtype),
    "midl masked": lambda dtype: MaskedMIDL(6, 8, density=0.5, light="low-rank", dtype=dtype),
    "dynamic masked": lambda dtype: MaskedDynamicGate(6, 8, density=0.3, block=2, dtype=dtype),
    "weight gate": lambda dtype: WeightGate(6, 4, threshold=0.6, min_keep=3, dtype=dtype),
    "weight gate drawn": lambda dtype: WeightGate(
        6, 4, estimator="concrete", gate_value="probability", activation="gelu", dtype=dtype),
    "random gate": lambda dtype: RandomGate(6, 8, rate=0.4, block=2, light="linear", dtype=dtype),
    "midl open dropout": lambda dtype: OpenDropoutMIDL(
        6, 6, open_dropout=0.3, light="identity", activation="tanh", dtype=dtype),
    "dynamic open dropout": lambda dtype: OpenDropoutDynamicGate(6, 8, dtype=dtype),
    "sequential": lambda dtype: Sequential(
        Linear(6, 5, dtype=dtype), Sequential(MIDL(5, 6, dtype=dtype), Dropout(0.2)),
        DynamicGate(6, 3, init="orthogonal", dtype=dtype)),
}
GATED = [name for name in LAYERS
         if name.startswith(("midl", "dynamic", "input", "stack", "weight", "experts"))]
every_layer = pytest.mark.parametrize("name", list(LAYERS))
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def sample(rows: int, dtype: Any = np.float64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 6)).astype(dtype)


def run(layer: Layer, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, dict[str, Any]]:
    return layer.forward(x, training, np.random.default_rng(3))


def upstream(output: np.ndarray) -> np.ndarray:
    return np.random.default_rng(4).normal(size=output.shape).astype(output.dtype)


def arrays_of(value: Any) -> list[np.ndarray]:
    """All arrays inside a memory, a decision or a dict of gradients."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        return [found for inner in value.values() for found in arrays_of(inner)]
    return arrays_of(vars(value)) if hasattr(value, "scores") else []


@every_layer
def test_the_same_call_gives_the_same_bits(name: str) -> None:
    layer, x = LAYERS[name](np.float64), sample(5)
    (one, memory_one), (two, memory_two) = run(layer, x), run(layer, x)
    assert one.tobytes() == two.tobytes()
    g = upstream(one)
    results = [layer.backward(g, memory) for memory in (memory_one, memory_one, memory_two)]
    for grad_x, grads in results[1:]:
        assert grad_x.tobytes() == results[0][0].tobytes()
        assert all(grads[key].tobytes() == results[0][1][key].tobytes() for key in grads)


@every_layer
def test_the_gradients_of_parameters_alone_have_the_same_bits(name: str) -> None:
    layer = LAYERS[name](np.float32)
    output, memory = run(layer, sample(5, np.float32))
    grads = layer.backward_params(g := upstream(output), memory)
    _, expected = layer.backward(g, memory)
    assert list(grads) == list(expected)
    for key in grads:
        assert grads[key].tobytes() == expected[key].tobytes(), key
        assert grads[key].flags.f_contiguous == expected[key].flags.f_contiguous


@every_layer
def test_inputs_memory_parameters_and_state_are_left_alone(name: str) -> None:
    layer, x = LAYERS[name](np.float64), sample(5)
    arrays = [x, *layer.params.values(), *layer.state.values()]
    before = [a.copy() for a in arrays]
    output, memory = run(layer, x)
    kept = [output, *arrays_of(memory)]
    g = upstream(output)
    after_forward, g_before = [a.copy() for a in kept], g.copy()
    layer.backward(g, memory)
    for now, then in zip(arrays + kept, before + after_forward, strict=True):
        assert now.tobytes() == then.tobytes()
    assert (g == g_before).all()


@every_layer
def test_writing_into_a_result_cannot_reach_the_input_or_the_parameters(name: str) -> None:
    layer, x = LAYERS[name](np.float64), sample(3)
    output, memory = run(layer, x, training=False)
    grad_x, grads = layer.backward(g := upstream(output), memory)
    owned = [x, g, *layer.params.values(), *layer.state.values()]
    for result in (output, grad_x, *grads.values()):
        assert not any(np.shares_memory(result, array) for array in owned)


@every_layer
@both_dtypes
@pytest.mark.parametrize("training", [False, True])
def test_dtype_follows_the_parameters_everywhere(name: str, dtype: Any, training: bool) -> None:
    layer = LAYERS[name](dtype)
    output, memory = run(layer, sample(4, dtype), training)
    grad_x, grads = layer.backward(upstream(output), memory)
    floats = [a for a in [output, grad_x, *grads.values(), *arrays_of(memory)]
              if a.dtype.kind == "f"]
    assert {a.dtype for a in floats} == {np.dtype(dtype)}


@every_layer
def test_float32_agrees_with_float64(name: str) -> None:
    single, double = LAYERS[name](np.float32), LAYERS[name](np.float64)
    for key, value in double.params.items():
        value[...] = single.params[key]
    x = sample(6, np.float32)
    output, memory = run(double, x.astype(np.float64))
    grad_x, grads = double.backward(g := upstream(output), memory)
    output32, memory32 = run(single, x)
    grad_x32, grads32 = single.backward(g.astype(np.float32), memory32)
    np.testing.assert_allclose(output32, output, atol=1e-5)
    np.testing.assert_allclose(grad_x32, grad_x, atol=1e-4)
    for key in grads:
        np.testing.assert_allclose(grads32[key], grads[key], atol=1e-4)


@every_layer
def test_gradients_match_the_parameters_which_are_never_rebound(name: str) -> None:
    layer = LAYERS[name](np.float64)
    identities = {key: id(value) for key, value in (layer.params | layer.state).items()}
    output, memory = run(layer, sample(4))
    grad_x, grads = layer.backward(upstream(output), memory)
    assert grad_x.shape == (4, 6)
    assert {key: g.shape for key, g in grads.items()} == {
        key: p.shape for key, p in layer.params.items()}
    assert {k: id(v) for k, v in (layer.params | layer.state).items()} == identities
    assert all(isinstance(value, np.ndarray) for value in layer.state.values())


@every_layer
def test_parameters_changed_in_place_are_used_at_the_next_call(name: str) -> None:
    layer, x = LAYERS[name](np.float64), sample(4)
    before, _ = run(layer, x, training=False)
    for value in layer.params.values():
        value += 0.5
    after, _ = run(layer, x, training=False)
    assert bool(layer.params) == bool((before != after).any())


@every_layer
def test_a_sample_alone_gives_what_it_gives_in_a_batch(name: str) -> None:
    layer, x = LAYERS[name](np.float64), sample(5)
    batch, _ = run(layer, x, training=False)
    for row in range(5):
        alone, _ = run(layer, x[row:row + 1], training=False)
        assert alone.shape == (1, batch.shape[1])
        np.testing.assert_allclose(alone[0], batch[row], atol=1e-13)


@pytest.mark.parametrize("name", ["linear", "layer-norm", "sequential", *GATED])
def test_wrong_shapes_and_dtypes_are_told(name: str) -> None:
    layer = LAYERS[name](np.float32)
    for bad in (np.zeros((2, 5), np.float32), np.zeros(6, np.float32),
                np.zeros((1, 2, 6), np.float32)):
        with pytest.raises(InputError) as caught:
            run(layer, bad)
        assert str(caught.value).startswith(f"x: got shape {bad.shape}, expected (batch, 6)")
    with pytest.raises(InputError, match=r"x: got dtype float64, expected float32.*x.astype\(np.f"):
        run(layer, sample(2, np.float64))
    with pytest.raises(InputError, match=r"x: got dtype int64, expected float32"):
        run(layer, np.zeros((2, 6), np.int64))


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@both_dtypes
def test_a_gate_refuses_what_it_cannot_rank(name: str, bad: float, dtype: Any) -> None:
    x = sample(3, dtype)
    x[1, 2] = bad
    with pytest.raises(InputError, match=rf"x: got {bad} at index \(1, 2\), expected finite"):
        run(LAYERS[name](dtype), x)


@pytest.mark.parametrize("name", GATED)
def test_a_gate_that_has_diverged_says_so(name: str) -> None:
    layer = LAYERS[name](np.float64)
    layer.params["gate.bias"][1] = np.nan
    with pytest.raises(InputError, match=r"gate scores: got nan at index \(0, 1\), expected fin"):
        run(layer, sample(3))
