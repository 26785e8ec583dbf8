"""Models by name."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.experiment import MODELS, ModelOptions, build_model
from minimidl.layers import Dropout, gated_layers


@pytest.mark.parametrize("name", MODELS)
def test_every_name_builds_its_widths(name):
    model = build_model(name, 7, 3, ModelOptions(width=(8, 6), keep=0.5))
    output, _ = model.forward(np.zeros((2, 7), np.float32))
    assert output.shape == (2, 3)
    assert [p.shape for key, p in model.params.items() if key.endswith(".weight")] == [
        (7, 8), (8, 6), (6, 3)]


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first, again, other = (build_model("midl", 7, 3, seed=s) for s in (1, 1, 2))
    assert all(np.array_equal(first.params[k], again.params[k]) for k in first.params)
    assert not np.array_equal(first.params["0.weight"], other.params["0.weight"])


def test_dropout_is_dense_with_at_least_half_dropped():
    rates = [layer.rate for layer in build_model("dropout", 7, 3).layers
             if isinstance(layer, Dropout)]
    assert rates == [0.5]
    assert not any(isinstance(layer, Dropout) for layer in build_model("dense", 7, 3).layers)


def test_options_reach_the_layers():
    options = ModelOptions(width=(8,), keep=1, gate_block=4, gate_rank=3, light_path="linear",
                           gate_value="binary", gate_temperature=0.5)
    layer = gated_layers(build_model("midl", 7, 3, options))["0"]
    assert (layer.k, layer.block, layer.gate.rank) == (1, 4, 3)
    assert (layer.gate_value, layer.temperature) == ("binary", 0.5)
    assert layer.params["light.weight"].shape == (7, 8)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"model: got 'gpt', expected one of dense, dropout, midl"):
        build_model("gpt", 7, 3)
