"""A gradient of the wrong shape or dtype is told by name, never broadcast or promoted."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import (
    MIDL,
    DynamicGate,
    GatedStack,
    InputGate,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
)

LAYERS = [Linear(4, 4), LayerNorm(4), ReLU(), MIDL(4, 4), DynamicGate(4, 4), InputGate(4),
          GatedStack(4, (6, 4)), Sequential(MIDL(4, 4), Linear(4, 4))]
X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_grad_output_must_fit(layer):
    _, memory = layer.forward(X)
    for bad in (np.ones((3, 5), np.float32), np.ones((3, 4)), np.ones(4, np.float32)):
        with pytest.raises(InputError, match="grad_output"):
            layer.backward(bad, memory)


@pytest.mark.parametrize("layer", [MIDL(4, 4), InputGate(4), GatedStack(4, (6, 4))],
                         ids=lambda layer: type(layer).__name__)
def test_grad_gate_must_fit(layer):
    _, memory = layer.forward(X)
    good = np.ones((3, 4), np.float32)
    for bad in (np.ones((3, 3), np.float32), np.ones(memory["probability"].shape)):
        with pytest.raises(InputError, match="grad_gate"):
            layer.backward(good, memory, bad)


@pytest.mark.parametrize("seed", [-1, "a", True, 1.5])
def test_seeds_must_be_whole_numbers_or_generators(seed):
    with pytest.raises(InputError, match="seed: got"):
        MIDL(4, 4, seed=seed)


def test_parameters_must_be_floats():
    with pytest.raises(InputError, match="dtype: got int32, expected float32 or float64"):
        Linear(4, 4, dtype=np.int32)
