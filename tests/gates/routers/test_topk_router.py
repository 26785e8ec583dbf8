"""Switch and Top-k routers: weights by hand, who hears of the task, and the bias on the choice."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates import SwitchRouter, TopKRouter, make_router
from minimidl.gates.routers.topk import renormalise, renormalise_backward

P = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]])
LOGITS = np.log(P) + 7.0  # a softmax does not see the shift


def test_switch_takes_the_best_with_its_raw_probability():
    decision = SwitchRouter(3).decide(LOGITS)
    np.testing.assert_allclose(decision.probability, P, atol=1e-15)
    np.testing.assert_allclose(decision.gate, [[0.5, 0, 0], [0, 0, 0.6]], atol=1e-15)
    assert decision.active.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_switch_gradient_by_hand():
    router = SwitchRouter(3)
    decision = router.decide(LOGITS)
    grad = router.backward(np.array([[2.0, 9, 9], [9, 9, -1.0]]), None, decision)
    # dP_e/dl_j = P_e (delta_ej - P_j): only the chosen expert's pull is heard, by all logits
    expected = [2 * 0.5 * np.array([0.5, -0.3, -0.2]), -0.6 * np.array([-0.1, -0.3, 0.4])]
    np.testing.assert_allclose(grad, expected, atol=1e-15)


def test_topk_shares_one_among_the_chosen():
    decision = TopKRouter(3, 2).decide(LOGITS)
    np.testing.assert_allclose(decision.gate, [[5 / 8, 3 / 8, 0], [0, 1 / 3, 2 / 3]], atol=1e-15)


def test_topk_gradient_by_hand():
    router = TopKRouter(3, 2)
    decision = router.decide(LOGITS[:1])
    grad = router.backward(np.array([[1.0, 0, 5.0]]), None, decision)
    # w1 = sigmoid(l1 - l2): the third logit has no say
    np.testing.assert_allclose(grad, [[15 / 64, -15 / 64, 0]], atol=1e-15)


def test_all_experts_renormalised_is_the_softmax():
    decision = TopKRouter(3, 3).decide(LOGITS)
    np.testing.assert_allclose(decision.gate, P, atol=1e-15)


def test_one_renormalised_weight_is_1_and_teaches_nobody():
    chosen = P.max(axis=1, keepdims=True) == P
    assert (renormalise(P, chosen) == chosen).all()
    assert not renormalise_backward(np.array([[3.0, 0, 0], [0, 0, -2.0]]), P, chosen).any()
    with pytest.raises(InputError, match=r"k: got 1, expected at least 2 .*no task gradient"):
        TopKRouter(3, 1)
    raw = TopKRouter(3, 1, renormalise=False)
    decision = raw.decide(LOGITS)
    assert np.abs(raw.backward(np.ones((2, 3)), None, decision)).min() > 0.01


def test_a_single_expert_has_weight_1_and_no_gradient():
    router = SwitchRouter(1)
    decision = router.decide(np.array([[0.3], [-4.0]]))
    assert (decision.gate == 1).all()
    assert not router.backward(np.ones((2, 1)), None, decision).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_go_to_the_lowest_index(dtype):
    level = np.zeros((2, 5), dtype)
    assert SwitchRouter(5).decide(level).active.argmax(axis=1).tolist() == [0, 0]
    assert TopKRouter(5, 3).decide(level).active.tolist() == [[1, 1, 1, 0, 0]] * 2


def test_the_bias_moves_the_choice_and_not_the_weights():
    router = TopKRouter(3, 2)
    before = router.decide(LOGITS)
    router.state["bias"][...] = [0, 0, 0.15]  # 0.2 + 0.15 passes 0.3 in the first sample
    decision = router.decide(LOGITS)
    assert decision.active.tolist() == [[1, 0, 1], [0, 1, 1]]
    np.testing.assert_allclose(decision.gate, [[5 / 7, 0, 2 / 7], [0, 1 / 3, 2 / 3]], atol=1e-15)
    assert (decision.probability == before.probability).all()
    # the second sample chose as before: its gradient is the same, whatever the bias
    g = np.array([[1.0, 2, 3], [4, 5, 7]])
    same = router.backward(g, None, decision)[1], router.backward(g, None, before)[1]
    assert (same[0] == same[1]).all()


def test_without_a_bias_the_choice_is_made_where_probabilities_underflow():
    logits = np.array([[0.0, -300.0, -200.0]], np.float32)  # both others are 0 in float32
    assert TopKRouter(3, 2).decide(logits).active.tolist() == [[1, 0, 1]]


def test_temperature_spreads_and_does_not_choose():
    cold, hot = SwitchRouter(3, temperature=0.1), SwitchRouter(3, temperature=10.0)
    assert (cold.decide(LOGITS).active == hot.decide(LOGITS).active).all()
    assert cold.decide(LOGITS).gate.max() > 0.99
    assert hot.decide(LOGITS).gate.max() < 0.4


@pytest.mark.parametrize("k", [0, 4, 1.5])
def test_a_wrong_number_of_experts_is_told(k):
    with pytest.raises(InputError, match=rf"k: got {k}, expected a whole number from 1 to 3"):
        TopKRouter(3, k)


def test_names():
    with pytest.raises(InputError, match="router: got 'random', expected one of switch, topk"):
        make_router("random", 3)
    with pytest.raises(InputError, match=r"k: got 2, expected 1 for the switch router"):
        make_router("switch", 3, k=2)
    with pytest.raises(InputError, match="n_experts: got 0, expected at least 1"):
        make_router("switch", 0)
    assert make_router("topk", 3).k == 2
