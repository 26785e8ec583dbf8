"""The progress bar, and other things around a training that are not the training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from minimidl.errors import InputError
from minimidl.learning.history import Row

Progress = bool | Literal["always"]
"""True: a bar where the output is a terminal; ``"always"``: a bar in any case; False: none."""


class Silent:
    """A progress bar that shows nothing."""

    def update(self, n: int = 1) -> None:
        """Do nothing."""

    def set_postfix_str(self, text: str) -> None:
        """Do nothing."""


@contextmanager
def progress_bar(progress: Progress, total: int, done: int = 0) -> Iterator[Any]:
    """Bar over all steps on stderr; silent where tqdm is missing or ``progress`` says so.

    Args:
        progress: see :data:`Progress`.
        total: steps of the whole training.
        done: steps already made, when resumed.

    """
    try:
        from tqdm import tqdm
    except ImportError:
        progress = False
    if progress is False:
        yield Silent()
        return
    disable = False if progress == "always" else None  # None: tqdm looks for a terminal
    with tqdm(total=total, initial=done, disable=disable, unit="step", leave=False) as bar:
        yield bar


def postfix(row: Row) -> str:
    """What the bar tells after an epoch."""
    accuracy = row["val_accuracy"]
    quality = f"val loss {row['val_loss']:.4f}" if accuracy is None else f"val {accuracy:.1%}"
    return f"epoch {row['epoch']}, {quality}, active {row['active_ratio']:.0%}"


@contextmanager
def blas_threads(threads: int | None) -> Iterator[None]:
    """Hold BLAS to so many threads; None, or a missing threadpoolctl, leaves it alone.

    One thread is the default of the loop: sums then always run in one order (same seed, same
    bits), and at these sizes more threads mostly wait for each other.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        threads = None
    if threads is None:
        yield
        return
    with threadpool_limits(threads, user_api="blas"):
        yield


NOT_FINITE = "expected finite numbers"
"""How :func:`minimidl.errors.require_finite` speaks."""


@contextmanager
def tell_divergence(learning_rate: float | None, epoch: int) -> Iterator[None]:
    """Turn "not finite" inside an epoch into advice on the learning rate.

    The data were finite when the training began, so any NaN or infinity was made by the training.
    NumPy's own warnings are silent inside: every loss is checked.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except InputError as error:
        if NOT_FINITE not in str(error):
            raise
        raise InputError(f"learning_rate: got {learning_rate}, with which training diverged in "
                         f"epoch {epoch} ({error}), expected a smaller one (lower it, or set clip)"
                         ) from None
