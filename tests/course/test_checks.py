import numpy as np
import pytest

from minimidl.course.checks import CheckFailed, Unsolved, check_close, check_shape, check_that


def test_good_answers_pass() -> None:
    check_close([1.0, 2.0], np.array([1.0, 2.0 + 1e-9]), "f", "h")
    check_close(3, 3.0, "f", "h")
    check_close(np.zeros((0, 3)), np.zeros((0, 3)), "f", "h")
    check_shape(np.zeros((2, 3)), (2, 3), "f", "h")
    check_that(True, 1, 1, "f", "h")


@pytest.mark.parametrize(
    ("got", "told"),
    [
        (None, "got:      None"),
        (np.zeros(3), r"got:      shape \(3,\)"),
        ([[1.0], [1.0, 2.0]], "rows differ in length"),
        ([["a", "b"], ["c", "d"]], "expected: numbers"),
        ([[1.0, 2.0], [3.0, 4.5]], r"got:      4.5\n  expected: 4\n  where:    f, entry \[1, 1\]"),
        ([[1.0, np.nan], [3.0, 4.5]], r"got:      nan\n  expected: 2\n  where:    f, entry"),
    ],
)
def test_a_wrong_answer_is_told_in_full(got: object, told: str) -> None:
    with pytest.raises(CheckFailed, match=told) as caught:
        check_close(got, [[1.0, 2.0], [3.0, 4.0]], "f", "look at the signs")
    assert caught.value.where.startswith("f")
    assert "hint:" in str(caught.value)


def test_tolerance_is_relative_for_large_numbers() -> None:
    check_close(1e9 + 1, 1e9, "f", "h", tolerance=1e-8)
    with pytest.raises(CheckFailed):
        check_close(1e9 + 100, 1e9, "f", "h", tolerance=1e-8)
    with pytest.raises(CheckFailed):
        check_close(1e-3, 0.0, "f", "h", tolerance=1e-4)


def test_a_stub_fails_as_a_check() -> None:
    with pytest.raises(CheckFailed, match="expected: twice the number") as caught:
        raise Unsolved("double", "twice the number")
    assert caught.value.where == "double"
