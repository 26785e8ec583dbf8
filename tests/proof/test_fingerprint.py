from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.proof.fingerprint import fingerprint, pieces


@dataclass
class Record:
    mask: np.ndarray
    note: str = ""


def nested(value: float, mask: bool = True) -> dict:
    return {"a": [np.array([value]), (Record(np.array([mask, False])),)], "b": None, "c": len}


def test_equal_bits_have_equal_fingerprints() -> None:
    assert fingerprint(nested(1.0)) == fingerprint(nested(1.0))


def test_the_smallest_change_shows() -> None:
    assert fingerprint(nested(1.0)) != fingerprint(nested(np.nextafter(1.0, 2.0)))
    assert fingerprint(nested(1.0)) != fingerprint(nested(1.0, mask=False))
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_nan_equals_itself_but_shape_and_dtype_count() -> None:
    assert fingerprint(np.array([np.nan])) == fingerprint(np.array([np.nan]))
    assert fingerprint(np.zeros((2, 1))) != fingerprint(np.zeros((1, 2)))
    assert fingerprint(np.zeros(2, np.int64)) != fingerprint(np.zeros(2, np.float64))


def test_pieces_are_the_booleans_wherever_they_hide() -> None:
    assert pieces(nested(1.0)) == pieces(nested(2.0)) == b"\x01\x00"
    assert pieces(nested(1.0)) != pieces(nested(1.0, mask=False))
    assert pieces(np.array([1.0])) == b""
