import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimidl import InputError
from minimidl.layers import Linear, MaskedDynamicGate, MaskedLinear, Sequential
from minimidl.learning import SGD, Adam
from minimidl.learning.connections import choose_mask, connections_of, largest


def test_of_equals_the_first_in_reading_order_whatever_the_order_in_memory():
    scores = np.array([[1.0, 2.0, 2.0], [2.0, 0.0, 2.0]])
    expected = [[False, True, True], [False, False, False]]
    everywhere = np.ones((2, 3), bool)
    assert largest(scores, 2, everywhere).tolist() == expected
    assert largest(np.asfortranarray(scores), 2, np.asfortranarray(everywhere)).tolist() == expected


numbers = st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=1, max_size=30)


@settings(deadline=None)
@given(numbers, st.data())
def test_exactly_n_and_none_outside_is_larger(scores, data):
    scores = np.array(scores)
    among = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores),
                                        max_size=len(scores))))
    n = data.draw(st.integers(0, int(among.sum())))
    chosen = largest(scores, n, among)
    # another algorithm: a stable sort of the allowed ones
    places = sorted(np.flatnonzero(among), key=lambda place: -scores[place])
    assert np.flatnonzero(chosen).tolist() == sorted(places[:n])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 8), st.floats(0, 1))
def test_a_rewired_mask_has_as_many_connections(seed, n_in, n_out, share):
    rng = np.random.default_rng(seed)
    mask = rng.random((n_in, n_out)) < 0.4
    keep, grow = rng.random(mask.shape), rng.integers(0, 3, mask.shape)
    n_drop = int(mask.sum() * share)
    after = choose_mask(mask, keep, grow, n_drop)
    assert after.sum() == mask.sum()
    assert (mask & after).sum() >= mask.sum() - n_drop
    assert np.array_equal(choose_mask(mask, keep, grow, 0), mask)


def test_a_dead_connection_is_never_kept_however_weak_the_live_ones_are():
    mask = np.array([[True, False], [True, False]])
    keep = np.array([[-1.0, 5.0], [-2.0, 5.0]])  # noise has made the dead ones look strong
    after = choose_mask(mask, keep, np.array([[0.0, 1.0], [2.0, 0.0]]), 1)
    assert after.tolist() == [[True, False], [True, False]], "(1, 0) was dropped and grew again"


def test_closing_and_opening_reach_weight_mask_and_slots():
    model = Sequential(MaskedDynamicGate(2, 2, seed=0), MaskedLinear(2, 2, seed=0))
    optimizer = Adam(model.params)
    for layer in connections_of(model, optimizer):
        assert layer.slots["first"] is optimizer.slots[f"first/{layer.path}.weight"]
        for array in (layer.weight, *layer.slots.values()):
            array[...] = 7.0
        layer.close(np.array([[True, False], [False, False]]))
        layer.open(np.array([[True, False], [False, False]]), 0.5, {"second": 3.0})
        assert layer.n_live == 4
        assert layer.weight.tolist() == [[0.5, 7.0], [7.0, 7.0]]
        assert layer.slots["first"].tolist() == [[0.0, 7.0], [7.0, 7.0]]
        assert layer.slots["second"].tolist() == [[3.0, 7.0], [7.0, 7.0]]


def test_a_model_that_is_one_masked_layer_and_an_optimiser_without_slots():
    layer = MaskedLinear(3, 2)
    (only,) = connections_of(layer, SGD(layer.params))
    assert (only.path, only.slots) == ("", {})


def test_a_model_without_masks_is_refused():
    model = Linear(2, 2)
    with pytest.raises(InputError, match=r"wiring: got a model without masked layers.*Masked"):
        connections_of(model, SGD(model.params))
