"""Light paths: what a closed neuron answers."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate
from minimidl.layers.light import LIGHT_PATHS, light_path

X = np.random.default_rng(0).normal(size=(3, 4))


def build(kind: str) -> DynamicGate:
    return DynamicGate(4, 4, light=kind, light_rank=2, dtype=np.float64, activation="tanh")


@pytest.mark.parametrize("kind", LIGHT_PATHS)
def test_with_every_gate_closed_the_output_is_the_light_path(kind: str) -> None:
    layer = build(kind)
    layer.params["gate.bias"][...] = -50
    output, memory = layer.forward(X)
    assert not memory["decision"].active.any()
    p = layer.params
    expected = {
        "zero": lambda: np.zeros((3, 4)),
        "identity": lambda: X,
        "low-rank": lambda: X @ p["light.down"] @ p["light.up"] + p["light.bias"],
        "linear": lambda: X @ p["light.weight"] + p["light.bias"],
    }[kind]()
    np.testing.assert_allclose(output, expected, atol=1e-14)


@pytest.mark.parametrize("kind", LIGHT_PATHS)
def test_with_every_gate_open_the_light_path_plays_no_part(kind: str) -> None:
    layer = build(kind)
    layer.params["gate.bias"][...] = 50
    output, memory = layer.forward(X)
    np.testing.assert_allclose(
        output, np.tanh(X @ layer.params["weight"] + layer.params["bias"]), atol=1e-14)
    _, grads = layer.backward(np.ones((3, 4)), memory)
    assert not any(g.any() for name, g in grads.items() if name.startswith("light."))


@pytest.mark.parametrize(("kind", "names"), [
    ("zero", set()), ("identity", set()), ("low-rank", {"light.down", "light.up", "light.bias"}),
    ("linear", {"light.weight", "light.bias"})])
def test_parameters_by_kind(kind: str, names: set[str]) -> None:
    assert {name for name in build(kind).params if name.startswith("light.")} == names


@pytest.mark.parametrize(("kind", "macs"), [("identity", 0), ("low-rank", 16), ("linear", 16)])
def test_macs(kind: str, macs: int) -> None:
    path = light_path(kind, 4, 4, rank=2, seed=0, dtype=np.float32)
    assert path is not None
    assert path.macs() == macs  # 2 (4 + 4), and 4 * 4


def test_bad_light_paths_are_told() -> None:
    with pytest.raises(InputError, match=r"light: got 'half', expected one of zero, identity, low"):
        MIDL(4, 4, light="half")
    with pytest.raises(InputError, match=r"light: got 'identity' from 4 to 6 units, expected equ"):
        MIDL(4, 6, light="identity")
    with pytest.raises(InputError, match=r"rank: got 0, expected a width of at least 1"):
        MIDL(4, 6, light="low-rank", light_rank=0)
