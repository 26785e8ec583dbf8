"""One kind of error for bad input: what was got, what is expected, how to mend it."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array


class InputError(ValueError):
    """Bad input from the user, told in one line. The command line turns it into exit status 2."""


def require(ok: bool, argument: str, got: object, expected: str, mend: str = "") -> None:
    """Raise :class:`InputError` unless ``ok``.

    Args:
        ok: whether the input is good.
        argument: its name, as the user wrote it.
        got: what was given (shown as text).
        expected: what would have been good.
        mend: how to mend it, where that is not obvious.

    """
    if not ok:
        hint = f" ({mend})" if mend else ""
        raise InputError(f"{argument}: got {got}, expected {expected}{hint}")


def require_finite(x: Array, argument: str) -> None:
    """Raise unless every entry of ``x`` is finite; one pass over ``x`` in the good case."""
    # A finite sum proves that no entry is NaN or infinite; only a non-finite sum needs a second
    # look, because large finite numbers may overflow it.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(x.sum())
    if suspicious:
        bad = ~np.isfinite(x)
        where = tuple(int(i) for i in np.argwhere(bad)[0]) if bad.any() else ()
        require(not where, argument, f"{x[where] if where else x} at index {where}",
                "finite numbers", "remove or replace NaN and infinity first")


def require_like(gradient: Array, value: Array, argument: str) -> None:
    """Raise unless a gradient has exactly the shape and dtype of what it is the gradient of."""
    if getattr(gradient, "shape", None) == value.shape and gradient.dtype == value.dtype:
        return  # the good case alone, as in require_batch
    got = f"{getattr(gradient, 'dtype', type(gradient).__name__)} {np.shape(gradient)}"
    require(False, argument, got, f"{value.dtype} {value.shape}",
            "a gradient has the shape and dtype of its value")


def require_batch(x: Array, n_in: int, dtype: np.dtype[np.generic], argument: str = "x") -> None:
    """Raise unless ``x`` is ``(batch, n_in)`` of exactly ``dtype`` (no silent promotion)."""
    shape = getattr(x, "shape", None)
    # First the good case alone: this runs in every layer, and writing the message takes longer.
    if shape is not None and len(shape) == 2 and shape[1] == n_in and x.dtype == dtype:
        return
    require(shape is not None and len(shape) == 2 and shape[1] == n_in, argument,
            f"shape {shape}", f"(batch, {n_in})", "one sample is one row: x[None, :]")
    require(x.dtype == dtype, argument, f"dtype {x.dtype}", f"{dtype}, as the parameters",
            f"convert with {argument}.astype(np.{dtype})")
