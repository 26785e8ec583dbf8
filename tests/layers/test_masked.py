"""Masked layers: exact counts, dead weights that stay dead, and what a dead one would do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import (
    Linear,
    MaskedLinear,
    MaskedMIDL,
    ReLU,
    Sequential,
    masked_layers,
    wires_of,
)
from minimidl.layers.masked import random_mask
from minimidl.learning import SGD, Adam, AdamW
from minimidl.proof.differences import numeric_gradient


def hand_layer() -> MaskedLinear:
    """Connections 0-0, 1-0 and 1-1; the dead weight 0-1 is 5 all the same."""
    layer = MaskedLinear(2, 2, dtype=np.float64)
    layer.params["weight"][...] = [[1, 5], [2, 3]]
    layer.params["bias"][...] = [10, 20]
    layer.mask[...] = [[1, 0], [1, 1]]
    return layer


def test_forward_by_hand() -> None:
    output, _ = hand_layer().forward(np.array([[1.0, 2.0]]))
    assert output.tolist() == [[1 + 4 + 10, 6 + 20]]


def test_backward_by_hand() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.array([[1.0, 2.0], [1.0, 0.0]]))
    grad_x, grads = layer.backward(np.array([[1.0, 10.0], [1.0, 0.0]]), memory)
    assert grad_x.tolist() == [[1, 2 + 30], [1, 2]]  # the dead 5 passes nothing back
    assert grads["weight"].tolist() == [[2, 0], [2, 20]]
    assert grads["bias"].tolist() == [2, 10]
    assert layer.dense_gradient(memory).tolist() == [[2, 10], [2, 20]]


def test_the_dense_gradient_is_that_of_connections_which_are_all_alive() -> None:
    layer = MaskedLinear(5, 4, density=0.3, dtype=np.float64, seed=1)
    rng = np.random.default_rng(0)
    x, wanted = rng.normal(size=(6, 5)), rng.normal(size=(6, 4))
    _, memory = layer.forward(x)
    layer.backward(wanted, memory)
    product = layer.params["weight"] * layer.mask
    numeric = numeric_gradient(lambda _: float(np.vdot(x @ product, wanted)), product)
    np.testing.assert_allclose(layer.dense_gradient(memory), numeric, atol=1e-8)


def test_the_dense_gradient_needs_a_backward() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.ones((1, 2)))
    with pytest.raises(InputError, match="memory: got one without a backward"):
        layer.dense_gradient(memory)
    layer.backward_params(np.ones((1, 2)), memory)  # the short way leaves the note as well
    assert layer.dense_gradient(memory).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("density", [0.01, 0.1, 1 / 3, 0.5, 0.999, 1.0])
def test_the_mask_has_exactly_as_many_ones_as_the_density_says(density: float) -> None:
    layer = MaskedLinear(37, 11, density=density, seed=3)
    assert layer.mask.sum() == round(density * 37 * 11)
    assert layer.density == pytest.approx(density, abs=0.51 / 407)
    assert (layer.params["weight"][~layer.mask] == 0).all()


def test_all_places_are_equally_likely() -> None:
    rng, draws = np.random.default_rng(0), 4000
    found = sum(random_mask((3, 4), 0.25, rng).astype(int) for _ in range(draws)) / draws
    assert np.abs(found - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / draws)  # five sigma


@pytest.mark.parametrize("density", [0.0, -0.1, 1.1, float("nan")])
def test_a_density_outside_its_range_is_told(density: float) -> None:
    with pytest.raises(InputError, match=r"density: got .*, expected a share of live connections"):
        MaskedLinear(4, 4, density=density)


def test_a_density_that_leaves_nothing_is_told() -> None:
    with pytest.raises(InputError, match=r"density: got 0\.02, expected at least one of the 16"):
        MaskedLinear(4, 4, density=0.02)


def test_the_seed_gives_the_weights_of_the_linear_layer() -> None:
    linear, masked = Linear(6, 5, seed=7), MaskedLinear(6, 5, density=0.4, seed=7)
    assert (masked.params["weight"] == linear.params["weight"] * masked.mask).all()
    full = MaskedLinear(6, 5, seed=7)
    x = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    assert full.forward(x)[0].tobytes() == linear.forward(x)[0].tobytes()
    assert not (MaskedLinear(6, 5, density=0.4, seed=8).mask == masked.mask).all()


def test_scaled_starts_keep_the_spread_of_the_sum() -> None:
    x = np.random.default_rng(0).normal(size=(200, 400)).astype(np.float32)
    dense = Linear(400, 300, seed=1).forward(x)[0].std()
    plain = MaskedLinear(400, 300, density=0.1, seed=1).forward(x)[0].std()
    scaled = MaskedLinear(400, 300, density=0.1, seed=1, scale_init=True).forward(x)[0].std()
    assert scaled == pytest.approx(dense, rel=0.02)
    assert plain == pytest.approx(dense * np.sqrt(0.1), rel=0.02)


@pytest.mark.parametrize("make", [
    lambda params: SGD(params, 0.1, momentum=0.9, nesterov=True), lambda params: Adam(params, 0.1),
    lambda params: AdamW(params, 0.1, weight_decay=0.1)])
def test_dead_weights_stay_0_through_every_optimiser(make: Any) -> None:
    model = Sequential(MaskedLinear(6, 8, density=0.3, seed=1), ReLU(),
                       MaskedMIDL(8, 4, density=0.5, seed=2))
    before = {path: layer.mask.copy() for path, layer in masked_layers(model).items()}
    optimizer, rng = make(model.params), np.random.default_rng(0)
    x = rng.normal(size=(10, 6)).astype(np.float32)
    for _ in range(20):
        output, memory = model.forward(x, True, rng)
        optimizer.step(model.backward_params(output - 1, memory), 0.1)
    for path, layer in masked_layers(model).items():
        assert (layer.mask == before[path]).all()
        assert (layer.params["weight"][~layer.mask] == 0).all()
        assert np.abs(layer.params["weight"][layer.mask]).min() > 0


def test_a_weight_that_dies_is_forgotten_even_when_momentum_moves_it() -> None:
    layer = MaskedLinear(3, 2, seed=1)
    optimizer, x = SGD(layer.params, 0.1, momentum=0.9), np.ones((1, 3), np.float32)
    _, memory = layer.forward(x)
    optimizer.step(layer.backward_params(np.ones((1, 2), np.float32), memory), 0.1)
    layer.mask[0, 0] = False
    before, memory = layer.forward(x)
    optimizer.step(layer.backward_params(np.zeros((1, 2), np.float32), memory), 0.1)
    moved, kept = layer.params["weight"].copy(), layer.params["weight"]
    kept[0, 0] += 100
    after = layer.forward(x)[0]
    assert after[0, 0] == pytest.approx(moved[1:, 0].sum() + layer.params["bias"][0], rel=1e-6)
    assert before.shape == after.shape


def test_without_connections_only_the_bias_is_left() -> None:
    layer = hand_layer()
    layer.mask[...] = False
    output, memory = layer.forward(np.array([[1.0, 2.0]]))
    assert output.tolist() == [[10, 20]]
    grad_x, grads = layer.backward(np.array([[1.0, 1.0]]), memory)
    assert not grad_x.any()
    assert not grads["weight"].any()
    assert grads["bias"].tolist() == [1, 1]
    assert layer.dense_gradient(memory).tolist() == [[1, 1], [2, 2]]


def test_a_neuron_without_inputs_answers_its_bias() -> None:
    layer = hand_layer()
    layer.mask[:, 1] = False
    output, _ = layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert output[:, 1].tolist() == [20, 20]


def test_one_connection_and_one_sample() -> None:
    layer = MaskedLinear(1, 1, dtype=np.float64)
    layer.params["weight"][...] = 3
    output, memory = layer.forward(np.array([[2.0]]))
    grad_x, grads = layer.backward(np.array([[1.0]]), memory)
    assert (output.item(), grad_x.item(), grads["weight"].item()) == (6, 3, 2)


def test_an_empty_batch_passes() -> None:
    layer = MaskedLinear(3, 2, density=0.5)
    output, memory = layer.forward(np.empty((0, 3), np.float32))
    grad_x, grads = layer.backward(np.empty((0, 2), np.float32), memory)
    assert (output.shape, grad_x.shape) == ((0, 2), (0, 3))
    assert not grads["weight"].any()


def test_masked_layers_are_found_by_path_and_tell_their_wires() -> None:
    inner = MaskedLinear(4, 3, density=0.5)
    model = Sequential(Linear(5, 4), Sequential(ReLU(), inner))
    assert masked_layers(model) == {"1.1": inner}
    assert masked_layers(inner) == {"": inner}
    wires = wires_of(inner)
    assert wires is not None
    wires[...] = False  # a copy
    assert inner.mask.sum() == 6
    assert wires_of(model.layers[0]) is None
    assert model.state["1.1.mask"] is inner.mask
