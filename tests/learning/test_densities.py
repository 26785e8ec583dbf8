from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimidl import InputError
from minimidl.layers import Linear, MaskedDynamicGate, MaskedLinear, ReLU, Sequential
from minimidl.learning import give_densities, layer_sparsities
from minimidl.learning.densities import count_zeros, erdos_renyi

MLP = {"0": (784, 300), "2": (300, 100), "4": (100, 10)}


@pytest.mark.parametrize(("sparsity", "expected"), [
    (0.8, [0.8378, 0.5306, 0.0]), (0.9, [0.9204, 0.7698, 0.0]), (0.98, [0.9846, 0.9555, 0.6326]),
])
def test_erk_of_the_mlp_784_300_100_10(sparsity, expected):
    """Golden numbers, from the published code of RigL."""
    shares = layer_sparsities(MLP, sparsity, "erk")
    assert list(shares) == list(MLP)
    assert list(shares.values()) == pytest.approx(expected, abs=5e-5)


def test_erk_by_hand():
    """Raw (sum/product): 4x4 gives 1/2, 8x8 gives 1/4; 75 % of 80 missing leaves 20 = 24 eps."""
    shares = erdos_renyi({"a": (4, 4), "b": (8, 8)}, 0.75)
    # eps = 20 / (16/2 + 64/4) = 5/6: densities 5/12 and 5/24
    assert shares == pytest.approx({"a": 7 / 12, "b": 19 / 24})


def test_uniform_is_the_same_everywhere():
    assert layer_sparsities(MLP, 0.9, "uniform") == {"0": 0.9, "2": 0.9, "4": 0.9}


widths = st.lists(st.integers(2, 40), min_size=2, max_size=5)


@settings(deadline=None)
@given(widths, st.floats(0.0, 0.99), st.sampled_from([0.5, 1.0, 2.0]))
def test_erk_spreads_the_same_number_of_connections(widths, sparsity, power):
    shapes = {str(i): pair for i, pair in enumerate(pairwise(widths))}
    shares = erdos_renyi(shapes, sparsity, power)
    sizes = {path: a * b for path, (a, b) in shapes.items()}
    missing = sum(shares[path] * sizes[path] for path in shapes)
    uniform = sum(count_zeros(sparsity, size) for size in sizes.values())
    assert missing == pytest.approx(uniform, abs=1e-6 * sum(sizes.values()))
    assert all(-1e-12 <= share < 1 for share in shares.values())


@settings(deadline=None, max_examples=25)
@given(st.floats(0.0, 0.95), st.sampled_from(["uniform", "erk"]), st.integers(0, 9))
def test_masks_lack_exactly_what_they_should(sparsity, kind, seed):
    model = Sequential(MaskedDynamicGate(12, 20, seed=seed), MaskedLinear(20, 6, seed=seed))
    shares = layer_sparsities({"0": (12, 20), "1": (20, 6)}, sparsity, kind)
    densities = give_densities(model, sparsity, kind, seed=seed)
    for path, layer in enumerate(model.layers):
        dead = ~layer.mask
        assert dead.sum() == count_zeros(shares[str(path)], dead.size)
        assert not layer.params["weight"][dead].any()
        assert densities[str(path)] == layer.mask.mean()
    assert model.state["0.mask"] is model.layers[0].mask, "in place"


def test_live_weights_keep_their_start_unless_they_are_widened():
    dense, plain, wide = (Sequential(MaskedLinear(16, 16, seed=1)) for _ in range(3))
    give_densities(plain, 0.75, seed=3)
    give_densities(wide, 0.75, seed=3, scale_init=True)
    live = plain.layers[0].mask
    assert np.array_equal(live, wide.layers[0].mask)
    weights = [model.params["0.weight"][live] for model in (dense, plain, wide)]
    assert np.array_equal(weights[0], weights[1])
    assert weights[2] == pytest.approx(2 * weights[0]), "1 / sqrt(0.25)"


def test_the_seed_decides():
    masks = []
    for seed in (1, 1, 2):
        model = MaskedLinear(9, 9)
        give_densities(model, 0.5, seed=seed)
        masks.append(model.mask.tobytes())
    assert masks[0] == masks[1] != masks[2]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: layer_sparsities(MLP, 1.0), "sparsity: got 1.0"),
    (lambda: layer_sparsities(MLP, 0.5, "random"), "densities: got 'random'.*uniform, erk"),
    (lambda: give_densities(Sequential(Linear(2, 2), ReLU()), 0.5), "at least one masked layer"),
    (lambda: give_densities(MaskedLinear(4, 4, density=0.5), 0.9), "full mask"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
