"""The kernels that measure ceilings compute what they say."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs Numba: pip install numba")

from minimidl.kernels.ceilings import CHAINS, LINKS, multiply_add, read_all, trivial

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_multiply_add_makes_so_many_links(dtype):
    lanes = np.random.default_rng(0).normal(size=(CHAINS, 5)).astype(dtype)
    expected = lanes.copy()
    for _ in range(2 * LINKS):
        expected = expected * dtype(0.5) + dtype(1)
    multiply_add(lanes, dtype(0.5), dtype(1), 2)
    np.testing.assert_allclose(lanes, expected, rtol=1e-5)


@pytest.mark.parametrize("n", [1, 7, 1000])
def test_read_all_reads_everything_every_time(n):
    values = np.random.default_rng(0).normal(size=n)
    assert read_all(values, 3) == pytest.approx(3 * values.sum())


def test_trivial_adds_one():
    values = np.arange(3, dtype=np.float32)
    trivial(values)
    assert values.tolist() == [1, 2, 3]
    assert values.dtype == np.float32
