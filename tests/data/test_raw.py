from __future__ import annotations

import gzip
import hashlib
import struct

import numpy as np
import pytest

from minimidl.data.raw import RawFile, read_idx, sha256_of, verify_files
from minimidl.errors import InputError


def idx(array: np.ndarray) -> bytes:
    """The IDX form of an array of bytes."""
    return b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file-ubyte.gz"


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 28, 28)])
def test_idx_round_trip(path, shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    path.write_bytes(gzip.compress(idx(array)))
    got = read_idx(path)
    assert got.dtype == np.uint8
    assert np.array_equal(got, array)
    assert got.shape == shape


GOOD = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(("content", "words"), [
    (gzip.compress(GOOD)[:-12], "damaged gzip"),
    (gzip.compress(GOOD)[:5], "damaged gzip"),
    (b"<html>not found</html>", "damaged gzip"),
    (gzip.compress(b"\x00\x00\x0d" + GOOD[3:]), "magic number 00000d03"),
    (gzip.compress(b"\x89PNG"), "magic number 89504e47"),
    (gzip.compress(b""), "magic number"),
    (gzip.compress(GOOD[:-1]), r"got 23 values, expected 24 for the shape \(2, 3, 4\)"),
    (gzip.compress(GOOD + b"\x00"), "got 25 values"),
    (gzip.compress(GOOD[:9]), "values"),
])
def test_bad_idx_files_are_named(path, content, words):
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_checksums_and_missing_files(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    one, two = (RawFile(name, hashlib.sha256(text).hexdigest(), 1)
                for name, text in (("one", b"1"), ("two", b"2")))
    verify_files(tmp_path, (one, two))
    assert sha256_of(tmp_path / "one") == one.sha256

    (tmp_path / "two").write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        verify_files(tmp_path, (one, two))
    line = str(caught.value)
    assert "two: got sha256 " + hashlib.sha256(b"x").hexdigest() in line
    assert "expected sha256 " + two.sha256 in line
    assert "fetch it again" in line

    (tmp_path / "one").unlink()
    with pytest.raises(InputError, match="one: got no such file, expected a folder with one, two"):
        verify_files(tmp_path, (one, two))
