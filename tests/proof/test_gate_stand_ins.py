"""The stand-ins of choosers: 0 away from home, drawn again to the same noise, right by hand."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.gates import DSelectChooser, ThresholdChooser, TopKChooser
from minimidl.gates.choosers.split import SplitChooser
from minimidl.layers import MIDL, DynamicGate, GatedStack, InputGate, Linear, Sequential
from minimidl.proof.differences import numeric_gradient
from minimidl.proof.gate_stand_ins import (
    decides_hard,
    dselect,
    gate_stand_in,
    gumbel,
    kind_of,
    top_rows,
    weighted_masks,
)
from minimidl.proof.linearised_gates import hard_gates, linearised
from minimidl.proof.mistakes import spoiled
from minimidl.proof.statements import count_objection

SCORES = np.array([[2.0, -1.0, 0.5, 3.0], [0.0, 0.25, -0.5, -2.0]])


def slope_at(stand_in, z):
    """``ds_i/dz_i`` of a stand-in whose entries stand alone, by differences."""
    z = z.copy()
    return numeric_gradient(lambda _: float(stand_in(z).sum()), z)


@pytest.mark.parametrize(("name", "slope"), [
    ("identity-score", np.ones(4)),
    ("clipped", np.array([0.0, 0.0, 1.0, 0.0])),  # |z - 0.4055| <= 1 holds for 0.5 alone
])
def test_slopes_of_estimators_by_hand(name, slope):
    chooser = ThresholdChooser(0.6, name)  # cut = ln 1.5 = 0.4055
    stand_in = gate_stand_in(chooser, chooser.decide(SCORES), None)
    assert slope_at(stand_in, SCORES)[0] == pytest.approx(slope, abs=1e-8)


def test_reinmax_pulls_by_half_the_unlikely_share():
    chooser = ThresholdChooser(0.5, "reinmax", temperature=2.0)
    decision = chooser.decide(SCORES)  # evaluation: no noise, open where z > 0
    p = 1 / (1 + np.exp(-SCORES / 2))
    expected = np.where(SCORES > 0, 1 - p, p) / 4
    assert slope_at(gate_stand_in(chooser, decision, None), SCORES) == pytest.approx(
        expected, abs=1e-8)


def test_the_noise_of_concrete_is_the_noise_that_was_drawn():
    chooser, seed = ThresholdChooser(0.5, "concrete"), 7
    decision = chooser.decide(SCORES, True, np.random.default_rng(seed))
    stand_in = gate_stand_in(chooser, decision, np.random.default_rng(seed))
    assert ((stand_in(SCORES) > 0.5) == decision.active).all()
    elsewhere = [gate_stand_in(chooser, decision, np.random.default_rng(s))(SCORES) > 0.5
                 for s in range(20)]
    assert any((other != decision.active).any() for other in elsewhere)


def test_gumbel_top_k_is_its_surrogate_at_the_scores_with_noise():
    chooser, seed = TopKChooser(2, "gumbel", temperature=0.1), 3
    decision = chooser.decide(SCORES, True, np.random.default_rng(seed))
    stand_in = gate_stand_in(chooser, decision, np.random.default_rng(seed))
    assert ((stand_in(SCORES) > 0.5) == decision.active).all()
    noise = gumbel(np.random.default_rng(seed), SCORES.shape)
    assert (top_rows(SCORES + noise, 2) == decision.mask).all()


def test_weighted_masks_start_at_the_mean_of_the_draws():
    chooser = TopKChooser(2, "perturbed", temperature=1.5)
    decision = chooser.decide(SCORES, True, np.random.default_rng(1))
    stand_in = weighted_masks(decision.memory["operator"], SCORES, 2, 1.5,
                              np.random.default_rng(1))
    assert stand_in(SCORES) == pytest.approx(decision.mask, abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(2, 4), (3, 6)])
def test_dselect_written_twice_gives_the_same_answer(k, n):
    chooser = DSelectChooser(k, n, 0.1)
    z = 5 * np.random.default_rng(2).normal(size=(3, chooser.n_scores(n)))
    assert dselect(z, k, n, 0.1) == pytest.approx(chooser.decide(z, True).mask, abs=1e-12)


def test_every_gate_of_a_full_top_k_stands_still():
    chooser = TopKChooser(4)
    assert (gate_stand_in(chooser, chooser.decide(SCORES), None)(SCORES + 1) == 1).all()


@pytest.mark.parametrize("name", ["sigmoid", "softsort", "relaxed-subset", "sparsemax"])
def test_what_has_a_derivative_needs_no_stand_in(name):
    chooser = TopKChooser(2, name)
    decision = chooser.decide(SCORES, True, np.random.default_rng(0))
    assert gate_stand_in(chooser, decision, np.random.default_rng(0)) is None
    assert not decides_hard(chooser, decision)


def test_a_soft_mask_that_happens_to_hold_zeros_and_ones_is_not_hard():
    chooser = TopKChooser(2, "capped-simplex", temperature=1e-3)
    decision = chooser.decide(SCORES, True)
    assert set(np.unique(decision.mask)) == {0.0, 1.0}
    assert not decides_hard(chooser, decision)


def test_parts_draw_one_after_the_other():
    chooser = SplitChooser([ThresholdChooser(0.5, "concrete") for _ in range(2)], [2, 2])
    decision = chooser.decide(SCORES, True, np.random.default_rng(4))
    stand_in = gate_stand_in(chooser, decision, np.random.default_rng(4))
    assert ((stand_in(SCORES) > 0.5) == decision.active).all()


def test_a_spoiled_twin_counts_as_what_it_was_made_from():
    twin = spoiled(TopKChooser(2))
    assert kind_of(twin, ("TopKChooser",)) == "TopKChooser"
    assert kind_of(object(), ("TopKChooser",)) == ""


def gates_of_all_kinds():
    return Sequential(
        InputGate(4, keep=2, gate_noise=0.5, dtype=np.float64),
        GatedStack(4, (4, 4), choose="threshold", estimator="reinmax", budget="layer",
                   dtype=np.float64),
        MIDL(4, 4, topk="gumbel", light="linear", dtype=np.float64),
        DynamicGate(4, 4, estimator="concrete", gate_value="probability", min_keep=2,
                    dtype=np.float64),
        Linear(4, 2, dtype=np.float64))


@pytest.mark.parametrize("training", [True, False])
def test_at_home_the_surrogate_of_a_drawing_model_is_its_forward(training):
    model, x = gates_of_all_kinds(), np.random.default_rng(1).normal(size=(3, 4))
    replaced = linearised(model, x, training, rng_seed=5)
    assert replaced is not None
    expected = model.forward(x, training, np.random.default_rng(5))[0]
    assert replaced()[0] == pytest.approx(expected, abs=1e-13)
    assert hard_gates(model, x, training, 5) == ["0", "1", "2", "3"]


def test_a_model_without_hard_gates_has_no_surrogate():
    soft = MIDL(4, 4, topk="lapsum", dtype=np.float64)
    x = np.zeros((2, 4))
    assert linearised(Sequential(soft, Linear(4, 2, dtype=np.float64)), x, True, 0) is None
    assert linearised(Linear(4, 2, dtype=np.float64), x, True, 0) is None


def test_miscounts_are_told():
    two, three = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 1.0, 0.0]])
    assert count_objection(TopKChooser(2), two) == ""
    assert count_objection(TopKChooser(2), three) == "not 2 gates open in every row"
    guarded = ThresholdChooser(min_keep=3)
    assert count_objection(guarded, two) == "fewer than 3 gates open in a row"
    assert count_objection(guarded, three) == ""
    split = SplitChooser([TopKChooser(1), TopKChooser(1)], [2, 2])
    assert count_objection(split, two) == "not 1 gates open in every row"
    assert count_objection(split, two[:, [0, 2, 1, 3]]) == ""
