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


def epochs(n: int) -> np.ndarray:
    return np.arange(n) / (n - 1)


def cut_and_open_share(layer: DynamicGate, schedules: dict) -> tuple[np.ndarray, np.ndarray]:
    """The cut and the share of open gates, epoch by epoch, of a layer that does not learn."""
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    drive, cuts, shares = drive_states(layer.state, schedules), [], []
    for progress in epochs(10):
        drive(progress)
        cuts.append(layer.cut)
        shares.append(layer.decide(x).active.mean())
    return np.array(cuts), np.array(shares)


def test_temperature_and_threshold_are_confounded():
    """Schedules of an audited script: T 4 -> 0.2, theta 0.45 -> 0.97, both linear, ten epochs.

    Both ends sound like closing gates. The mask is z > T logit(theta), and that product rises,
    falls, and lets gates re-open, although the threshold never stops rising.
    """
    layer = DynamicGate(3, 40, gate="linear", gate_spread=1.5, seed=1)
    cuts, shares = cut_and_open_share(
        layer, {"temperature": linear(4.0, 0.2), "threshold": linear(0.45, 0.97)})
    published = [-.80, .11, .83, 1.38, 1.75, 1.97, 2.00, 1.85, 1.46, .70]
    assert cuts == pytest.approx(published, abs=.006)
    turn = cuts.argmax()
    assert turn == 6
    assert (np.diff(cuts[turn:]) < 0).all()
    assert (np.diff(shares[:turn + 1]) < 0).all()
    assert (np.diff(shares[turn:]) > 0).all()
    assert shares[-1] > 1.5 * shares[turn]


def test_a_cut_that_rises_closes_gates_whatever_the_temperature_does():
    for temperature in (linear(4.0, 0.2), linear(0.2, 4.0)):
        layer = DynamicGate(3, 40, gate="linear", gate_spread=1.5, seed=1)
        cuts, shares = cut_and_open_share(
            layer, {"temperature": temperature, "cut": linear(-0.8, 2.0)})
        assert cuts == pytest.approx(-0.8 + 2.8 * epochs(10), abs=1e-9)
        assert (np.diff(shares) < 0).all()


@pytest.mark.parametrize(("model", "name", "words"), [
    (Linear(2, 2), "temperature", "it has none"), (DynamicGate(2, 2), "tempreature", "threshold"),
    (MIDL(2, 2), "cut", "temperature"),
])
def test_a_name_that_no_state_has_is_refused(model, name, words):
    with pytest.raises(InputError, match=words):
        drive_states(model.state, {name: linear(1.0, 0.0)})
