"""What budgets hand to a layer: sums, sizes, and where each part arrives."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates import GateGradient
from minimidl.layers import MIDL, DynamicGate, GatedStack, InputGate, Sequential

ONE, TWO = np.full((2, 3), 1.0), np.full((2, 3), 2.0)


def test_sums_add_part_by_part_and_arrays_count_as_probability():
    total = GateGradient(scores=ONE) + GateGradient(ONE, TWO)
    assert (total.probability == 1).all()
    assert (total.scores == 3).all()
    assert total.gate is None
    for mixed in (TWO + GateGradient(scores=ONE), GateGradient(scores=ONE) + TWO):
        assert isinstance(mixed, GateGradient)
        assert (mixed.probability == 2).all()
        assert (mixed.scores == 1).all()


def test_a_factor_keeps_the_dtype():
    scaled = GateGradient(ONE.astype(np.float32), gate=TWO) * 0.1
    assert scaled.probability.dtype == np.float32
    assert scaled.gate[0, 0] == pytest.approx(0.2)
    assert scaled.scores is None


LAYERS = {
    "midl": MIDL(4, 6, dtype=np.float64), "dynamic": DynamicGate(4, 6, dtype=np.float64),
    "input": InputGate(4, dtype=np.float64), "stack": GatedStack(4, (6, 6), dtype=np.float64),
    "dselect": MIDL(4, 6, topk="dselect-k", keep=2, dtype=np.float64),
}


@pytest.mark.parametrize("name", list(LAYERS))
def test_a_pull_on_the_scores_arrives_at_every_gate_network_as_it_is(name):
    layer, rng = LAYERS[name], np.random.default_rng(1)
    output, memory = layer.forward(rng.normal(size=(5, 4)))
    pull = rng.normal(size=memory["decision"].scores.shape)
    nothing = np.zeros_like(output)
    _, grads = layer.backward(nothing, memory, GateGradient(scores=pull))
    np.testing.assert_allclose(grads["gate.bias"], pull.sum(axis=0), atol=1e-12)


def test_an_array_and_a_gradient_of_the_same_pull_on_the_same():
    layer, rng = LAYERS["midl"], np.random.default_rng(2)
    output, memory = layer.forward(rng.normal(size=(5, 4)))
    pull = rng.normal(size=memory["probability"].shape)
    one = layer.backward(output, memory, pull)[1]
    two = layer.backward(output, memory, GateGradient(pull))[1]
    assert all((one[name] == two[name]).all() for name in one)


def test_it_goes_through_sequentials_by_path():
    layer, rng = LAYERS["dynamic"], np.random.default_rng(3)
    model = Sequential(Sequential(layer))
    output, memory = model.forward(rng.normal(size=(5, 4)))
    pull = GateGradient(scores=rng.normal(size=(5, 6)))
    _, grads = model.backward(output, memory, {"0.0": pull})
    _, alone = layer.backward(output, memory["0"]["0"], pull)
    assert (grads["0.0.gate.bias"] == alone["gate.bias"]).all()


@pytest.mark.parametrize("part", ["probability", "scores", "gate"])
def test_a_part_of_the_wrong_form_is_told_by_name(part):
    layer = LAYERS["midl"]
    output, memory = layer.forward(np.ones((5, 4)))
    name = "grad_gate" if part == "probability" else f"grad_gate.{part}"
    with pytest.raises(InputError, match=rf"^{name}: got float32 \(5, 6\), expected float64"):
        layer.backward(output, memory, GateGradient(**{part: np.ones((5, 6), np.float32)}))
