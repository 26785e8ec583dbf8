"""What a check cell calls: it raises with *got, expected, where, hint*, or says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class CheckFailed(AssertionError):
    """An exercise is not solved yet; the message says what came out and what was expected.

    Args:
        got: what the reader's code gave.
        expected: what it should give.
        where: the function and the case.
        hint: what to look at next.

    """

    def __init__(self, got: object, expected: object, where: str, hint: str) -> None:
        self.got, self.expected, self.where, self.hint = got, expected, where, hint
        super().__init__(
            f"\n  got:      {got}\n  expected: {expected}\n  where:    {where}\n  hint:     {hint}")


class Unsolved(CheckFailed):
    """What a stub raises: nobody has written this part yet.

    Args:
        name: the function to write.
        task: what it should return, in words.

    """

    def __init__(self, name: str, task: str) -> None:
        super().__init__("the stub, nothing written yet", task, name,
                         "replace the 'raise Unsolved(...)' line by your own code")


def check_that(ok: object, got: object, expected: object, where: str, hint: str) -> None:
    """Raise :class:`CheckFailed` unless ``ok`` is true."""
    if not ok:
        raise CheckFailed(got, expected, where, hint)


def check_shape(got: Any, shape: tuple[int, ...], where: str, hint: str) -> None:
    """Raise unless ``got`` is an array (or number) of that shape.

    A forgotten ``return`` gives None, which is told apart from a wrong shape.
    """
    check_that(got is not None, "None", f"an array of shape {shape}", where,
               "did the function return its result?")
    try:
        have: object = np.shape(got)
    except ValueError:  # rows of different lengths
        have = "none: its rows differ in length"
    check_that(have == shape, f"shape {have}", f"shape {shape}", where, hint)


def check_close(
    got: Any, expected: npt.ArrayLike, where: str, hint: str, tolerance: float = 1e-7
) -> None:
    """Raise unless ``got`` equals ``expected`` entry by entry, and name the worst entry.

    Args:
        got: what the reader's code gave.
        expected: numbers of the same shape.
        where: the function and the case.
        hint: what to look at next.
        tolerance: largest allowed ``|got - expected| / max(1, |expected|)``.

    Raises:
        CheckFailed: nothing returned, not numbers, wrong shape, or a wrong entry.

    """
    wish = np.asarray(expected, dtype=float)
    check_shape(got, wish.shape, where, hint)
    try:
        have = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        raise CheckFailed(repr(got), "numbers", where, hint) from None
    error = np.abs(have - wish) / np.maximum(1.0, np.abs(wish))
    error = np.where(np.isnan(error), np.inf, error)  # NaN must lose every comparison, not win it
    if error.size and error.max() > tolerance:
        worst = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
        place = f"{where}, entry {list(worst)} (the worst one)" if worst else where
        raise CheckFailed(f"{have[worst]:.8g}", f"{wish[worst]:.8g}", place, hint)
