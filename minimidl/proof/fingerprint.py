"""What must not change, and which smooth piece of a function one is on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def fingerprint(value: Any) -> Any:
    """Return something that compares equal exactly when ``value`` holds the same bits.

    Arrays count with shape, dtype and bytes; dicts, sequences and dataclasses are walked; objects
    without data of their own (operators, functions) count by type.
    """
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return array.shape, str(array.dtype), array.tobytes()
    if isinstance(value, dict):
        return tuple((key, fingerprint(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(fingerprint(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(fingerprint(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, str | int | float | bool | type(None)):
        return repr(value)
    return type(value).__qualname__


def pieces(value: Any) -> bytes:
    """All boolean arrays in ``value``, as bytes.

    Masks and branches are kept as booleans in a memory. While they stay the same, a function stays
    on one smooth piece of itself; where they differ between two points, a kink or a jump lies
    between.
    """
    return b"".join(array.tobytes() for array in _booleans(value))


def _booleans(value: Any) -> Iterator[np.ndarray[Any, np.dtype[np.bool_]]]:
    if isinstance(value, np.ndarray):
        if value.dtype == np.bool_:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _booleans(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _booleans(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _booleans(getattr(value, field.name))
