"""What MID-L and DynamicGate share: decide then apply, blocks, honest masks, a gate that learns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate, Gated

X = np.random.default_rng(0).normal(size=(9, 5))
both_layers = pytest.mark.parametrize("kind", [MIDL, DynamicGate])
both_values = pytest.mark.parametrize("gate_value", ["probability", "binary"])
granularities = pytest.mark.parametrize("block", [1, 2, 4])


def build(kind: type[Gated], **options: Any) -> Gated:
    # the sigmoid is never 0, so an output is 0 exactly where a gate is closed
    return kind(5, 8, activation="sigmoid", dtype=np.float64, **options)


@both_layers
@both_values
@granularities
def test_the_mask_that_is_reported_is_the_mask_that_is_executed(
    kind: type[Gated], gate_value: str, block: int
) -> None:
    layer = build(kind, gate_value=gate_value, block=block)
    output, memory = layer.forward(X)
    active = memory["decision"].active
    assert active.dtype == bool
    assert active.shape == (9, 8 // block)
    assert 0 < active.sum() < active.size
    assert ((output != 0) == np.repeat(active, block, axis=1)).all()


@both_layers
@pytest.mark.parametrize("training", [False, True])
def test_forward_is_decide_then_apply(kind: type[Gated], training: bool) -> None:
    layer = build(kind, light="low-rank")
    output, memory = layer.forward(X, training)
    decision = layer.decide(X, training)
    applied, _ = layer.apply(X, decision)
    assert (applied == output).all()
    for field in ("scores", "probability", "mask", "gate", "active"):
        assert (getattr(decision, field) == getattr(memory["decision"], field)).all()
        assert getattr(decision, field).shape == (9, layer.n_gates)


@both_layers
def test_a_decision_may_be_applied_to_other_inputs(kind: type[Gated]) -> None:
    layer = build(kind, gate_value="binary")
    decision = layer.decide(X)
    output, _ = layer.apply(X[::-1].copy(), decision)
    assert ((output != 0) == decision.active).all()


@both_layers
@both_values
def test_a_block_hears_one_gate_and_its_gradients_add_up(
    kind: type[Gated], gate_value: str
) -> None:
    """Blocks equal neurons whose gate columns are repeated; the gate's gradient is their sum."""
    keep = {"keep": 2} if kind is MIDL else {}
    blocks = build(kind, block=2, gate="linear", gate_value=gate_value, **keep)
    keep = {"keep": 4} if kind is MIDL else {}
    neurons = build(kind, block=1, gate="linear", gate_value=gate_value, **keep)
    for name, value in blocks.params.items():
        repeat = 2 if name.startswith("gate.") else 1
        neurons.params[name][...] = np.repeat(value, repeat, axis=-1)
    output, memory = blocks.forward(X)
    expected, expected_memory = neurons.forward(X)
    np.testing.assert_allclose(output, expected, atol=1e-14)
    g = np.random.default_rng(1).normal(size=(9, 8))
    grad_x, grads = blocks.backward(g, memory)
    expected_x, expected_grads = neurons.backward(g, expected_memory)
    np.testing.assert_allclose(grads["weight"], expected_grads["weight"], atol=1e-13)
    np.testing.assert_allclose(
        grads["gate.bias"], expected_grads["gate.bias"].reshape(4, 2).sum(axis=1), atol=1e-13)
    np.testing.assert_allclose(grad_x, expected_x, atol=1e-13)


@both_layers
@both_values
@pytest.mark.parametrize("gate", ["linear", "low-rank"])
@pytest.mark.parametrize("training", [False, True])
def test_the_task_alone_moves_every_part_of_the_gate(
    kind: type[Gated], gate_value: str, gate: str, training: bool
) -> None:
    layer = build(kind, gate_value=gate_value, gate=gate)
    output, memory = layer.forward(X, training)
    _, grads = layer.backward(np.random.default_rng(2).normal(size=output.shape), memory)
    for name, value in grads.items():
        assert value.any(), name


@both_layers
def test_closed_neurons_leave_their_weights_alone(kind: type[Gated]) -> None:
    layer = build(kind)
    _, memory = layer.forward(X[:1])
    _, grads = layer.backward(np.ones((1, 8)), memory)
    closed = ~memory["decision"].active[0]
    assert not grads["weight"][:, closed].any()
    assert (grads["weight"][:, ~closed] != 0).all()


@both_layers
def test_what_one_neuron_needs_lies_together_in_memory(kind: type[Gated]) -> None:
    layer = build(kind)
    assert layer.params["weight"].flags.f_contiguous
    _, memory = layer.forward(X)
    assert layer.backward(np.ones((9, 8)), memory)[1]["weight"].flags.f_contiguous


@both_layers
def test_gate_parameters_are_shared_with_the_gate_network(kind: type[Gated]) -> None:
    layer = build(kind, light="linear")
    assert layer.params["gate.bias"] is layer.gate.params["bias"]
    assert layer.light is not None
    assert layer.params["light.weight"] is layer.light.params["weight"]


@both_layers
@pytest.mark.parametrize(("options", "message"), [
    ({"block": 3}, r"block: got 3, expected a divisor of n_units=8"),
    ({"block": 0}, r"block: got 0, expected a divisor of n_units=8"),
    ({"block": -2}, r"block: got -2, expected a divisor of n_units=8"),
    ({"temperature": 0}, r"temperature: got 0, expected a positive number"),
    ({"temperature": -1.0}, r"temperature: got -1.0, expected a positive number"),
    ({"temperature": math.nan}, r"temperature: got nan, expected a positive number"),
    ({"temperature": math.inf}, r"temperature: got inf, expected a positive number"),
    ({"gate_value": "soft"}, r"gate_value: got 'soft', expected one of probability, binary"),
    ({"gate": "conv"}, r"gate: got 'conv', expected one of static, linear, low-rank, mlp"),
    ({"gate_rank": 0}, r"rank: got 0, expected a width of at least 1"),
    ({"activation": "swish"}, r"activation: got 'swish', expected one of relu"),
    ({"open_probability": 1.0}, r"open_probability: got 1.0, expected .*between 0 and 1"),
])
def test_bad_arguments_are_told(
    kind: type[Gated], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        kind(5, 8, **options)
