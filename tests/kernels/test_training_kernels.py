"""The three training kernels, between guards: every list, width and share of the work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_problems import guarded, intact

pytest.importorskip("numba", reason="Numba is not installed")

from minimidl.kernels import training as kernels
from minimidl.kernels.products import LONGEST
from minimidl.kernels.tiles import KEPT, VECTOR_BYTES
from minimidl.kernels.words import CROWD

pytestmark = pytest.mark.kernels
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
DTYPES = tuple(TOLERANCE)
LANES = {dtype: VECTOR_BYTES // np.dtype(dtype).itemsize for dtype in DTYPES}


class Problem:
    """A mask ``(batch, n_lists)``, its lists, and the dense answers beside it."""

    def __init__(self, dtype="float64", *, batch=5, n_lists=6, together=1, n=None, n_out=5,
                 density=0.4, ragged=0.0, seed=0):
        rng = np.random.default_rng(seed)
        n = LANES[dtype] + 3 if n is None else n
        chance = density + ragged * rng.normal(size=(batch, 1))
        self.mask = rng.random((batch, n_lists)) < chance
        self.units = np.repeat(self.mask, together, axis=1)
        self.together, self.dtype = together, dtype
        n_units = n_lists * together

        def draw(*shape):
            return guarded(rng.normal(size=shape).astype(dtype))

        self.x, self.weight_t = draw(batch, n), draw(n_units, n)
        self.next_weight, self.values = draw(n_units, n_out), draw(batch, n_units)
        self.out = draw(batch, n_out)
        self.read = {name: getattr(self, name).copy() for name in ("x", "weight_t", "next_weight")}
        self.list_them()

    def list_them(self):
        """What ``Places`` prepares, with guards around everything that is written."""
        batch, n_lists = self.mask.shape
        self.n_words = -(-batch // CROWD)
        words = np.zeros((self.n_words, n_lists), np.uint64)
        for sample in range(batch):
            words[sample // CROWD] |= (self.mask[sample].astype(np.uint64)
                                       << np.uint64(sample % CROWD))
        self.lists = np.full((self.n_words, n_lists, CROWD), 255, np.uint8)
        self.starts = guarded(np.full((self.n_words, n_lists + 1), -9, np.int64))
        self.count = kernels.list_places(words, self.lists, self.starts)
        self.samples = guarded(np.full(self.count, -9, np.int32))
        self.order = guarded(np.full(self.count, -9, np.int64))
        self.row_starts = guarded(np.full(n_lists + 1, -9, np.int64))
        kernels.list_rows(self.lists, self.starts, self.samples, self.order, self.row_starts)
        for written in (self.starts, self.samples, self.order, self.row_starts):
            assert intact(written)

    def rows(self):
        """The list of every place, in the order of ``list_rows``."""
        return np.repeat(np.arange(self.mask.shape[1]), np.diff(self.row_starts))

    def compact(self, units):
        """``(batch, n_units) -> (places * together,)``, between guards."""
        values = guarded(np.empty((self.count, self.together), self.dtype))
        by_list = units.reshape(len(units), self.mask.shape[1], self.together)
        values[self.order] = by_list[self.samples, self.rows()]
        return values.reshape(-1)

    def products(self, shares):
        values = guarded(np.full(self.count * self.together, np.nan, self.dtype))
        for first, stop in shares:
            kernels.products(self.x, self.weight_t, self.lists, self.starts, self.together, values,
                             first, stop)
        assert intact(values)
        return values

    def spread(self, shares):
        values, out = self.compact(self.values), guarded(self.out)
        for first, stop in shares:
            kernels.spread(values, self.next_weight, self.lists, self.starts, self.together, out,
                           first, stop)
        assert intact(out)
        return out

    def gradients(self, shares):
        factors = self.compact(self.values).reshape(self.count, self.together)
        grad_t = guarded(np.full(self.weight_t.shape, np.nan, self.dtype))
        flat = guarded(factors[self.order]).reshape(-1)
        for first, stop in shares:
            kernels.weight_gradients(flat, self.x, self.samples, self.row_starts, self.together,
                                     grad_t, first, stop)
        assert intact(grad_t)
        return grad_t

    def check(self):
        """All three kernels against dense products with a mask; returns their answers."""
        words, lists = [(0, self.n_words)], [(0, self.mask.shape[1])]
        masked = self.values * self.units
        answers = self.products(words), self.spread(words), self.gradients(lists)
        wanted = (self.compact(self.x @ self.weight_t.T), self.out + masked @ self.next_weight,
                  masked.T @ self.x)
        for got, dense in zip(answers, wanted, strict=True):
            scale = max(1.0, float(np.abs(dense).max(initial=0)))
            np.testing.assert_allclose(got, dense, rtol=0, atol=scale * TOLERANCE[self.dtype])
            assert got.dtype == self.dtype
        assert not answers[2][~self.units.any(axis=0)].any()
        for name, value in self.read.items():
            np.testing.assert_array_equal(getattr(self, name), value, err_msg=f"{name} modified")
        return answers


@pytest.mark.parametrize("batch", [0, 1, 5, 63, 64, 65, 130])
def test_lists_name_every_open_place_once(batch):
    problem = Problem(batch=batch)
    assert problem.count == problem.mask.sum()
    listed = np.zeros_like(problem.mask, int)
    position = 0
    for word in range(problem.n_words):
        for row in range(problem.mask.shape[1]):
            assert problem.starts[word, row] == position
            count = problem.starts[word, row + 1] - position
            own = problem.lists[word, row, :count].astype(int)
            assert list(own) == sorted(own)
            listed[word * CROWD + own, row] += 1
            position += count
    np.testing.assert_array_equal(listed, problem.mask)
    np.testing.assert_array_equal(np.sort(problem.order), np.arange(problem.count))
    assert problem.row_starts[-1] == problem.count
    for row in range(problem.mask.shape[1]):
        own = problem.samples[problem.row_starts[row]:problem.row_starts[row + 1]]
        np.testing.assert_array_equal(own, np.flatnonzero(problem.mask[:, row]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("together", [1, 4, 8, 12])
@pytest.mark.parametrize("options", [
    {}, {"density": 0}, {"density": 1.1}, {"ragged": 0.5, "batch": 20}, {"batch": 1},
    {"batch": 0}, {"n_lists": 1}, {"n_lists": 1, "density": 0}, {"batch": 65}, {"batch": 130}],
    ids=str)
def test_every_kind_of_mask(dtype, together, options):
    Problem(dtype, together=together, **options).check()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("together", [1, 4])
@pytest.mark.parametrize("registers", [1, 2, 3, 4, 5, 7, KEPT[0], KEPT[0] + 1, 21])
@pytest.mark.parametrize("more", [0, 1, -1])
def test_every_length_of_a_row(dtype, registers, more, together):
    n = max(registers * LANES[dtype] + more, LANES[dtype])
    Problem(dtype, n=n, together=together, n_lists=3).check()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("registers", [LONGEST, LONGEST + 1])
def test_rows_longer_than_a_panel(dtype, registers):
    Problem(dtype, n=registers * LANES[dtype] + 1, together=4, n_lists=2).check()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("together", [1, 4])
@pytest.mark.parametrize("n_out", [1, 2, 7, 8, 9, 15, 16, 17, 33, 200])
def test_every_width_of_what_is_added(dtype, together, n_out):
    Problem(dtype, n_out=n_out, together=together, n_lists=3).check()


@given(st.sampled_from(DTYPES), st.integers(1, 70), st.integers(1, 9), st.integers(0, 40),
       st.integers(1, 20), st.sampled_from([1, 4, 8]), st.floats(0, 1), st.integers(0, 99))
def test_any_shape(dtype, batch, n_lists, more, n_out, together, density, seed):
    Problem(dtype, batch=batch, n_lists=n_lists, n=LANES[dtype] + more, n_out=n_out,
            together=together, density=density, ragged=0.2, seed=seed).check()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("together", [1, 4])
def test_shares_of_the_work_are_the_whole_bit_for_bit(dtype, together):
    problem = Problem(dtype, batch=150, together=together, n_lists=5)
    whole = problem.check()
    words, lists = [(2, 3), (0, 1), (1, 2)], [(3, 5), (0, 1), (1, 3)]
    parts = problem.products(words), problem.spread(words), problem.gradients(lists)
    for one, several in zip(whole, parts, strict=True):
        assert one.tobytes() == several.tobytes()


@pytest.mark.parametrize("together", [1, 4])
def test_a_share_writes_nothing_of_others(together):
    problem = Problem(batch=150, together=together, n_lists=5)
    values = problem.products([(1, 2)])
    begin, end = (problem.starts[1, 0] * together, problem.starts[1, -1] * together)
    assert np.isfinite(values[begin:end]).all()
    assert np.isnan(values[:begin]).all()
    assert np.isnan(values[end:]).all()
    out = problem.spread([(1, 2)])
    np.testing.assert_array_equal(out[:CROWD], problem.out[:CROWD])
    np.testing.assert_array_equal(out[2 * CROWD:], problem.out[2 * CROWD:])
    grad_t = problem.gradients([(1, 3)])
    written = np.isfinite(grad_t).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(written), np.arange(together, 3 * together))


@pytest.mark.parametrize("together", [1, 4])
def test_what_nobody_opened_is_not_read(together):
    problem = Problem(batch=70, together=together, n_lists=8, density=0.03, n_out=20)
    shut = ~problem.units.any(axis=0)
    assert 0 < shut.sum() < len(shut)
    before = problem.check()
    problem.weight_t[shut] = np.nan
    problem.next_weight[shut] = np.nan
    shares = [(0, problem.n_words)]
    assert problem.products(shares).tobytes() == before[0].tobytes()
    assert problem.spread(shares).tobytes() == before[1].tobytes()
    idle = ~problem.mask.any(axis=1)
    assert idle.any()
    problem.x[idle] = np.nan
    assert problem.gradients([(0, 8)]).tobytes() == before[2].tobytes()
