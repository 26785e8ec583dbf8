"""The linear layer, by hand."""

from __future__ import annotations

import numpy as np

from minimidl.layers import Linear


def hand_layer() -> Linear:
    layer = Linear(2, 3, dtype=np.float64)
    layer.params["weight"][...] = [[1, 2, 0], [0, -1, 3]]
    layer.params["bias"][...] = [0.5, 0, -1]
    return layer


def test_forward_by_hand() -> None:
    output, _ = hand_layer().forward(np.array([[1.0, 2.0], [0.0, 1.0]]))
    assert output.tolist() == [[1.5, 0, 5], [0.5, -1, 2]]


def test_backward_by_hand() -> None:
    layer = hand_layer()
    _, memory = layer.forward(np.array([[1.0, 2.0], [0.0, 1.0]]))
    grad_x, grads = layer.backward(np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]), memory)
    assert grad_x.tolist() == [[1, 3], [4, -2]]  # dy W^T
    assert grads["weight"].tolist() == [[1, 0, 1], [2, 2, 2]]  # x^T dy
    assert grads["bias"].tolist() == [1, 2, 1]


def test_the_bias_starts_at_zero_and_the_seed_decides_the_weight() -> None:
    one, two, other = Linear(3, 2, seed=1), Linear(3, 2, seed=1), Linear(3, 2, seed=2)
    assert not one.params["bias"].any()
    assert (one.params["weight"] == two.params["weight"]).all()
    assert (one.params["weight"] != other.params["weight"]).any()
