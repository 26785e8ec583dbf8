"""Who is sent away: counted by hand."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates import make_router
from minimidl.gates.routers import capacity_of, within_capacity

# five samples, three experts; the first is the favourite of four samples
LOGITS = np.log(np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5],
                          [0.8, 0.1, 0.1]]))


@pytest.mark.parametrize(("factor", "n", "k", "experts", "places"), [
    (1.0, 12, 1, 4, 3), (1.0, 13, 1, 4, 4), (1.25, 12, 1, 4, 4), (1.0, 12, 2, 4, 6),
    (0.5, 3, 1, 4, 1), (1.1, 10, 1, 1, 11), (2.0, 0, 1, 4, 0)])
def test_places(factor, n, k, experts, places):
    assert capacity_of(factor, n, k, experts) == places


def test_a_factor_of_nothing_is_refused():
    with pytest.raises(InputError, match="capacity: got 0, expected a positive number"):
        capacity_of(0, 10, 1, 2)


def test_the_first_come_stay():
    chosen = np.array([[1, 0], [1, 1], [1, 1], [0, 1]], bool)
    kept = within_capacity(chosen, 2)
    assert kept.tolist() == [[1, 0], [1, 1], [0, 1], [0, 0]]
    assert not within_capacity(chosen, 0).any()
    assert (within_capacity(chosen, 4) == chosen).all()


def test_the_surest_stay_and_ties_go_to_the_earlier():
    chosen = np.array([[1, 0], [1, 1], [1, 1], [0, 1]], bool)
    p = np.array([[0.3, 0.9], [0.5, 0.2], [0.3, 0.2], [0.9, 0.2]])
    kept = within_capacity(chosen, 2, p)
    assert kept.tolist() == [[1, 0], [1, 1], [0, 1], [0, 0]]
    assert within_capacity(chosen, 1, p).tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]
    # a sample that did not choose the expert takes no place there, however probable
    assert within_capacity(chosen, 3, p).tolist() == chosen.astype(int).tolist()


@pytest.mark.parametrize(("priority", "kept"), [
    ("order", [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]]),
    ("probability", [[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]])])
def test_switch_drops_by_hand(priority, kept):
    router = make_router("switch", 3, capacity=1.2, priority=priority)  # ceil(1.2 * 5 / 3) = 2
    decision = router.decide(LOGITS, training=True)
    assert decision.active.tolist() == kept
    assert decision.memory["dropped"].tolist() == [2, 0, 0]
    np.testing.assert_allclose(decision.gate, np.exp(LOGITS) * kept, atol=1e-15)
    assert decision.memory["chosen"].sum(axis=0).tolist() == [4, 0, 1]


def test_topk_drops_and_does_not_share_out_again():
    router = make_router("topk", 3, k=2, capacity=0.6)  # ceil(0.6 * 5 * 2 / 3) = 2
    decision = router.decide(LOGITS, training=True)
    # chosen: 01 01 01 12 01 (the tie of the last sample goes to expert 1)
    assert decision.memory["chosen"].tolist() == [
        [1, 1, 0], [1, 1, 0], [1, 1, 0], [0, 1, 1], [1, 1, 0]]
    assert decision.active.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert decision.memory["dropped"].tolist() == [2, 3, 0]
    np.testing.assert_allclose(decision.gate[3], [0, 0, 5 / 8], atol=1e-15)
    np.testing.assert_allclose(decision.gate[0], [5 / 8, 3 / 8, 0], atol=1e-15)


def test_nothing_is_dropped_in_evaluation_unless_asked():
    for name, k in (("switch", None), ("topk", 2)):
        plain = make_router(name, 3, k=k, capacity=0.5).decide(LOGITS)
        assert plain.memory["dropped"].tolist() == [0, 0, 0]
        asked = make_router(name, 3, k=k, capacity=0.5, drop_at_evaluation=True).decide(LOGITS)
        assert asked.memory["dropped"].sum() > 0
        assert asked.active.sum(axis=0).max() <= capacity_of(0.5, 5, k or 1, 3)


def test_an_empty_batch_has_no_places_and_no_drops():
    decision = make_router("switch", 3, capacity=1.0).decide(np.zeros((0, 3)), training=True)
    assert decision.gate.shape == (0, 3)
    assert decision.memory["dropped"].tolist() == [0, 0, 0]


def test_bad_options_are_told():
    with pytest.raises(InputError, match="capacity: got -1, expected a positive factor, or 0"):
        make_router("switch", 3, capacity=-1)
    with pytest.raises(InputError, match="priority: got 'luck', expected one of order, prob"):
        make_router("switch", 3, priority="luck")
