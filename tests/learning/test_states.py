import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential
from minimidl.learning import linear
from minimidl.learning.states import drive_states


def test_a_schedule_drives_every_state_of_that_name_in_place():
    model = Sequential(MIDL(3, 4), Sequential(DynamicGate(4, 4), Linear(4, 2)))
    drive = drive_states(model.state, {"temperature": linear(1.0, 0.2)})
    drive(0.5)
    assert model.layers[0].temperature == pytest.approx(0.6)
    assert model.state["1.0.temperature"] == pytest.approx(0.6)
    drive(1.0)
    assert model.layers[0].temperature == 0.2


@pytest.mark.parametrize("order", [("cut", "temperature"), ("temperature", "cut")])
def test_the_cut_is_met_at_the_temperature_of_the_moment(order):
    layer = DynamicGate(3, 4, threshold=0.3)
    both = {"cut": linear(0.0, 1.5), "temperature": linear(2.0, 0.5)}
    drive = drive_states(layer.state, {name: both[name] for name in order})
    for progress in (0.0, 0.5, 1.0):
        drive(progress)
        assert layer.cut == pytest.approx(1.5 * progress, abs=1e-12)


def test_the_cut_decides_the_mask():
    layer = DynamicGate(3, 50, seed=1)
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    drive_states(layer.state, {"cut": linear(0.0, 0.7)})(1.0)
    decision = layer.decide(x)
    clear = np.abs(decision.scores - 0.7) > 1e-5
    assert np.array_equal(decision.active[clear], (decision.scores > 0.7)[clear])


@pytest.mark.parametrize(("model", "name", "words"), [
    (Linear(2, 2), "temperature", "it has none"), (DynamicGate(2, 2), "tempreature", "threshold"),
    (MIDL(2, 2), "cut", "temperature"),
])
def test_a_name_that_no_state_has_is_refused(model, name, words):
    with pytest.raises(InputError, match=words):
        drive_states(model.state, {name: linear(1.0, 0.0)})
