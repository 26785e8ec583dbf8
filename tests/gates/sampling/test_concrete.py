"""Binary Concrete and hard concrete: the noise, the ends, the penalty, and torch as a judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from minimidl.errors import InputError
from minimidl.gates.sampling import (
    BinaryConcrete,
    HardConcrete,
    expected_l0,
    expected_l0_backward,
)

SOFT, HARD = BinaryConcrete(), HardConcrete()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class Fixed:
    """A generator that draws one uniform number, over and over."""

    def __init__(self, u: float) -> None:
        self.u = u

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.u)


@given(z=st.floats(-6, 6), u=st.floats(0.01, 0.99), temperature=st.floats(0.1, 5))
def test_rounding_gives_an_exact_bernoulli_draw_at_every_temperature(
    z: float, u: float, temperature: float
) -> None:
    s, _ = SOFT.forward(np.array([[z]]), temperature, Fixed(u))
    if abs(u - expit(-z)) > 1e-9:
        assert (s.item() > 0.5) == (u > expit(-z))


def test_concrete_by_hand() -> None:
    # z = ln 3 and u = 3/4 give ln 9; T = 2: sigmoid(ln 3) = 3/4, slope 3/16 / 2
    s, memory = SOFT.forward(np.log([[3.0]]), 2.0, Fixed(0.75))
    assert s.item() == pytest.approx(0.75)
    grads = SOFT.backward(np.array([[1.0]]), memory)
    assert grads["scores"].item() == pytest.approx(3 / 32)
    assert grads["temperature"] == pytest.approx(-3 / 32 * np.log(3))


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_scores_saturate_quietly(size: float) -> None:
    for dtype in (np.float32, np.float64):
        z = np.full((2, 3), size, dtype)
        for gate, memory, room in ((*SOFT.forward(z, 0.1, rng()), SOFT),
                                   (*HARD.forward(z, rng()), HARD)):
            assert gate.dtype == dtype
            assert (gate == (size > 0)).all()
            grad = room.backward(np.ones_like(z), memory)
            assert not np.any(grad["scores"] if isinstance(grad, dict) else grad)


def test_hard_concrete_check_values() -> None:
    # design notes, math.md section 2, with logit 0.4
    z = np.array([[0.4]])
    assert HARD.open_probability(z).item() == pytest.approx(0.88065, abs=5e-6)
    assert HARD.one_probability(z).item() == pytest.approx(0.23172, abs=5e-6)
    assert HARD.test_gate(z)[0].item() == pytest.approx(0.618, abs=5e-4)
    u = (np.arange(200_000) + 0.5) / 200_000

    class Grid:
        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            return u.reshape(shape)

    gates, _ = HARD.forward(np.full((1, len(u)), 0.4), Grid())
    assert gates.mean() == pytest.approx(0.587, abs=5e-4)  # the test gate is not the mean
    assert (gates > 0).mean() == pytest.approx(0.88065, abs=2e-5)
    assert (gates == 1).mean() == pytest.approx(0.23172, abs=2e-5)


@given(z=st.floats(-5, 5), temperature=st.floats(0.3, 2), low=st.floats(-1, -0.05),
       high=st.floats(1.05, 2))
def test_the_share_of_uniform_numbers_that_open_is_the_open_probability(
    z: float, temperature: float, low: float, high: float
) -> None:
    gate, scores = HardConcrete(temperature, low, high), np.array([[z]])
    for probability, reached in ((gate.open_probability, lambda g: g > 0),
                                 (gate.one_probability, lambda g: g >= 1)):
        edge = 1 - probability(scores).item()
        if 0.001 < edge < 0.999:
            assert not reached(gate.forward(scores, Fixed(edge - 1e-6))[0].item())
            assert reached(gate.forward(scores, Fixed(edge + 1e-6))[0].item())


def test_expected_l0_by_hand() -> None:
    # at logit T ln(-low / high) every gate is open half the time
    z = np.full((4, 3), HARD.open_shift)
    value, memory = expected_l0(z)
    assert value == pytest.approx(1.5)
    np.testing.assert_allclose(expected_l0_backward(memory), 0.25 / 4)
    value, memory = expected_l0(np.full((1, 5), -1e4, np.float32))
    assert value == 0
    assert expected_l0_backward(memory).dtype == np.float32
    assert not expected_l0_backward(memory).any()


def test_what_cannot_be_drawn_is_refused() -> None:
    z = np.zeros((1, 2))
    with pytest.raises(InputError, match=r"rng: got None.*binary Concrete"):
        SOFT.forward(z)
    with pytest.raises(InputError, match=r"rng: got None.*hard concrete"):
        HARD.forward(z)
    for bad in (np.nan, np.inf):
        for call in (lambda x: SOFT.forward(x, 1.0, rng()), lambda x: HARD.forward(x, rng()),
                     HARD.test_gate, expected_l0):
            with pytest.raises(InputError, match="scores"):
                call(z + bad)
    with pytest.raises(InputError, match="temperature"):
        SOFT.forward(z, 0.0, rng())
    for option, value in (("temperature", 0.0), ("low", 0.1), ("high", 1.0)):
        with pytest.raises(InputError, match=f"{option}: got"):
            HardConcrete(**{option: value})


@pytest.mark.oracle
def test_torch_autograd_is_the_judge() -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    z, g = rng(1).normal(size=(4, 50)), rng(2).normal(size=(4, 50))
    u = torch.tensor(rng(3).random(z.shape))
    scores = torch.tensor(z, requires_grad=True)
    width = torch.tensor(2 / 3, dtype=torch.float64, requires_grad=True)
    soft = torch.sigmoid((scores + torch.logit(u)) / width)
    hard = torch.clamp(soft * 1.2 - 0.1, 0, 1)
    value, memory = SOFT.forward(z, 2 / 3, rng(3))
    np.testing.assert_allclose(value, soft.detach().numpy(), atol=1e-12)
    grads = SOFT.backward(g, memory)
    soft.backward(torch.tensor(g), retain_graph=True)
    np.testing.assert_allclose(grads["scores"], scores.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(grads["temperature"], width.grad.numpy(), atol=1e-10)
    scores.grad = None
    value, memory = HARD.forward(z, rng(3))
    np.testing.assert_allclose(value, hard.detach().numpy(), atol=1e-12)
    assert ((value == 0) | (value == 1)).any()
    hard.backward(torch.tensor(g))
    np.testing.assert_allclose(HARD.backward(g, memory), scores.grad.numpy(), atol=1e-12)
    scores.grad = None
    penalty = torch.sigmoid(scores - 2 / 3 * np.log(0.1 / 1.1)).sum(dim=1).mean()
    penalty.backward()
    value, memory = expected_l0(z)
    assert value == pytest.approx(penalty.item())
    np.testing.assert_allclose(expected_l0_backward(memory), scores.grad.numpy(), atol=1e-12)
