"""Gumbel Top-k: exactly k, distributed as draws without replacement, and a stored noise."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.errors import InputError
from minimidl.gates import topk
from minimidl.gates.sampling import gumbel_noise, logistic_noise, uniform
from minimidl.proof.plackett_luce import follows_plackett_luce, subset_chances

GUMBEL = topk("gumbel")
rows = st.integers(1, 8).flatmap(
    lambda n: arrays(np.float64, (3, n), elements=st.floats(-1e4, 1e4)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(z=rows, share=st.floats(0, 1), seed=st.integers(0, 99))
def test_every_draw_opens_exactly_k(z: np.ndarray, share: float, seed: int) -> None:
    k = round(share * z.shape[1])
    mask, memory = GUMBEL.forward(z, k, 1.0, rng(seed))
    assert np.isin(mask, (0, 1)).all()
    assert (mask.sum(axis=1) == k).all()
    grads = GUMBEL.backward(np.ones_like(z), memory)
    np.testing.assert_allclose(grads["scores"], 0, atol=1e-12)  # a constant cannot be bought


def test_the_chances_of_sets_by_hand() -> None:
    # weights 1, 2, 3: P{a, b} = 1/6 * 2/5 + 2/6 * 1/4 = 3/20
    chances = subset_chances(np.log([1.0, 2.0, 3.0]), 2)
    assert chances[(0, 1)] == pytest.approx(3 / 20)
    assert sum(chances.values()) == pytest.approx(1)
    assert subset_chances(np.log([1.0, 2.0, 3.0]), 1)[(2,)] == pytest.approx(1 / 2)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_draws_follow_plackett_and_luce_within_four_standard_errors(k: int) -> None:
    assert follows_plackett_luce(GUMBEL, k, seed=5) == ""


def test_the_order_of_the_noisy_scores_is_plackett_and_luce_too() -> None:
    weight, draws = np.array([1.0, 2.0, 4.0]), 20_000
    order = np.argsort(-(np.log(weight) + gumbel_noise(rng(3), (draws, 3))), axis=1)
    for way in permutations(range(3)):
        chance = weight[way[0]] / 7 * weight[way[1]] / (7 - weight[way[0]])
        seen = np.mean((order == way).all(axis=1))
        assert abs(seen - chance) < 4 * np.sqrt(chance * (1 - chance) / draws), way


def test_equal_scores_are_drawn_equally_often() -> None:
    mask, _ = GUMBEL.forward(np.zeros((8000, 4)), 1, 1.0, rng())
    assert np.abs(mask.mean(axis=0) - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 8000)


def test_the_gradient_is_that_of_the_hard_operator_at_the_noisy_scores() -> None:
    z, g = rng(1).normal(size=(3, 6)), rng(2).normal(size=(3, 6))
    mask, memory = GUMBEL.forward(z, 2, 0.5, rng(7))
    hard_mask, hard_memory = topk("hard").forward(z + gumbel_noise(rng(7), z.shape), 2, 0.5)
    assert (mask == hard_mask).all()
    expected = topk("hard").backward(g, hard_memory)
    for _ in range(2):  # the noise lies in the memory: as often as one likes
        assert (GUMBEL.backward(g, memory)["scores"] == expected["scores"]).all()


def test_the_temperature_does_not_touch_the_draw_but_the_seed_does() -> None:
    z = np.zeros((50, 6))
    assert (GUMBEL.forward(z, 3, 0.01, rng(1))[0] == GUMBEL.forward(z, 3, 9.0, rng(1))[0]).all()
    assert (GUMBEL.forward(z, 3, 1.0, rng(1))[0] != GUMBEL.forward(z, 3, 1.0, rng(2))[0]).any()


def test_float32_stays_float32() -> None:
    z = rng(1).normal(size=(4, 5)).astype(np.float32)
    mask, memory = GUMBEL.forward(z, 2, 1.0, rng())
    assert mask.dtype == np.float32
    assert all(g.dtype == np.float32 for g in GUMBEL.backward(mask, memory).values())


@pytest.mark.parametrize("name", ["gumbel", "relaxed-subset", "perturbed", "perturbed-gumbel"])
def test_what_cannot_be_drawn_is_refused(name: str) -> None:
    operator, z = topk(name), np.zeros((2, 3))
    with pytest.raises(InputError, match=r"rng: got None.*default_rng"):
        operator.forward(z, 1)
    with pytest.raises(InputError, match=r"k: got 1\.5, expected a whole number"):
        operator.forward(z, 1.5, 1.0, rng())
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match="scores"):
            operator.forward(z + bad, 1, 1.0, rng())
    with pytest.raises(InputError, match="temperature"):
        operator.forward(z, 1, 0.0, rng())
    with pytest.raises(InputError, match="k: got 4"):
        operator.forward(z, 4, 1.0, rng())


@pytest.mark.parametrize("name", ["gumbel", "relaxed-subset", "perturbed", "perturbed-gumbel"])
@pytest.mark.parametrize(("k", "value"), [(0, 0.0), (3, 1.0)])
def test_none_and_all_leave_nothing_to_choose(name: str, k: int, value: float) -> None:
    p, memory = topk(name).forward(np.array([[1.0, 5.0, -2.0]]), k, 0.7, rng())
    assert (p == value).all()
    assert all(not np.any(g) for g in topk(name).backward(np.array([[1.0, 2, 3]]), memory).values())


@pytest.mark.parametrize("name", ["gumbel", "relaxed-subset", "perturbed", "perturbed-gumbel"])
@pytest.mark.parametrize("k", [0, 1])
def test_one_element(name: str, k: int) -> None:
    assert topk(name).forward(np.array([[-7.0]]), k, 1.0, rng())[0].tolist() == [[k]]


class Ends:
    """A generator that draws nothing but 0 and 1, the latter more than a real one would."""

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.where(np.arange(np.prod(shape)).reshape(shape) % 2, 1.0, 0.0)


def test_noise_is_finite_even_at_the_ends() -> None:
    u = uniform(Ends(), (1, 4))
    assert ((u > 0) & (u < 1)).all()
    for noise in (gumbel_noise, logistic_noise):
        assert np.isfinite(noise(Ends(), (1, 4))).all()
        assert np.isfinite(noise(Ends(), (1, 4)).astype(np.float32)).all()
