"""Register tiles: equal to the plain loops for every count and width, and nothing beyond."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from kernel_problems import close, guarded, intact

pytest.importorskip("numba", reason="Numba is not installed")

import numba

from minimidl.kernels import plain_tiles, tile_code, tiles
from minimidl.kernels.tiles import BLOCK_ROWS, CHAINS, KEPT, VECTOR_BYTES

pytestmark = pytest.mark.kernels
DTYPES = {"float32": ("uint8", 1e-5), "float64": ("int64", 1e-13)}
"""Each with the type of its list of rows: bytes are read as numbers from 0 to 255."""
ROWS = 200


def callable_tile(tile):
    """A tile is code inside a kernel; this is a kernel around it, which is not kept."""
    @numba.njit
    def call(*args):
        tile(*args)

    return call


PAIRS = {name: (callable_tile(getattr(tiles, name)), getattr(plain_tiles, name)) for name in (
    "dot_row", "dot_block", "outer_row", "outer_block", "spread_row", "spread_block", "copy",
    "relu")}
PAIRS["outer_long"] = (callable_tile(tiles.outer_long), plain_tiles.outer_row)
PAIRS |= {f"dot_{vectors}": (callable_tile(getattr(tiles, f"dot_{vectors}")),
                             plain_tiles.kept(vectors)) for vectors in KEPT}


def fixed_rows(name):
    return BLOCK_ROWS if name.endswith("block") else 1


def lanes(dtype):
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def kept_call(row, start, others, apart, chosen, first, count, place, add):
    """The arguments of a tile with a kept row; None where its output belongs.

    The third says where to read ahead, which changes no number: here far beyond the array.
    """
    return (row, start, 10**6, others, apart, chosen, first, count, None, place, add)


class Room:
    """Random numbers, lists of rows, and outputs between guards, for one dtype."""

    def __init__(self, dtype, seed=0):
        self.rng, self.dtype = np.random.default_rng(seed), dtype
        self.index, self.tolerance = DTYPES[dtype]

    def draw(self, size):
        return guarded(self.rng.normal(size=size).astype(self.dtype))

    def rows(self, count):
        chosen = self.rng.integers(0, ROWS, count)
        return guarded(chosen.astype(self.index))

    def compare(self, name, out, args):
        """Both twins on the same ``out``, at the position where ``args`` has None."""
        return self.compare_twins(PAIRS[name], out, args)

    def compare_twins(self, twins, out, args):
        got, wanted = guarded(out), guarded(out)
        for tile, place in zip(twins, (got, wanted), strict=True):
            tile(*(place if arg is None else arg for arg in args))
        close(got, wanted, self.tolerance)
        assert intact(got)
        return wanted


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["dot_row", "dot_block"])
@pytest.mark.parametrize("registers", [1, 2, 5])
@pytest.mark.parametrize("add", [False, True])
def test_dot_tiles_for_every_count(dtype, name, registers, add):
    room, fixed, length = Room(dtype), fixed_rows(name), registers * lanes(dtype)
    apart = length + 3  # rows need not follow each other
    row, others = room.draw(2 + fixed * apart), room.draw(5 + ROWS * apart)
    for count in range(tile_code.most(fixed) + 1):
        step = fixed + 2 if fixed > 1 else 1
        out, chosen = room.draw(4 + (tile_code.most(fixed) + 1) * step), room.rows(1 + count)
        room.compare(name, out, (row, 2, apart, others, 5, apart, chosen, 1, count, length, None,
                                 3, step, add))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("vectors", KEPT)
@pytest.mark.parametrize("add", [False, True])
def test_dot_tiles_with_a_kept_row_for_every_count(dtype, vectors, add):
    room, length = Room(dtype), vectors * lanes(dtype)
    row, others = room.draw(3 + length), room.draw(ROWS * (length + 1))
    for count in [*range(2 * tile_code.GROUP + 2), 63, 64]:
        out, chosen = room.draw(count + 4), room.rows(2 + count)
        args = kept_call(row, 3, others, length + 1, chosen, 2, count, 1, add)
        room.compare(f"dot_{vectors}", out, args)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["outer_row", "outer_block", "outer_long"])
@pytest.mark.parametrize("add", [False, True])
def test_outer_tiles_for_every_width(dtype, name, add):
    room, fixed = Room(dtype), fixed_rows(name)
    chains = CHAINS if name == "outer_long" else 1
    most = tile_code.most(fixed, chains)
    wide = most * lanes(dtype) + 1
    rows = room.draw(7 + ROWS * wide)
    for vectors in range(1, most + 1):
        for count in (chains, 2 * chains, 9 * chains):
            out, chosen = room.draw(3 + fixed * wide), room.rows(2 + count)
            factors = room.draw(5 + count * (fixed + 1))
            room.compare(name, out, (factors, 5, fixed + 1, rows, 7, wide, chosen, 2, count,
                                     vectors, None, 3, wide, add))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["spread_row", "spread_block"])
def test_spread_tiles_for_every_width(dtype, name):
    room, fixed = Room(dtype), fixed_rows(name)
    wide = tile_code.most(fixed) * lanes(dtype) + 1
    row = room.draw(2 + fixed * wide)
    for vectors in range(1, tile_code.most(fixed) + 1):
        for count in (1, 2, 3, 17):
            out, chosen = room.draw(3 + ROWS * wide), room.rows(1 + count)  # rows may come twice
            factors = room.draw(5 + count * (fixed + 1))
            room.compare(name, out, (row, 2, wide, factors, 5, fixed + 1, chosen, 1, count,
                                     vectors, None, 3, wide))


@pytest.mark.parametrize("dtype", DTYPES)
def test_copy_of_any_length(dtype):
    room = Room(dtype)
    source, out = room.draw(100), room.draw(100)
    for count in [0, 1, 2, 15, 16, 17, 90]:
        copied = room.compare("copy", out, (source, 3, None, 7, count))
        np.testing.assert_array_equal(copied[7:7 + count], source[3:3 + count])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("registers", [1, 2, 4])
def test_relu_of_whole_registers(dtype, registers):
    room, count = Room(dtype), registers * lanes(dtype)
    values, bias = room.draw(count + 5), room.draw(count + 2)
    values[4] = np.nan  # stays what it is
    before = values.copy()
    done = room.compare("relu", values, (None, 3, bias, 1, np.dtype(dtype).type(0.5), count))
    u = before[3:3 + count] + bias[1:1 + count]
    np.testing.assert_allclose(done[3:3 + count], np.where(u < 0, 0, u) / 2, rtol=1e-6)
    assert np.isnan(done[4])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in PAIRS if name.startswith("dot")])
def test_numbers_that_are_not_finite_stay_what_they_are(dtype, name):
    vectors = int(name[4:]) if name[4:].isdigit() else 1
    room, length, fixed = Room(dtype), vectors * lanes(dtype), fixed_rows(name)
    row, others = room.draw(fixed * length), room.draw(3 * length)
    others[0], others[length], others[2 * length] = np.nan, np.inf, np.finfo(dtype).max / 100
    chosen, out = guarded(np.arange(3).astype(room.index)), room.draw(3 * fixed)
    if name in ("dot_row", "dot_block"):
        args = (row, 0, length, others, 0, length, chosen, 0, 3, length, None, 0, fixed, False)
    else:
        args = kept_call(row, 0, others, length, chosen, 0, 3, 0, False)
    with np.errstate(invalid="ignore"):
        answer = room.compare(name, out, args).reshape(3, fixed)
    assert np.isnan(answer[0]).all()
    assert np.isinf(answer[1]).all()
    assert np.isfinite(answer[2]).all()


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="the JIT is off")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("register", [32, 64])
def test_tiles_for_processors_with_other_registers(monkeypatch, dtype, register):
    """Tiles as machines with and without AVX-512 make them, whichever this one is."""
    for module in (tile_code, plain_tiles):
        monkeypatch.setattr(module, "VECTOR_BYTES", register)
    monkeypatch.setattr(tile_code, "TILE", 12)
    room, lane = Room(dtype), register // np.dtype(dtype).itemsize
    apart = 2 * lane + 1
    row, rows = room.draw(BLOCK_ROWS * apart), room.draw(ROWS * apart)
    for count in (1, 3, tile_code.GROUP, tile_code.GROUP + 7):
        twins = callable_tile(tiles.kept_tile(2)), plain_tiles.kept(2)
        room.compare_twins(twins, room.draw(count), kept_call(
            row, 0, rows, apart, room.rows(count), 0, count, 0, True))
    for fixed in (1, BLOCK_ROWS):
        count = tile_code.most(fixed)
        twins = callable_tile(tiles.dot_tile(fixed)), partial(plain_tiles.dots, fixed)
        room.compare_twins(twins, room.draw(count * fixed), (
            row, 0, apart, rows, 0, apart, room.rows(count), 0, count, 2 * lane, None, 0, fixed,
            False))
        factors = room.draw(count * fixed)
        twins = callable_tile(tiles.outer_tile(fixed)), partial(plain_tiles.outers, fixed)
        room.compare_twins(twins, room.draw(fixed * apart), (
            factors, 0, fixed, rows, 0, apart, room.rows(count), 0, count, 2, None, 0, apart, True))
        twins = callable_tile(tiles.spread_tile(fixed)), partial(plain_tiles.spreads, fixed)
        room.compare_twins(twins, rows, (row, 0, apart, factors, 0, fixed, room.rows(count), 0,
                                         count, 2, None, 0, apart))


@numba.njit
def bit_positions(words, out):
    for i in range(words.shape[0]):
        out[i] = tiles.first_bit(words[i])


def test_first_bit_of_every_word():
    words = np.array([(1 << b) | (1 << 63) | (0b1010 << b) % (1 << 64) for b in range(64)],
                     np.uint64)
    out = np.full(64, -1, np.int64)
    bit_positions(words, out)
    np.testing.assert_array_equal(out, range(64))
    assert [plain_tiles.first_bit(word) for word in words] == list(range(64))


def test_plain_tiles_worked_by_hand():
    # rows 2 and 0 of [[1, 2], [9, 9], [3, 4]] times the fixed rows (1, 10) and (0, 1): 2 numbers
    # each; the plain loops take any length where they are given one
    others, chosen = np.array([1.0, 2, 9, 9, 3, 4]), np.array([2, 0])
    out = np.zeros(4)
    plain_tiles.dots(2, np.array([1.0, 10, 0, 1]), 0, 2, others, 0, 2, chosen, 0, 2, 2, out, 0, 2,
                     False)
    assert list(out) == [43, 4, 21, 2]
    plain_tiles.dots(1, np.array([1.0, 10]), 0, 0, others, 0, 2, chosen, 1, 1, 2, out, 3, 1, True)
    assert list(out) == [43, 4, 21, 2 + 21]


def test_plain_outer_and_spread_worked_by_hand():
    width = lanes("float64")
    rows = np.repeat([1.0, 9.0, 2.0], width)  # three rows of equal numbers
    out, chosen = np.full(width, 100.0), np.array([2, 0])
    plain_tiles.outer_row(np.array([3.0, 5.0]), 0, 1, rows, 0, width, chosen, 0, 2, 1, out, 0, 0,
                          True)
    np.testing.assert_array_equal(out, 100 + 3 * 2 + 5 * 1)
    plain_tiles.outer_row(np.array([3.0, 5.0]), 0, 1, rows, 0, width, chosen, 0, 2, 1, out, 0, 0,
                          False)
    np.testing.assert_array_equal(out, 3 * 2 + 5 * 1)
    plain_tiles.spread_row(np.full(width, 7.0), 0, 0, np.array([1.0, 2.0]), 0, 1, chosen, 0, 2, 1,
                           rows, 0, width)
    np.testing.assert_array_equal(rows, np.repeat([1.0 + 2 * 7, 9.0, 2.0 + 7], width))


def test_a_processor_that_cannot_tell_its_features_gets_the_small_registers(monkeypatch):
    def cannot():
        raise RuntimeError("failed to get host cpu features")

    monkeypatch.setattr(tile_code.binding, "get_host_cpu_features", cannot)
    assert not tile_code.features().get("avx512f")


def test_tiles_are_plain_exactly_where_the_compiler_is_off():
    assert (tiles.dot_row is plain_tiles.dot_row) == bool(numba.config.DISABLE_JIT)
