"""Bad input is told in one line: the argument, what was got, what is expected, how to mend it."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError, require, require_batch, require_finite


def test_the_message_is_one_line_with_argument_got_expected_and_mend() -> None:
    with pytest.raises(InputError) as caught:
        require(False, "keep", 1.5, "a fraction in (0, 1]", "divide by 100?")
    assert str(caught.value) == "keep: got 1.5, expected a fraction in (0, 1] (divide by 100?)"


def test_without_a_mend_there_are_no_empty_brackets() -> None:
    with pytest.raises(InputError, match=r"^k: got 0, expected more than 0$"):
        require(False, "k", 0, "more than 0")


def test_good_input_passes() -> None:
    require(True, "keep", 0.5, "a fraction")
    require_finite(np.array([1.0, -2.0]), "x")
    require_batch(np.zeros((3, 2), np.float32), 2, np.dtype(np.float32))


def test_input_error_is_a_value_error() -> None:
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_entry_that_is_not_finite_is_named(bad: float) -> None:
    x = np.ones((2, 3))
    x[1, 2] = bad
    with pytest.raises(InputError, match=r"scores: got (nan|inf|-inf) at index \(1, 2\), expected"):
        require_finite(x, "scores")


def test_infinities_that_cancel_to_nan_are_found() -> None:
    with pytest.raises(InputError, match=r"inf at index \(0,\)"):
        require_finite(np.array([np.inf, -np.inf]), "x")


def test_large_finite_numbers_whose_sum_overflows_are_fine() -> None:
    require_finite(np.full(4, np.finfo(np.float32).max, np.float32), "x")


@pytest.mark.parametrize(("x", "got"), [
    (np.zeros(2), r"shape \(2,\)"),
    (np.zeros((1, 3)), r"shape \(1, 3\)"),
    (np.zeros((1, 2, 1)), r"shape \(1, 2, 1\)"),
    ([[0.0, 1.0]], "shape None"),
])
def test_a_batch_of_the_wrong_shape_is_refused(x: object, got: str) -> None:
    with pytest.raises(InputError, match=rf"x: got {got}, expected \(batch, 2\)"):
        require_batch(x, 2, np.dtype(np.float64))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [np.float64, np.int64, np.float16])
def test_a_batch_of_another_dtype_is_refused_not_promoted(wrong: type) -> None:
    with pytest.raises(InputError, match=rf"dtype {np.dtype(wrong)}, expected float32.*astype"):
        require_batch(np.zeros((1, 2), wrong), 2, np.dtype(np.float32))
