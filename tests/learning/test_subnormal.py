"""Moments that fade below the normal numbers become 0, and no training notices."""

import numpy as np
import pytest

from minimidl.learning import SGD, Adam, optimizer, subnormal

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_below_the_smallest_normal_number_becomes_zero(dtype):
    least = np.finfo(dtype).smallest_normal
    below, infinity = np.nextafter(least, dtype(0)), dtype(np.inf)
    moment = np.array([least, -least, below, -below, 0, 1, np.nan, infinity, -infinity], dtype)
    subnormal.drop_subnormal(moment, np.empty_like(moment))
    np.testing.assert_array_equal(
        moment, np.array([least, -least, 0, 0, 0, 1, np.nan, infinity, -infinity], dtype))


def test_float16_keeps_its_moments():
    moment = np.array([1e-6, 1], np.float16)
    subnormal.drop_subnormal(moment, np.empty_like(moment))
    assert moment[0] > 0


def test_every_sixteenth_step_sweeps():
    assert [step for step in range(1, 50) if subnormal.is_sweep(step)] == [16, 32, 48]


@pytest.mark.parametrize("make", [
    lambda p: Adam(p, 0.01), lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True)])
def test_a_neuron_that_never_opens_again_ends_with_moments_of_zero(make):
    params = {"w": np.ones((2, 3), np.float32)}
    walker = make(params)
    for step in range(1008):
        walker.step({"w": np.array([[1], [step < 5]], np.float32) * np.ones((1, 3), np.float32)})
    slot = walker.slots["first/w" if isinstance(walker, Adam) else "momentum/w"]
    assert (slot[1] == 0).all()
    assert (slot[0] > 0.9).all()


@pytest.mark.parametrize("make", [
    lambda p: Adam(p, 0.01), lambda p: SGD(p, 0.01, momentum=0.9)])
def test_training_goes_on_bit_for_bit_as_with_subnormal_moments(monkeypatch, make):
    """Three neurons: always open, closed for good, and open again after a thousand steps."""
    def walk():
        params, rng = {"w": np.ones((3, 4), np.float32)}, np.random.default_rng(0)
        walker = make(params)
        for step in range(1200):
            is_open = np.array([[True], [step < 50], [step < 50 or step > 1100]])
            walker.step({"w": (rng.normal(size=(3, 4)) * is_open).astype(np.float32)})
        return params["w"], walker.slots

    swept, slots = walk()
    for module in (subnormal, optimizer):
        monkeypatch.setattr(module, "least_moment", lambda dtype: 0.0)
    kept, slots_kept = walk()
    np.testing.assert_array_equal(swept, kept)
    first = next(name for name in slots if name != "step")
    tiny = np.finfo(np.float32).smallest_normal
    assert (slots[first][1] == 0).all()
    assert ((np.abs(slots_kept[first][1]) < tiny) & (slots_kept[first][1] != 0)).any()
