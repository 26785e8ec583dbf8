"""Gates on masked layers: unmasked where nothing is masked, the state apart from the chooser's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minimidl.layers import (
    MIDL,
    DynamicGate,
    MaskedDynamicGate,
    MaskedMIDL,
    gated_layers,
    masked_layers,
    wires_of,
)
from minimidl.proof.differences import numeric_gradient

PAIRS: list[Any] = [(MIDL, MaskedMIDL), (DynamicGate, MaskedDynamicGate)]
both = pytest.mark.parametrize(("plain", "masked"), PAIRS)


def sample(rows: int = 5, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, 6)).astype(dtype)


@both
@pytest.mark.parametrize("light", ["zero", "identity", "low-rank", "linear"])
def test_a_full_mask_is_bitwise_no_mask(plain: Any, masked: Any, light: str) -> None:
    one, two = (make(6, 6, light=light, activation="gelu", seed=3) for make in (plain, masked))
    x = sample()
    (y, memory), (z, other) = one.forward(x, True), two.forward(x, True)
    assert y.tobytes() == z.tobytes()
    (grad_y, grads), (grad_z, others) = (
        layer.backward(np.ones_like(y), m) for layer, m in ((one, memory), (two, other)))
    assert grad_y.tobytes() == grad_z.tobytes()
    for name in grads:
        assert (grads[name] == others[name]).all(), name
        assert grads[name].flags.f_contiguous == others[name].flags.f_contiguous


@both
def test_masking_is_setting_weights_to_0(plain: Any, masked: Any) -> None:
    layer = masked(6, 8, density=0.4, seed=1)
    twin = plain(6, 8, seed=1)
    twin.params["weight"] *= layer.mask
    layer.params["weight"][~layer.mask] = 99  # dead all the same
    x = sample()
    assert layer.forward(x)[0].tobytes() == twin.forward(x)[0].tobytes()


@both
def test_dead_weights_have_gradient_0_and_a_dense_gradient(plain: Any, masked: Any) -> None:
    layer = masked(6, 8, density=0.4, light="low-rank", activation="tanh", dtype=np.float64, seed=1)
    x = sample(dtype=np.float64)
    wanted = np.random.default_rng(1).normal(size=(5, 8))
    _, memory = layer.forward(x)
    _, grads = layer.backward(wanted, memory)
    dense = layer.dense_gradient(memory)
    assert (grads["weight"][~layer.mask] == 0).all()
    assert (grads["weight"][layer.mask] == dense[layer.mask]).all()
    layer.params["weight"][~layer.mask] = 0
    layer.mask[...] = True  # the gates read x alone: they decide as before

    def value(_: Any) -> float:
        return float(np.vdot(layer.forward(x)[0], wanted))

    np.testing.assert_allclose(dense, numeric_gradient(value, layer.params["weight"]), atol=1e-8)


@both
def test_mask_and_weight_lie_alike_in_memory(plain: Any, masked: Any) -> None:
    layer = masked(6, 8, density=0.5)
    assert layer.mask.flags.f_contiguous
    assert layer.params["weight"].flags.f_contiguous
    _, memory = layer.forward(sample())
    layer.backward(np.ones((5, 8), np.float32), memory)
    assert layer.dense_gradient(memory).flags.f_contiguous


@both
def test_only_the_full_path_is_masked(plain: Any, masked: Any) -> None:
    layer, twin = masked(6, 8, density=0.1, light="linear", seed=5), plain(
        6, 8, light="linear", seed=5)
    for name, value in twin.params.items():
        same = (layer.params[name] == value).all()
        assert same == (name != "weight"), name
    assert layer.mask.sum() == round(0.1 * 48)
    assert "mask" not in layer.chooser.state
    assert layer.state["temperature"] is layer.chooser.state["temperature"]


def test_a_gated_neuron_without_inputs_answers_its_bias_when_open() -> None:
    layer = MaskedDynamicGate(2, 2, gate="static", activation="linear", dtype=np.float64)
    layer.params["gate.bias"][...] = [1, -1]
    layer.params["bias"][...] = [3, 4]
    layer.mask[...] = False
    assert layer.forward(np.ones((1, 2)))[0].tolist() == [[3, 0]]


def test_they_are_gated_and_masked() -> None:
    layer = MaskedMIDL(6, 8, keep=3, density=0.5)
    assert gated_layers(layer) == masked_layers(layer) == {"": layer}
    assert layer.k == 3
    assert (wires_of(layer) == layer.mask).all()
