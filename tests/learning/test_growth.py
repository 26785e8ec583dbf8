import numpy as np
import pytest

from minimidl import InputError
from minimidl.learning.growth import GROWTH, drop_schedule, new_slots

LIVE = np.array([-4.0, -2.0, 2.0, 4.0])
START = np.array([10.0, 20.0])
PULL = np.array([-0.5, 0.0, 0.25])


def test_shares_by_hand():
    cosine, power = drop_schedule("cosine", 0.4, 3.0), drop_schedule("power", 0.4, 2.0)
    root = np.sqrt(0.5)
    assert [cosine(t) for t in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx(
        [0.4, 0.2 * (1 + root), 0.2, 0.2 * (1 - root), 0.0])
    assert [power(t) for t in (0, 0.5, 1)] == pytest.approx([0.4, 0.1, 0.0])
    assert drop_schedule("constant", 0.4, 1.0)(0.9) == 0.4


def grown(name: str, n: int = 3) -> np.ndarray:
    return GROWTH[name](np.random.default_rng(0), n, LIVE, START, PULL)


def test_new_weights():
    assert grown("zeros").tolist() == [0.0, 0.0, 0.0]
    assert grown("gradient") is PULL
    assert grown("gradient-sign").tolist() == [-1.0, 0.0, 1.0]
    assert set(grown("initial", 50)) == {10.0, 20.0}


def test_random_new_weights_are_as_wide_as_the_live_ones():
    assert grown("normal", 4000).std() == pytest.approx(np.sqrt(10), rel=0.05)
    uniform = grown("uniform", 4000)
    assert abs(uniform).max() == pytest.approx(3.0, rel=0.01), "the mean of |w|"
    assert uniform.mean() == pytest.approx(0.0, abs=0.1)


def test_slots_start_at_0_or_at_the_scaled_gradient_and_its_square():
    assert new_slots(["first", "second"], 0.0, PULL) == {}
    assert new_slots(["first"], 2.0, None) == {}
    slots = new_slots(["first", "second"], 2.0, PULL)
    assert slots["first"].tolist() == [-1.0, 0.0, 0.5]
    assert slots["second"].tolist() == [0.5, 0.0, 0.125], "never negative: Adam takes its root"


@pytest.mark.parametrize(("anneal", "exponent"), [("linear", 1.0), ("power", 0.0)])
def test_bad_input_is_told(anneal, exponent):
    with pytest.raises(InputError, match=r"anneal.*cosine, constant, power|exponent"):
        drop_schedule(anneal, 0.3, exponent)
