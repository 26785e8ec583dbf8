"""Expert choice and the soft mixture."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates import ExpertChoiceRouter, SoftRouter, make_router
from minimidl.gates.routers import batch_cuts

P = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.5, 0.1, 0.4], [0.1, 0.1, 0.8]])
LOGITS = np.log(P)


def test_each_expert_takes_its_best_samples_by_hand():
    decision = ExpertChoiceRouter(3).decide(LOGITS, training=True)  # ceil(4 / 3) = 2 places each
    assert decision.active.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]]
    np.testing.assert_allclose(decision.gate, P * decision.active, atol=1e-15)
    assert decision.memory["dropped"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("k", "capacity", "places"), [(1, 0.0, 2), (2, 0.0, 3), (1, 0.5, 1),
                                                       (1, 2.0, 3), (3, 1.5, 4)])
def test_the_load_is_perfectly_even(k, capacity, places):
    router = ExpertChoiceRouter(3, k, capacity=capacity)
    assert router.decide(LOGITS, training=True).active.sum(axis=0).tolist() == [places] * 3


def test_ties_go_to_the_earlier_sample():
    decision = ExpertChoiceRouter(2).decide(np.zeros((4, 2)), training=True)
    assert decision.active.tolist() == [[1, 1], [1, 1], [0, 0], [0, 0]]


def test_the_cuts_of_a_batch_by_hand():
    decision = ExpertChoiceRouter(3).decide(LOGITS, training=True)
    np.testing.assert_allclose(
        batch_cuts(decision.probability, decision.active), [0.55, 0.15, 0.25], atol=1e-15)
    everyone = np.ones((4, 3), bool)
    assert batch_cuts(P, everyone).tolist() == [0, 0, 0]


def test_evaluation_by_cuts_looks_at_one_sample_alone():
    router = ExpertChoiceRouter(3)
    router.state["cuts"][...] = [0.55, 0.15, 0.25]
    together = router.decide(LOGITS)
    assert (together.active == router.decide(LOGITS, training=True).active).all()
    for row in range(4):
        alone = router.decide(LOGITS[row:row + 1])
        assert (alone.active[0] == together.active[row]).all()
        assert alone.gate.tobytes() == together.gate[row].tobytes()


def test_evaluation_by_batch_depends_on_the_companions():
    router = ExpertChoiceRouter(3, evaluation="batch")
    together, alone = router.decide(LOGITS), router.decide(LOGITS[2:3])
    assert together.active[2].tolist() == [0, 0, 1]
    assert alone.active[0].tolist() == [1, 1, 1]  # everybody's best of one


def test_a_sample_that_nobody_takes_has_no_weight_and_no_gradient():
    router = ExpertChoiceRouter(3)
    router.state["cuts"][...] = 0.75
    decision = router.decide(LOGITS)
    assert decision.active.sum(axis=1).tolist() == [0, 0, 0, 1]
    grad = router.backward(np.ones((4, 3)), None, decision)
    assert not grad[:3].any()
    assert grad[3].any()


def test_soft_runs_everyone_with_the_softmax_as_weight():
    decision = SoftRouter(3).decide(LOGITS)
    assert decision.active.all()
    np.testing.assert_allclose(decision.gate, P, atol=1e-15)


def test_bad_options_are_told():
    with pytest.raises(InputError, match="evaluation: got 'later', expected one of cuts, batch"):
        ExpertChoiceRouter(3, evaluation="later")
    with pytest.raises(InputError, match="capacity: got -2"):
        ExpertChoiceRouter(3, capacity=-2)
    with pytest.raises(InputError, match="k: got 2, expected 3: the soft router runs all"):
        make_router("soft", 3, k=2)
    with pytest.raises(InputError, match=r"capacity: got 1\.5, expected 0: the soft router drops"):
        make_router("soft", 3, capacity=1.5)
