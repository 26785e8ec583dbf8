"""Choosers: decisions by hand, what is drawn and what is not, guards, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.gates import ESTIMATORS, SIMPLEX, TOPK, DSelectChooser, ThresholdChooser, TopKChooser
from minimidl.gates.choosers.by_name import make_chooser, shared_chooser
from minimidl.gates.choosers.split import SplitChooser
from minimidl.gates.choosers.topk import ScaledSimplex

SCORES = np.array([[2.0, -1.0, 0.5, 3.0], [0.0, 0.25, -0.5, -2.0]])
OPTIONS = {"keep": 0.5, "topk": "hard", "surrogate": "sigmoid", "threshold": 0.5,
           "estimator": "identity-probability", "value": "binary", "temperature": 1.0}


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def random_scores(rows=6, n=8, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, n)).astype(dtype)


def test_topk_by_hand():
    decision = TopKChooser(2).decide(SCORES)
    assert decision.mask.tolist() == [[1, 0, 0, 1], [1, 1, 0, 0]]
    assert decision.probability == pytest.approx(sigmoid(SCORES))
    assert decision.gate == pytest.approx(decision.mask * sigmoid(SCORES))
    assert (decision.active == (decision.mask == 1)).all()


def test_threshold_by_hand():
    # theta = 0.6, T = 2: open where z > 2 ln 1.5 = 0.811.
    chooser = ThresholdChooser(0.6, temperature=2.0)
    decision = chooser.decide(SCORES)
    assert chooser.cut == pytest.approx(2 * np.log(1.5))
    assert decision.gate.tolist() == [[1, 0, 0, 1], [0, 0, 0, 0]]
    assert decision.probability == pytest.approx(sigmoid(SCORES / 2))


@pytest.mark.parametrize("name", [*TOPK, *SIMPLEX])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_operator_keeps_dtype_budget_and_word(name, dtype):
    chooser, scores = TopKChooser(3, name), random_scores(dtype=dtype)
    for training in (True, False):
        decision = chooser.decide(scores, training, np.random.default_rng(1))
        assert decision.mask.sum(axis=1) == pytest.approx(3, abs=1e-5)
        assert (decision.active == (decision.mask > 0)).all()
        back = chooser.backward(np.ones_like(scores), np.ones_like(scores), decision)
        assert {decision.gate.dtype, decision.probability.dtype, back.dtype} == {np.dtype(dtype)}


@pytest.mark.parametrize("name", TOPK)
def test_evaluation_is_hard_and_draws_nothing(name):
    decision = TopKChooser(3, name).decide(random_scores())  # no generator is handed over
    hard = TopKChooser(3).decide(random_scores())
    assert (decision.mask == hard.mask).all()


@pytest.mark.parametrize("name", ["gumbel", "perturbed", "perturbed-gumbel", "relaxed-subset"])
def test_drawing_operators_need_a_generator_and_follow_it(name):
    chooser = TopKChooser(3, name)
    with pytest.raises(InputError, match=r"rng: got None, expected a numpy\.random\.Generator"):
        chooser.decide(random_scores(), True)
    one, same, other = (chooser.decide(random_scores(), True, np.random.default_rng(s)).mask
                        for s in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_decide_alike_in_evaluation(name):
    chooser = ThresholdChooser(0.6, name)
    decision = chooser.decide(random_scores(), False, np.random.default_rng(3))
    assert (decision.active == (random_scores() > np.log(1.5))).all()
    assert (decision.mask == chooser.decide(random_scores()).mask).all()
    assert set(np.unique(decision.mask)) == {0.0, 1.0}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_only_stochastic_estimators_draw_in_training(name):
    chooser = ThresholdChooser(0.5, name)
    masks = [chooser.decide(random_scores(20, 20), True, np.random.default_rng(s)).mask
             for s in (1, 1, 2)]
    assert (masks[0] == masks[1]).all()
    assert (masks[0] != masks[2]).any() == ESTIMATORS[name].stochastic
    if ESTIMATORS[name].stochastic:
        with pytest.raises(InputError, match="rng: got None"):
            chooser.decide(random_scores(), True)


def test_a_drawn_gate_opens_as_often_as_its_probability_says():
    chooser, scores = ThresholdChooser(0.5, "reinmax"), np.full((4000, 1), 0.7)
    share = chooser.decide(scores, True, np.random.default_rng(0)).mask.mean()
    p = sigmoid(0.7)
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / 4000)


def test_min_keep_opens_the_best_and_ties_go_to_the_lowest_index():
    chooser = ThresholdChooser(0.9, min_keep=2)  # cut = ln 9 = 2.197
    rows = np.array([[3.0, 2.5, 2.3, 0.0], [0.0, 0.0, 0.0, 0.0], [-1.0, 5.0, -3.0, -1.0]])
    assert chooser.decide(rows).mask.tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 0, 0]]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_min_keep_holds_in_training_too_and_forced_gates_are_reported(name):
    chooser = ThresholdChooser(0.99, name, min_keep=3)
    decision = chooser.decide(random_scores(), True, np.random.default_rng(0))
    assert decision.active.sum(axis=1).min() >= 3
    assert (decision.active == (decision.mask > 0)).all()


def test_schedules_move_the_state_in_place():
    chooser = ThresholdChooser(0.6)
    chooser.state["temperature"][...], chooser.state["threshold"][...] = 0.5, 0.8
    assert chooser.cut == pytest.approx(0.5 * np.log(4))


@pytest.mark.parametrize("name", SIMPLEX)
def test_k_times_a_simplex_sums_to_k_and_its_budget_derivative_is_a_0d_array(name):
    operator = ScaledSimplex(name)
    p, memory = operator.forward(SCORES, 2.5, 0.7)
    assert p.sum(axis=1) == pytest.approx(2.5)
    grad_k = operator.backward(np.ones_like(p), memory)["k"]
    assert grad_k.shape == ()
    assert grad_k == pytest.approx(2.0)  # two rows, each sums to k


def test_a_sparse_simplex_opens_what_is_not_0_in_training_and_after():
    chooser = TopKChooser(2, "sparsemax")
    training, evaluation = chooser.decide(SCORES, True), chooser.decide(SCORES)
    assert (training.mask == evaluation.mask).all()
    # sparsemax of (2, -1, 0.5, 3): tau = 2, so only 3 is above it; of the second row (tau = -0.375)
    # 0 and 0.25, with shares 0.375 and 0.625.
    assert evaluation.mask[0].tolist() == [0, 0, 0, 2]
    assert evaluation.mask[1] == pytest.approx([0.75, 1.25, 0, 0])
    assert evaluation.active.tolist() == [[False, False, False, True], [True, True, False, False]]


def test_dselect_opens_at_most_k_in_evaluation_and_mixes_to_k():
    chooser = DSelectChooser(2, 8)
    assert chooser.n_scores(8) == 2 * (3 + 1)
    scores = 100 * random_scores(50, 8)
    hard, soft = chooser.decide(scores), chooser.decide(scores, True)
    assert hard.active.sum(axis=1).max() <= 2
    assert hard.active.sum(axis=1).min() >= 1
    assert hard.mask.sum(axis=1) == pytest.approx(2)
    assert soft.mask.sum(axis=1) == pytest.approx(2)
    best = soft.memory["select"]["selectors"].argmax(axis=2)
    assert all(hard.active[row, best[row]].all() for row in range(50))


def test_dselect_never_opens_a_code_that_means_nothing():
    chooser = DSelectChooser(3, 5)  # 8 codes, 5 gates
    decision = chooser.decide(1e4 * random_scores(200, chooser.n_scores(5)))
    assert decision.mask.shape == (200, 5)
    assert decision.active.any(axis=0).all()
    assert np.isfinite(decision.mask).all()


def test_a_split_decides_part_by_part_with_one_state():
    split = SplitChooser([TopKChooser(1), TopKChooser(1)], [3, 1])
    decision = split.decide(SCORES)
    assert decision.mask.tolist() == [[1, 0, 0, 1], [0, 1, 0, 1]]
    split.state["temperature"][...] = 0.25
    assert [part.temperature for part in split.choosers] == [0.25, 0.25]


def test_a_split_is_its_parts_side_by_side_in_both_directions():
    parts = [TopKChooser(1, value="binary"), TopKChooser(2, value="binary")]
    split, scores = SplitChooser(parts, [3, 4]), random_scores(5, 7)
    decision, g = split.decide(scores), random_scores(5, 7, seed=1)
    expected = np.concatenate([
        part.backward(own_g, None, part.decide(own)) for part, own_g, own in zip(
            parts, np.split(g, [3], axis=1), np.split(scores, [3], axis=1), strict=True)], axis=1)
    assert (split.backward(g, None, decision) == expected).all()


def test_one_cut_or_a_budget_each():
    shared = shared_chooser("topk", "model", [3, 1], **OPTIONS)
    own = shared_chooser("topk", "layer", [2, 2], **OPTIONS)
    assert shared.decide(SCORES).mask.sum(axis=1).tolist() == [2, 2]
    assert own.decide(SCORES).mask[:, :2].sum(axis=1).tolist() == [1, 1]
    assert own.decide(SCORES).mask[:, 2:].sum(axis=1).tolist() == [1, 1]


@pytest.mark.parametrize(("build", "message"), [
    (lambda: TopKChooser(2, "best"), "topk: got 'best', expected one of sigmoid, hard"),
    (lambda: TopKChooser(2, value="soft"), "gate_value: got 'soft', expected one of probability"),
    (lambda: TopKChooser(2, temperature=0), "temperature: got 0, expected a positive number"),
    (lambda: TopKChooser(2, surrogate="step"), "got 'step', expected one of"),
    (lambda: ThresholdChooser(1.0), "threshold: got 1.0, expected a number strictly between"),
    (lambda: ThresholdChooser(0.5, "magic"), "estimator: got 'magic', expected one of"),
    (lambda: ThresholdChooser(min_keep=-1), "min_keep: got -1, expected a number of gates"),
    (lambda: ThresholdChooser(min_keep=9).decide(SCORES), "min_keep: got 9, expected a number"),
    (lambda: make_chooser("dice", 4, **OPTIONS), "choose: got 'dice', expected one of topk"),
    (lambda: shared_chooser("topk", "own", [2], **OPTIONS), "budget: got 'own', expected 'model'"),
    (lambda: ScaledSimplex("hardmax"), "simplex: got 'hardmax', expected one of softmax"),
])
def test_bad_input_is_told(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value)
