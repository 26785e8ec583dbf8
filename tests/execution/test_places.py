"""Open places, compiled and masked: every sum equals the dense formula with the mask in it."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.execution.masked import MaskedPlaces
from minimidl.execution.places import Places, packed
from minimidl.kernels import compiled_kernels

DTYPES = {"float32": 1e-4, "float64": 1e-12}
N_GATES, N_IN, N_OUT = 6, 19, 5


@pytest.fixture(params=["compiled", "masked"])
def form(request):
    """Builds places from a mask and a block."""
    if request.param == "masked":
        return MaskedPlaces
    kernels = compiled_kernels()
    if kernels is None:
        pytest.skip("nothing is compiled here")
    return lambda active, block: Places(kernels, active, block)


def mask_of(batch, density=0.4, seed=0):
    return np.random.default_rng(seed).random((batch, N_GATES)) < density


def draw(*shape, dtype="float64", seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


pytestmark = pytest.mark.kernels
BLOCKS = pytest.mark.parametrize("block", [1, 3, 4, 8])
BATCHES = pytest.mark.parametrize("batch", [0, 1, 5, 64, 65, 130])


@BLOCKS
@BATCHES
def test_values_go_to_their_places_and_back(form, batch, block):
    active = mask_of(batch)
    places, units = form(active, block), np.repeat(active, block, axis=1)
    per_unit, per_gate, vector = draw(*units.shape), draw(*active.shape), draw(units.shape[1])
    open_units = places.gather_units(per_unit) * np.sign(places.gather(0.5 + active))
    back = places.to_units(open_units, units.shape)
    np.testing.assert_array_equal(back[units], per_unit[units])
    if not isinstance(places, MaskedPlaces):
        assert not back[~units].any()
        assert places.count * places.together == units.sum()
    sums = (per_unit * units).reshape(batch, N_GATES, block).sum(axis=2)
    np.testing.assert_allclose(places.to_gates(open_units, active.shape), sums, atol=1e-14)
    spread = places.gather_units(np.repeat(per_gate, block, axis=1))
    np.testing.assert_array_equal(np.broadcast_to(places.gather(per_gate), spread.shape), spread)
    tiled = places.gather_units(np.tile(vector, (batch, 1)))
    np.testing.assert_array_equal(np.broadcast_to(places.per_unit(vector), tiled.shape), tiled)


@BLOCKS
@BATCHES
@pytest.mark.parametrize("dtype", DTYPES)
def test_products_and_sums(form, batch, block, dtype):
    active = mask_of(batch)
    places, units = form(active, block), np.repeat(active, block, axis=1)
    x, weight_t = draw(batch, N_IN, dtype=dtype), draw(units.shape[1], N_IN, dtype=dtype, seed=2)
    next_weight = draw(units.shape[1], N_OUT, dtype=dtype, seed=3)
    tolerance = {"rtol": 0, "atol": DTYPES[dtype]}
    products = places.products(x, weight_t)
    dense = (x @ weight_t.T) * units
    np.testing.assert_allclose(places.to_units(products, units.shape) * units, dense, **tolerance)
    narrow = places.products(draw(batch, N_OUT, dtype=dtype), next_weight)  # below a register
    np.testing.assert_allclose(places.to_units(narrow, units.shape) * units,
                               (draw(batch, N_OUT, dtype=dtype) @ next_weight.T) * units,
                               **tolerance)
    values = products * places.gather(active.astype(dtype))  # what is masked is 0
    out = draw(batch, N_OUT, dtype=dtype, seed=4)
    wanted = out + dense @ next_weight
    places.spread(values, next_weight, out)
    np.testing.assert_allclose(out, wanted, **tolerance)
    np.testing.assert_allclose(places.weight_gradients(values, x), dense.T @ x, rtol=1e-4,
                               atol=20 * DTYPES[dtype])
    small = x[:, :3].copy()
    np.testing.assert_allclose(places.weight_gradients(values, small), dense.T @ small, rtol=1e-4,
                               atol=20 * DTYPES[dtype])
    np.testing.assert_allclose(places.sums(values), dense.sum(axis=0), rtol=1e-4,
                               atol=20 * DTYPES[dtype])
    for result in (products, values, out, places.weight_gradients(values, x), places.sums(values),
                   places.to_gates(values, active.shape)):
        assert result.dtype == dtype
    assert places.weight_gradients(values, small).flags.c_contiguous


@BLOCKS
def test_touched_are_the_neurons_that_somebody_opened(form, block):
    active = mask_of(9, 0.1)
    assert 0 < active.any(axis=0).sum() < N_GATES
    rows = form(active, block).touched()
    np.testing.assert_array_equal(rows, np.flatnonzero(np.repeat(active.any(axis=0), block)))


def test_who_shares_a_list():
    kernels = compiled_kernels()
    if kernels is None:
        pytest.skip("nothing is compiled here")
    active = mask_of(3)
    together = {block: Places(kernels, active, block).together for block in (1, 2, 3, 4, 6, 8, 12)}
    assert together == {1: 1, 2: 1, 3: 1, 4: 4, 6: 1, 8: 8, 12: 12}


@BATCHES
def test_packed_words_hold_one_bit_per_sample(batch):
    active = mask_of(batch)
    words = packed(active, 64)
    assert words.shape == (-(-batch // 64), N_GATES)
    assert words.dtype == np.uint64
    for sample in range(batch):
        bits = words[sample // 64] >> np.uint64(sample % 64) & np.uint64(1)
        np.testing.assert_array_equal(bits.astype(bool), active[sample])
    assert sum(int(word).bit_count() for word in words.ravel()) == active.sum()
