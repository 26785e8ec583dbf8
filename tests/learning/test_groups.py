import numpy as np
import pytest

from minimidl.layers import DynamicGate, LayerNorm, Linear, Sequential
from minimidl.learning.groups import is_bias_or_norm, is_gate, may_decay


@pytest.mark.parametrize(("name", "answer"), [
    ("gate.weight", True), ("0.gate.bias", True), ("1.0.gate.up", True),
    ("0.weight", False), ("0.gateway.weight", False), ("light.down", False),
])
def test_is_gate_looks_at_whole_parts_of_the_name(name, answer):
    assert is_gate(name) is answer


@pytest.mark.parametrize(("name", "ndim", "answer"), [
    ("0.bias", 1, True), ("bias", 2, True), ("1.gain", 1, True), ("0.weight", 2, False),
    ("0.bias_like", 2, False), ("scale", 0, True),
])
def test_is_bias_or_norm(name, ndim, answer):
    assert is_bias_or_norm(name, np.zeros((2,) * ndim)) is answer


def test_in_a_real_model_only_weights_and_the_light_path_decay():
    model = Sequential(DynamicGate(4, 6, light="linear"), LayerNorm(6), Linear(6, 2))
    decaying = {name for name, values in model.params.items() if may_decay(name, values)}
    light = {name for name in model.params if ".light." in name and "bias" not in name}
    assert decaying == {"0.weight", "2.weight"} | light
    assert light
