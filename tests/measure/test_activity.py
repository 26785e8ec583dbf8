"""Shares of open gates by class."""

import numpy as np

from minimidl.layers import DynamicGate, Linear, Sequential, WeightGate
from minimidl.measure import activity_by_class


def test_shares_by_hand_and_unknown_classes():
    layer = DynamicGate(1, 2, gate="linear")
    layer.params["gate.weight"][:] = [[1.0, -1.0]]  # opens neuron 0 for x > 0, neuron 1 for x < 0
    model = Sequential(layer, Linear(2, 3))
    x = np.array([[1.0], [2.0], [-1.0], [-2.0], [3.0]], np.float32)
    shares = activity_by_class(model, x, np.array([0, 0, 2, 2, 2]), 3)
    assert list(shares) == ["0"]
    np.testing.assert_allclose(shares["0"][[0, 2]], [[1, 0], [1 / 3, 2 / 3]])
    assert np.isnan(shares["0"][1]).all()  # no sample of class 1: unknown, not closed


def test_gates_of_connections_say_nothing_about_samples_not_even_about_one():
    model = Sequential(DynamicGate(4, 6), WeightGate(6, 5), Linear(5, 3))
    for n in (1, 3):
        assert list(activity_by_class(model, np.ones((n, 4), np.float32), np.zeros(n, int), 3)) == [
            "0"]
