"""Balancing without a loss: one step by hand, an even load in the end, the same bits resumed."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.data import digits
from minimidl.gates.routers import batch_cuts
from minimidl.layers import MIDL, Experts, Linear, Sequential, gated_layers
from minimidl.learning import (
    Adam,
    ExpertChoiceCuts,
    Importance,
    Load,
    LoadBalance,
    LossFreeBalance,
    Parts,
    RouterZ,
    fit,
)
from minimidl.learning.balancing import violation
from minimidl.learning.budget import total_budget
from minimidl.losses import z_loss
from minimidl.measure.routing import usage_variation

DIGITS = digits()
SMALL = Parts(DIGITS.x_train[:400], DIGITS.y_train[:400], DIGITS.x_val, DIGITS.y_val)
X = DIGITS.x_train[:24]


def model_of(router="switch", seed=0, **options):
    return Sequential(Experts(64, 64, n_experts=4, router=router, seed=seed, **options),
                      Linear(64, 10, seed=seed + 1))


def train(model, budgets, epochs=6, **options):
    return fit(model, SMALL, optimizer=Adam(model.params, 3e-3), epochs=epochs, batch_size=40,
               budgets=budgets, progress=False, **options)


def usage_of(model):
    return model.forward(DIGITS.x_val)[1]["0"]["decision"].active.sum(axis=0)


def test_one_step_of_the_bias_by_hand():
    model, rule = model_of(), LossFreeBalance(0.01)
    model.state["0.bias"][...] = [0.5, 0, 0.25, 0]
    _, memory = model.forward(X, training=True)
    load = memory["0"]["decision"].memory["chosen"].sum(axis=0)
    assert rule(gated_layers(model), memory, 0.3) == (0.0, {})
    assert model.state["0.bias"].tolist() == [0.5, 0, 0.25, 0]  # moves after the step, not before
    rule.after_step()
    np.testing.assert_allclose(
        model.state["0.bias"], [0.5, 0, 0.25, 0] + 0.01 * np.sign(6 - load), atol=1e-15)
    assert rule.report() == {"load_violation": load.max() / 6 - 1}


def test_violation_by_hand():
    chosen = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]], bool)
    assert violation(chosen) == pytest.approx(3 / (4 / 3) - 1)
    assert violation(np.eye(3, dtype=bool)) == 0
    assert violation(np.zeros((2, 3), bool)) == 0


def test_a_load_at_the_mean_moves_nothing():
    model, rule = model_of(), LossFreeBalance()
    _, memory = model.forward(X, training=True)
    decision = memory["0"]["decision"]
    decision.memory["chosen"][...] = np.eye(4, dtype=bool)[np.arange(24) % 4]
    rule(gated_layers(model), memory)
    rule.after_step()
    assert not model.state["0.bias"].any()


def test_rules_that_pull_on_nothing_hand_nothing_to_the_model():
    model = model_of()
    output, memory = model.forward(X, training=True)
    value, grad_gate = total_budget([LossFreeBalance()], gated_layers(model), memory, 1.0)
    assert (value, grad_gate) == (0.0, None)
    lone = model.layers[0]
    output, memory = lone.forward(X)
    grad_gate = total_budget([LossFreeBalance()], {"": lone}, memory, 1.0)[1]
    lone.backward(output, memory, grad_gate)  # an empty dict would be refused here


def test_the_cuts_follow_by_hand():
    model, rule = model_of("expert-choice"), ExpertChoiceCuts(0.25)
    seen = []
    for rows in (X[:8], X[8:16], X[16:], X[4:12], X[:12]):
        _, memory = model.forward(rows, training=True)
        decision = memory["0"]["decision"]
        seen.append(batch_cuts(decision.probability, decision.active))
        rule(gated_layers(model), memory)
        rule.after_step()
    # plain mean of the first four (weights 1, 1/2, 1/3, 1/4), then a quarter of the newest
    np.testing.assert_allclose(
        model.state["0.cuts"], 0.75 * np.mean(seen[:4], axis=0) + 0.25 * seen[4], atol=1e-12)
    assert rule.report()["cut"] == pytest.approx(model.state["0.cuts"].mean())
    assert rule.state["step"] == 5


@pytest.mark.parametrize(("rules", "router", "options"), [
    ([LoadBalance(0.3)], "switch", {}), ([LossFreeBalance(1e-2)], "switch", {}),
    ([LoadBalance(0.1)], "topk", {}), ([Importance(0.3)], "switch", {}),
    ([Importance(0.1), Load(0.1)], "noisy-topk", {})])
def test_balancing_lowers_the_variation_of_usage(rules, router, options):
    alone, balanced = model_of(router, **options), model_of(router, **options)
    for model in (alone, balanced):  # a router with a favourite
        model.params["0.gate.bias"][0] += 2.0
    train(alone, [], 10)
    train(balanced, rules, 10, restore_best=False)
    before, after = usage_variation(usage_of(alone)), usage_variation(usage_of(balanced))
    assert after < 0.8 * before


def test_the_z_loss_keeps_the_logits_small():
    loud, quiet = model_of(gate_spread=5.0), model_of(gate_spread=5.0)
    train(loud, [], restore_best=False)
    train(quiet, [RouterZ(0.1)], restore_best=False)
    sizes = [z_loss(model.forward(DIGITS.x_val)[1]["0"]["decision"].scores)[0]
             for model in (loud, quiet)]
    assert sizes[1] < 0.5 * sizes[0]


def test_single_samples_find_their_experts_as_in_training():
    model = model_of("expert-choice", k=2)
    train(model, [ExpertChoiceCuts()], 12, restore_best=False)
    used = usage_of(model)
    assert usage_variation(used) < 0.3
    assert used.sum() / len(DIGITS.x_val) == pytest.approx(2, abs=0.3)
    row = model.forward(DIGITS.x_val[5:6])[1]["0"]["decision"].active[0]
    assert (row == model.forward(DIGITS.x_val)[1]["0"]["decision"].active[5]).all()


@pytest.mark.parametrize(("router", "rules"), [
    ("switch", lambda: [LossFreeBalance(1e-2), LoadBalance()]),
    ("expert-choice", lambda: [ExpertChoiceCuts(), RouterZ()]),
    ("noisy-topk", lambda: [Importance(), Load()])])
def test_a_resumed_training_has_the_same_bits(tmp_path, router, rules):
    whole, parted = model_of(router), model_of(router)
    rows = train(whole, rules(), 4, restore_best=False, checkpoint=tmp_path / "whole.npz").rows
    train(parted, rules(), 2, restore_best=False, checkpoint=tmp_path / "parted.npz")
    parted = model_of(router, seed=9)  # another process, other starting weights
    resumed = train(parted, rules(), 4, restore_best=False, checkpoint=tmp_path / "parted.npz",
                    resume=True).rows
    for name in (whole.params | whole.state):
        ours = (whole.params | whole.state)[name]
        assert ours.tobytes() == (parted.params | parted.state)[name].tobytes(), name
    for one, two in zip(rows, resumed, strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_what_does_not_fit_is_told():
    model = model_of()
    _, memory = model.forward(X)
    with pytest.raises(InputError, match="expected Experts with a ExpertChoiceRouter"):
        ExpertChoiceCuts()(gated_layers(model), memory)
    plain = MIDL(64, 8)
    with pytest.raises(InputError, match="model: got no layer with a fitting router"):
        LossFreeBalance()({"": plain}, plain.forward(X)[1])
    for rate in (0, -1, np.inf):
        with pytest.raises(InputError, match="rate: got"):
            LossFreeBalance(rate)
    with pytest.raises(InputError, match=r"rate: got 1\.5, expected a number above 0 and at most"):
        ExpertChoiceCuts(1.5)
