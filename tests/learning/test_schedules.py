from itertools import pairwise

import pytest

from minimidl import InputError
from minimidl.learning import schedules
from minimidl.learning.schedules import SCHEDULES, by_name

MOVING = {"linear": schedules.linear, "cosine": schedules.cosine,
          "exponential": schedules.exponential, "cubic": schedules.cubic}


@pytest.mark.parametrize("name", MOVING)
@pytest.mark.parametrize(("start", "end"), [(0.3, 0.07), (0.07, 0.3), (1.0, 1.0)])
def test_both_ends_are_exact_and_hold_outside(name, start, end):
    schedule = MOVING[name](start, end, 7)
    assert [schedule(s) for s in (-1, 0)] == [start, start]
    assert [schedule(s) for s in (7, 8, 1e9)] == [end, end, end]


@pytest.mark.parametrize("name", MOVING)
def test_it_never_turns_back(name):
    schedule = MOVING[name](1.0, 0.1, 50)
    values = [schedule(step) for step in range(51)]
    assert all(a > b for a, b in pairwise(values))


@pytest.mark.parametrize(("name", "middle"), [
    ("linear", 0.5 * (4 + 1)), ("cosine", 0.5 * (4 + 1)),
    ("exponential", 2.0),          # the geometric mean
    ("cubic", 1 + (4 - 1) / 8),    # 1 + 3 (1 - 1/2)^3
])
def test_the_middle_by_hand(name, middle):
    assert MOVING[name](4.0, 1.0, 10)(5) == pytest.approx(middle, abs=1e-15)


def test_a_quarter_of_the_way_tells_the_shapes_apart():
    at = {name: make(4.0, 1.0)(0.25) for name, make in MOVING.items()}
    assert at["linear"] == 3.25
    assert at["cosine"] == pytest.approx(1 + 1.5 * (1 + 0.5**0.5))  # cos(pi/4) = sqrt(1/2)
    assert at["exponential"] == pytest.approx(4 / 2**0.5)
    assert at["cubic"] == pytest.approx(1 + 3 * 27 / 64)


def test_constant():
    schedule = schedules.constant(0.25)
    assert [schedule(s) for s in (0, 1e9)] == [0.25, 0.25]


def test_warm_up_starts_at_zero_meets_the_next_schedule_and_follows_it():
    schedule = schedules.warm_up(4, schedules.linear(1.0, 0.0, 10))
    assert [schedule(s) for s in (-1, 0, 1, 2, 4)] == [0.0, 0.0, 0.25, 0.5, 1.0]
    assert schedule(9) == 0.5
    assert schedule(14) == 0.0


def test_three_phases_change_at_their_ends():
    schedule = schedules.three_phase(0.9, 0.25, 0.05, 100, ends=(0.2, 0.6))
    assert [schedule(s) for s in (0, 19, 20, 59, 60, 100, 500)] == [
        0.9, 0.9, 0.25, 0.25, 0.05, 0.05, 0.05]


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_has_a_name_and_is_pure(name):
    schedule = by_name(name, 0.1, 0.01, 100)
    values = [schedule(step) for step in range(120)]
    assert values == [schedule(step) for step in range(120)]
    assert max(values) == 0.1
    assert values[-1] == (0.1 if name == "constant" else pytest.approx(0.01))


def test_by_name_of_warm_up_cosine():
    schedule = by_name("warm-up-cosine", 0.1, 0.0, 100)
    assert [schedule(0), schedule(5), schedule(10), schedule(100)] == [0.0, 0.05, 0.1, 0.0]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: schedules.linear(1, 0, 0), "steps"),
    (lambda: schedules.warm_up(0, schedules.constant(1)), "steps"),
    (lambda: schedules.exponential(1, 0), "positive"),
    (lambda: schedules.three_phase(1, 2, 3, ends=(0.7, 0.3)), "ends"),
    (lambda: by_name("sawtooth", 1, 0), "linear"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
