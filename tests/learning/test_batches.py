import numpy as np
import pytest

from minimidl import InputError
from minimidl.learning import Parts, count_steps, hold_out
from minimidl.learning.batches import check_data, shuffled_batches


def test_every_row_comes_once_and_not_in_order():
    batches = list(shuffled_batches(10, 4, np.random.default_rng(0)))
    assert [len(rows) for rows in batches] == [4, 4, 2]
    together = np.concatenate(batches)
    assert sorted(together) == list(range(10))
    assert list(together) != list(range(10))


@pytest.mark.parametrize(("n", "size", "steps"), [(10, 4, 3), (8, 4, 2), (1, 128, 1)])
def test_count_steps_agrees_with_the_batches(n, size, steps):
    assert count_steps(n, size) == steps
    assert len(list(shuffled_batches(n, size, np.random.default_rng(0)))) == steps


def test_hold_out_splits_rows_with_their_targets():
    x = np.arange(20.0).reshape(10, 2)
    data = hold_out(x, np.arange(10), fraction=0.3, seed=1)
    assert (len(data.x_train), len(data.x_val)) == (7, 3)
    assert np.array_equal(data.x_train[:, 0], 2 * data.y_train)
    assert sorted([*data.y_train, *data.y_val]) == list(range(10))
    again = hold_out(x, np.arange(10), fraction=0.3, seed=1)
    assert np.array_equal(again.y_val, data.y_val)


def test_hold_out_leaves_a_row_on_each_side():
    for fraction in (0.01, 0.99):
        data = hold_out(np.zeros((2, 1)), np.zeros(2), fraction)
        assert (len(data.x_train), len(data.x_val)) == (1, 1)


GOOD = {"x_train": np.zeros((3, 2)), "y_train": np.zeros(3), "x_val": np.zeros((1, 2)),
        "y_val": np.zeros(1)}


@pytest.mark.parametrize(("change", "words"), [
    ({"x_train": np.zeros((0, 2)), "y_train": np.zeros(0)}, "x_train.*at least one"),
    ({"x_val": np.zeros(1)}, r"x_val.*\(1,\)"),
    ({"y_val": np.zeros(2)}, "y_val: got 2 targets, expected 1"),
    ({"x_train": np.full((3, 2), np.nan)}, "x_train.*finite"),
])
def test_bad_data_is_told(change, words):
    check_data(Parts(**GOOD))
    with pytest.raises(InputError, match=words):
        check_data(Parts(**(GOOD | change)))


@pytest.mark.parametrize("call", [
    lambda: hold_out(np.zeros((2, 1)), np.zeros(3)),
    lambda: hold_out(np.zeros((1, 1)), np.zeros(1)),
    lambda: hold_out(np.zeros((2, 1)), np.zeros(2), 1.0), lambda: count_steps(3, 0),
])
def test_bad_arguments_are_told(call):
    with pytest.raises(InputError, match="expected"):
        call()
