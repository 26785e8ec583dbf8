import numpy as np
import pytest

from minimidl.learning import Adam, AdamW


def test_two_steps_by_hand():
    """b1 = 0.5, b2 = 0.75, rate 0.1, gradients 2 and then 0; eps too small to see.

    Step 1: m = 1, v = 1; corrected m/(1-0.5) = 2, v/(1-0.75) = 4; p = 1 - 0.1 * 2/2 = 0.9.
    Step 2: m = 0.5, v = 0.75; corrected m/(1-0.25) = 2/3, v/(1-0.5625) = 12/7;
            p = 0.9 - 0.1 * (2/3) / sqrt(12/7).
    """
    params = {"p": np.array([1.0])}
    optimizer = Adam(params, 0.1, betas=(0.5, 0.75), eps=1e-300)
    optimizer.step({"p": np.array([2.0])})
    assert params["p"][0] == pytest.approx(0.9, abs=1e-15)
    assert (optimizer.slots["first/p"][0], optimizer.slots["second/p"][0]) == (1.0, 1.0)
    optimizer.step({"p": np.array([0.0])})
    assert params["p"][0] == pytest.approx(0.9 - 0.1 * (2 / 3) / np.sqrt(12 / 7), abs=1e-15)
    assert (optimizer.slots["first/p"][0], optimizer.slots["second/p"][0]) == (0.5, 0.75)
    assert optimizer.slots["step"] == 2


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_first_step_has_the_size_of_the_rate_whatever_the_scale(scale):
    params = {"p": np.zeros(2)}
    Adam(params, 0.01).step({"p": scale * np.array([1.0, -3.0])})
    assert params["p"] == pytest.approx([-0.01, 0.01], rel=1e-3)


def test_eps_hides_gradients_that_are_much_smaller():
    params = {"p": np.zeros(1)}
    Adam(params, 1.0, eps=1e-8).step({"p": np.array([1e-12])})
    assert params["p"][0] == pytest.approx(-1e-4, rel=1e-3)  # 1e-12 / (1e-12 + 1e-8)


def test_decay_is_beside_the_gradient_not_inside_it():
    params = {"p": np.full((1, 1), 2.0)}
    optimizer = AdamW(params, 0.1, weight_decay=0.5)
    optimizer.step({"p": np.zeros((1, 1))})
    assert params["p"][0, 0] == 2.0 * (1 - 0.1 * 0.5)
    assert optimizer.slots["first/p"][0, 0] == 0, "decay never enters the moments"
