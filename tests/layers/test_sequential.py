"""Sequential, nested too: names by position, gradients by path, and the chain rule."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import (
    GELU,
    MIDL,
    DynamicGate,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
    gated_layers,
    leaves,
    memory_at,
)


def nested() -> Sequential:
    """Two gated layers, one of them one level down."""
    return Sequential(
        MIDL(4, 6, keep=3, gate_rank=2, dtype=np.float64, seed=1),
        Sequential(LayerNorm(6, dtype=np.float64),
                   DynamicGate(6, 5, gate="linear", dtype=np.float64, seed=2)),
        Linear(5, 3, dtype=np.float64, seed=3))


X = np.random.default_rng(0).normal(size=(7, 4))
G = np.random.default_rng(1).normal(size=(7, 3))


def test_names_are_prefixed_by_position_and_share_the_arrays() -> None:
    model = nested()
    assert set(model.params) == {
        "0.weight", "0.bias", "0.gate.down", "0.gate.up", "0.gate.bias", "1.0.scale", "1.0.bias",
        "1.1.weight", "1.1.bias", "1.1.gate.weight", "1.1.gate.bias", "2.weight", "2.bias"}
    assert set(model.state) == {"0.temperature", "1.1.temperature", "1.1.threshold"}
    inner = model.layers[1].layers[1]  # type: ignore[attr-defined]
    assert model.params["1.1.weight"] is inner.params["weight"]
    assert model.state["1.1.threshold"] is inner.state["threshold"]
    assert (model.n_in, model.n_out) == (4, 3)


def test_forward_and_backward_are_the_layers_one_after_the_other() -> None:
    model = nested()
    output, memory = model.forward(X)
    first, (norm, gate), last = model.layers[0], model.layers[1].layers, model.layers[2]
    a, memory_a = first.forward(X)
    b, memory_b = norm.forward(a)
    c, memory_c = gate.forward(b)
    d, memory_d = last.forward(c)
    assert (output == d).all()
    grad_x, grads = model.backward(G, memory)
    grad_c, by_last = last.backward(G, memory_d)
    grad_b, by_gate = gate.backward(grad_c, memory_c)
    grad_a, by_norm = norm.backward(grad_b, memory_b)
    grad, by_first = first.backward(grad_a, memory_a)
    assert (grad_x == grad).all()
    for prefix, part in (("0", by_first), ("1.0", by_norm), ("1.1", by_gate), ("2", by_last)):
        assert all((grads[f"{prefix}.{name}"] == value).all() for name, value in part.items())


def test_gradients_have_the_keys_and_shapes_of_the_parameters() -> None:
    model = nested()
    _, grads = model.backward(G, model.forward(X)[1])
    assert {name: g.shape for name, g in grads.items()} == {
        name: p.shape for name, p in model.params.items()}


def test_gated_layers_and_leaves_are_found_by_path() -> None:
    model = nested()
    assert [path for path, _ in leaves(model)] == ["0", "1.0", "1.1", "2"]
    gated = gated_layers(model)
    assert list(gated) == ["0", "1.1"]
    assert gated["1.1"] is model.layers[1].layers[1]  # type: ignore[attr-defined]
    alone = MIDL(4, 6)
    assert gated_layers(alone) == {"": alone}


def test_memory_at_finds_the_memory_of_a_layer() -> None:
    _, memory = nested().forward(X)
    assert memory_at(memory, "1.1") is memory["1"]["1"]
    assert memory_at(memory, "1.1")["probability"].shape == (7, 5)
    assert memory_at(memory, "") is memory


@pytest.mark.parametrize(("path", "n_gates", "reached"), [("0", 6, "0."), ("1.1", 5, "1.1.")])
def test_grad_gate_goes_to_the_layer_at_its_path(path: str, n_gates: int, reached: str) -> None:
    model = nested()
    _, memory = model.forward(X)
    _, grads = model.backward(0 * G, memory, {path: np.ones((7, n_gates))})
    moved = {name for name, g in grads.items() if g.any()}
    assert f"{reached}gate.bias" in moved
    if path == "0":  # later layers play no part, nor does the full path beside the gate
        assert all(name.startswith("0.gate.") for name in moved)
    else:  # the gate of 1.1 reads what 0 and 1.0 compute
        assert {"0.weight", "1.0.scale"} <= moved
        assert moved.isdisjoint({"1.1.weight", "1.1.bias", "2.weight", "2.bias"})


def test_grad_gate_adds_to_the_gradient_of_the_task() -> None:
    model = nested()
    _, memory = model.forward(X)
    budget = {"0": np.full((7, 6), 0.3), "1.1": np.full((7, 5), -0.2)}
    task, only_budget = model.backward(G, memory)[1], model.backward(0 * G, memory, budget)[1]
    both = model.backward(G, memory, budget)[1]
    for name, value in both.items():
        np.testing.assert_allclose(value, task[name] + only_budget[name], atol=1e-12)


def test_a_path_without_a_gated_layer_is_told_not_ignored() -> None:
    model = nested()
    _, memory = model.forward(X)
    for path in ("2", "1.0", "1", "7"):
        told = rf"grad_gate: got \['{path}'\], expected paths of gated layers: \['0', '1.1'\]"
        with pytest.raises(InputError, match=told):
            model.backward(G, memory, {path: np.ones((7, 6))})


def test_an_array_instead_of_a_dict_is_told() -> None:
    model = nested()
    _, memory = model.forward(X)
    with pytest.raises(InputError, match=r"grad_gate: got ndarray, expected a dict keyed by layer"):
        model.backward(G, memory, np.ones((7, 6)))


def test_activations_take_the_width_of_their_neighbours() -> None:
    model = Sequential(ReLU(), Linear(3, 2), GELU())
    assert (model.n_in, model.n_out) == (3, 2)


def test_bad_sequences_are_told() -> None:
    with pytest.raises(InputError, match=r"layers: got none, expected at least one layer"):
        Sequential()
    with pytest.raises(InputError, match=r"layer 2: got Linear with input width 4, expected width"):
        Sequential(Linear(2, 3), ReLU(), Linear(4, 1))
    with pytest.raises(InputError, match=r"x: got shape \(1, 5\), expected \(batch, 2\)"):
        Sequential(Linear(2, 3), ReLU()).forward(np.zeros((1, 5), np.float32))


def test_the_gradients_of_parameters_go_no_further_back_than_the_first_of_them() -> None:
    class First(Linear):
        def backward(self, grad_output, memory, grad_gate=None):
            raise AssertionError("nobody asks for dL/dx here")

        def backward_params(self, grad_output, memory, grad_gate=None):
            return Linear(2, 3, dtype=np.float64).backward_params(grad_output, memory)

    class Untouched(ReLU):
        def backward(self, grad_output, memory, grad_gate=None):
            raise AssertionError("there are no parameters before it")

    model = Sequential(
        Untouched(), Sequential(First(2, 3, dtype=np.float64), ReLU()),
        Linear(3, 1, dtype=np.float64))
    y, memory = model.forward(np.ones((4, 2)))
    assert list(model.backward_params(np.ones_like(y), memory)) == [
        "1.0.weight", "1.0.bias", "2.weight", "2.bias"]
    assert Sequential(ReLU()).backward_params(np.ones((1, 2)), {"0": {}}) == {}


def test_a_layer_with_its_own_backward_does_not_inherit_the_short_cut() -> None:
    class Doubled(Linear):
        def backward(self, grad_output, memory, grad_gate=None):
            grad_x, grads = super().backward(grad_output, memory, grad_gate)
            return grad_x, {name: 2 * grad for name, grad in grads.items()}

    layer, plain = Doubled(2, 3, dtype=np.float64), Linear(2, 3, dtype=np.float64)
    y, memory = layer.forward(np.ones((4, 2)))
    doubled = layer.backward_params(np.ones_like(y), memory)
    assert (doubled["bias"] == 2 * plain.backward_params(np.ones_like(y), memory)["bias"]).all()


def test_a_budget_for_a_layer_that_is_not_there_is_refused_here_too() -> None:
    model = Sequential(Linear(2, 3, dtype=np.float64))
    y, memory = model.forward(np.ones((4, 2)))
    with pytest.raises(InputError, match="paths of gated layers"):
        model.backward_params(np.ones_like(y), memory, {"0": np.ones((4, 3))})
