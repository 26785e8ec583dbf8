import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates import Decision
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential, gated_layers
from minimidl.learning import Budget
from minimidl.learning.budget import total_budget


def two_layers() -> tuple[dict, dict]:
    """Two gated layers, 3 -> 4 -> 2, with hand-made decisions: usage 0.5 and 0.2."""
    model = Sequential(DynamicGate(3, 4), DynamicGate(4, 2))
    memory = {}
    for path, n_gates, p in (("0", 4, 0.5), ("1", 2, 0.2)):
        probability = np.full((5, n_gates), p)
        active = np.zeros((5, n_gates), bool)
        active[:, 0] = True  # executed: 1 of 4, and 1 of 2
        mask = active.astype(float)
        decision = Decision(probability, probability, mask, mask, active)
        memory[path] = {"probability": probability, "decision": decision}
    return gated_layers(model), memory


@pytest.mark.parametrize(("budget", "value", "first", "second"), [
    # value; then dL/dp of one entry: layer 0 has 20 entries, layer 1 has 10
    (Budget("mean", 2.0), 2 * 0.35, 2 / 2 / 20, 2 / 2 / 10),
    (Budget("mean", 2.0, of="mask"), 2 * (0.25 + 0.5) / 2, 2 / 2 / 20, 2 / 2 / 10),
    # costs 3*4 = 12 and 4*2 = 8: (12 * 0.5 + 8 * 0.2) / 20
    (Budget("cost-weighted", 1.0), 0.38, 12 / 20 / 20, 8 / 20 / 10),
    # (0.5 - 0.3)^2 = 0.04 and (0.2 - 0.3)^2 = 0.01
    (Budget("quadratic", 4.0, 0.3), 4 * 0.025, 4 / 2 * 2 * 0.2 / 20, 4 / 2 * 2 * -0.1 / 10),
    (Budget("quadratic", 4.0, 0.5, of="mask"), 4 * 0.0625 / 2, 2 * 2 * -0.25 / 20, 0.0),
    # only the first layer is above: 0.5 - 0.3
    (Budget("hinge", 4.0, 0.3), 4 * 0.2 / 2, 4 / 2 / 20, 0.0),
    # p (1 - p): 0.25 and 0.16; slopes 0 and 0.6
    (Budget("polarise", 4.0), 4 * 0.41 / 2, 0.0, 4 / 2 * 0.6 / 10),
    # only the second layer is below the floor
    (Budget("keep-alive", 4.0, 0.3), 4 * 0.01 / 2, 0.0, 4 / 2 * -2 * 0.1 / 10),
])
def test_values_and_gradients_by_hand(budget, value, first, second):
    layers, memory = two_layers()
    got, grads = budget(layers, memory, 1.0)
    assert got == pytest.approx(value)
    assert grads["0"].shape == (5, 4)
    assert grads["1"].shape == (5, 2)
    assert np.allclose(grads["0"], first, rtol=1e-12)
    assert np.allclose(grads["1"], second, rtol=1e-12)


def test_strength_warms_up_linearly():
    layers, memory = two_layers()
    budget = Budget("mean", 1.0, warm_up=0.5)
    values = [budget(layers, memory, progress)[0] for progress in (0.0, 0.25, 0.5, 1.0)]
    assert values == pytest.approx([0.0, 0.175, 0.35, 0.35])


def test_budgets_add_up():
    layers, memory = two_layers()
    budget = Budget("mean", 1.0)
    once, grads = total_budget([budget], layers, memory, 1.0)
    twice, more = total_budget([budget, budget], layers, memory, 1.0)
    assert twice == 2 * once
    assert np.array_equal(more["1"], 2 * grads["1"])
    assert total_budget([], layers, memory, 1.0) == (0.0, None)


@pytest.mark.parametrize("make", [lambda: MIDL(3, 4), lambda: Sequential(MIDL(3, 4), Linear(4, 2))])
def test_the_gradient_reaches_the_gate_in_the_model_s_own_dtype(make):
    model = make()
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    output, memory = model.forward(x, training=True)
    _, grad_gate = total_budget([Budget("mean", 1.0)], gated_layers(model), memory, 1.0)
    _, grads = model.backward(np.zeros_like(output), memory, grad_gate)
    gate = [name for name in grads if "gate." in name]
    assert any(np.abs(grads[name]).max() > 0 for name in gate)
    assert all(grads[name].dtype == np.float32 for name in gate)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Budget("median", 1.0), "cost-weighted"),
    (lambda: Budget("mean", -1.0), "strength"),
    (lambda: Budget("quadratic", 1.0), "target"),
    (lambda: Budget("keep-alive", 1.0, 1.5), "target"),
    (lambda: Budget("mean", 1.0, 0.5), "quadratic"),
    (lambda: Budget("mean", 1.0, warm_up=2.0), "warm_up"),
    (lambda: Budget("mean", 1.0, of="scores"), "mask"),
    (lambda: Budget("hinge", 1.0), "target"),
    (lambda: Budget("polarise", 1.0, of="mask"), "nothing left to decide"),
])
def test_bad_input_is_told(make, words):
    with pytest.raises(InputError, match=words):
        make()
