"""Starting weights: the variance, the bounds and the orthogonality that the papers ask for."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate, Linear
from minimidl.layers.initial import start_weight


def test_he_has_variance_two_over_fan_in() -> None:
    weight = start_weight("he", 0, 200, 300, np.float64)
    assert weight.var() == pytest.approx(2 / 200, rel=0.03)
    assert weight.mean() == pytest.approx(0, abs=0.002)


def test_he_keeps_the_mean_square_through_relu() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 300))
    for _ in range(4):
        x = np.maximum(x @ start_weight("he", rng, 300, 300, np.float64), 0)
    # relu halves the mean square, the variance 2 / n restores it before each relu
    assert (x**2).mean() == pytest.approx(1.0, rel=0.3)


def test_xavier_is_uniform_with_variance_two_over_both_fans() -> None:
    weight = start_weight("xavier", 0, 200, 300, np.float64)
    limit = np.sqrt(6 / 500)
    assert weight.var() == pytest.approx(2 / 500, rel=0.03)
    assert np.abs(weight).max() <= limit
    assert np.abs(weight).max() == pytest.approx(limit, rel=0.01)


@pytest.mark.parametrize(("n_in", "n_out"), [(5, 5), (7, 3), (3, 7)])
def test_orthogonal_has_orthonormal_rows_or_columns(n_in: int, n_out: int) -> None:
    weight = start_weight("orthogonal", 1, n_in, n_out, np.float64)
    assert weight.shape == (n_in, n_out)
    gram = weight.T @ weight if n_in >= n_out else weight @ weight.T
    np.testing.assert_allclose(gram, np.eye(min(n_in, n_out)), atol=1e-14)


def test_orthogonal_draws_both_signs_of_the_first_entry() -> None:
    # QR alone gives a first diagonal of R of one sign, and so a first column of one orientation
    signs = {np.sign(start_weight("orthogonal", seed, 2, 2)[0, 0]) for seed in range(20)}
    assert signs == {-1.0, 1.0}


@pytest.mark.parametrize("init", ["he", "xavier", "orthogonal"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_repeatability(init: str, dtype: type) -> None:
    one, two = (start_weight(init, 3, 4, 6, dtype) for _ in range(2))
    assert one.dtype == dtype
    assert (one == two).all()
    np.testing.assert_allclose(one, start_weight(init, 3, 4, 6, np.float64), rtol=1e-6)


@pytest.mark.parametrize("init", ["he", "xavier", "orthogonal"])
@pytest.mark.parametrize("layer", [Linear, MIDL, DynamicGate])
def test_layers_start_with_the_weight_that_was_asked_for(init: str, layer: type) -> None:
    weight = layer(6, 4, init=init, seed=9).params["weight"]
    assert (weight == start_weight(init, np.random.default_rng(9), 6, 4)).all()


def test_unknown_names_and_empty_widths_are_told() -> None:
    with pytest.raises(InputError, match=r"init: got 'kaiming', expected one of he, xavier, ortho"):
        Linear(2, 2, init="kaiming")
    with pytest.raises(InputError, match=r"init: got 'kaiming'"):
        MIDL(2, 2, init="kaiming")
    with pytest.raises(InputError, match=r"n_in: got 0, expected a width of at least 1"):
        Linear(0, 2)
    with pytest.raises(InputError, match=r"n_out: got -1, expected a width of at least 1"):
        Linear(2, -1)
