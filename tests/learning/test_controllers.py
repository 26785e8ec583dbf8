"""Controllers: each number by hand, targets that are met, and nothing lost when resumed."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.data import load
from minimidl.experiment import build_model, make_settings
from minimidl.experiment.recipe import fit_arguments
from minimidl.layers import MIDL, DynamicGate, GatedStack, Linear, Sequential, gated_layers
from minimidl.learning import (
    Adam,
    AugmentedLagrangian,
    Budget,
    DualAscent,
    Parts,
    cosine,
    fit,
    load_checkpoint,
    near_target,
)
from minimidl.learning.budget import total_budget
from minimidl.measure import count_macs


def small():
    """One gated layer: with the gate 40 MACs of 64 when shut, 104 when open; 8 per open gate."""
    return Sequential(DynamicGate(5, 8, gate="linear", seed=1), Linear(8, 3, seed=1))


def forward(model, batch=6):
    x = np.random.default_rng(0).normal(size=(batch, 5)).astype(np.float32)
    return model.forward(x, training=True)[1]


def called(controller, memory, progress=1.0):
    return controller(gated_layers(controller.model), memory, progress)


def share_of(model, memory):
    counted = count_macs(model, memory)
    return float(counted.with_gate.mean()) / counted.dense


def test_the_first_step_by_hand():
    model = small()
    memory = forward(model)
    executed = share_of(model, memory)
    control = AugmentedLagrangian(model, 0.8, rate=0.1, stiffness=4.0, damping=0.0, ramp=0.0)
    value, grads = called(control, memory)
    off = executed / 0.8 - 1  # the multiplier starts at 0: only the square is there
    assert value == pytest.approx(2 * off**2, rel=1e-12)
    # dL/dp = rho g / batch, times the price of a gate (5 inputs, 3 columns) over 0.8 * 64
    np.testing.assert_allclose(grads["0"], 4 * off / 6 * 8 / (0.8 * 64), rtol=1e-6)
    assert (grads["0"].shape, grads["0"].dtype) == ((6, 8), np.float32)
    assert control.state["multiplier"] == 0  # it moves after the weights' step, not before
    control.after_step()
    assert control.state["multiplier"] == pytest.approx(0.1 * off, rel=1e-12)
    assert control.state["average"] == pytest.approx(executed, rel=1e-15)
    value, grads = called(control, memory)
    assert value == pytest.approx(0.1 * off * off + 2 * off**2, rel=1e-12)


def test_dual_ascent_looks_at_the_change_as_well():
    model = small()
    control = DualAscent(model, 0.8, rate=0.1, damping=10.0, ramp=0.0, memory_length=2.0)
    called(control, forward(model))
    control.executed = 1.0
    control.after_step()  # g = 0.25, from 0: 0.1 (0.25 + 10 * 0.25)
    assert control.state["multiplier"] == pytest.approx(0.275, rel=1e-12)
    control.executed = 0.8
    control.after_step()  # average 0.9: g = 0.125, change -0.125
    assert control.state["average"] == pytest.approx(0.9, rel=1e-15)
    assert control.state["multiplier"] == pytest.approx(0.275 + 0.1 * (0.125 - 1.25), rel=1e-12)
    assert control.state["step"] == 2


def test_a_signed_multiplier_rewards_and_a_bound_does_not():
    model = small()
    memory = forward(model)
    for constraint, sign in (("equal", -1), ("at-most", 0)):
        control = DualAscent(model, 1.5, constraint=constraint, ramp=0.0)  # far above what is used
        called(control, memory)
        control.after_step()
        assert np.sign(control.state["multiplier"]) == sign
        _, grads = called(control, memory)
        assert np.unique(np.sign(grads["0"])).tolist() == [sign]


def test_the_average_forgets_at_its_own_pace():
    control = DualAscent(small(), 0.8, memory_length=4.0)
    for executed in (1.0, 2.0, 3.0, 4.0, 8.0):  # first a plain mean, then a quarter of the new one
        control.executed = executed
        control.after_step()
    assert control.state["average"] == pytest.approx(0.75 * 2.5 + 0.25 * 8.0)


def test_the_aim_walks_from_what_is_executed_to_the_target():
    model = small()
    memory = forward(model)
    control = DualAscent(model, 0.8, ramp=0.5)
    value, grads = called(control, memory, 0.0)
    first = share_of(model, memory)
    assert (value, np.abs(grads["0"]).max()) == (0.0, 0.0)
    assert control.aim_at(0.0) == first
    assert control.aim_at(0.25) == pytest.approx(0.5 * (first + 0.8))
    assert control.aim_at(0.5) == control.aim_at(1.0) == 0.8


def test_dear_gates_are_pulled_harder():
    model = Sequential(DynamicGate(30, 8, gate_rank=1, seed=1),
                       DynamicGate(8, 4, gate_rank=1, seed=1), Linear(4, 2, seed=1))
    x = np.random.default_rng(0).normal(size=(6, 30)).astype(np.float32)
    _, grads = called(AugmentedLagrangian(model, 0.5, ramp=0.0), model.forward(x, True)[1])
    assert np.abs(grads["0"]).min() > 2 * np.abs(grads["1"]).max()


def test_layers_with_a_fixed_number_of_gates_are_left_alone():
    model = Sequential(MIDL(5, 8, seed=1), DynamicGate(8, 8, seed=1), Linear(8, 3, seed=1))
    _, grads = called(AugmentedLagrangian(model, 2.2, ramp=0.0), forward(model))
    assert grads.keys() == {"1"}


@pytest.mark.parametrize("make", [DualAscent, AugmentedLagrangian])
@pytest.mark.parametrize("target", [0.15, 0.3, 0.6, 0.9])
def test_the_target_is_met_on_the_training_part_of_digits(make, target):
    """Within 2 % of the target, counted over the whole part, by the recipe of the data set."""
    digits = load("digits")
    settings = make_settings("digits", {"budget.target": target, "budget.kind": {
        DualAscent: "dual", AugmentedLagrangian: "augmented"}[make]})
    model = build_model("dynamicgate", 64, 10, settings.model, seed=0)
    arguments = fit_arguments(model, digits, settings.model, settings.train)
    assert type(arguments["budgets"][0]) is make
    history = fit(model, digits, progress=False, **arguments)
    _, memory = model.forward(digits.x_train)
    assert share_of(model, memory) == pytest.approx(target, rel=0.02)
    assert history.rows[-1]["val_accuracy"] > 0.93
    row = history.rows[history.best(near_target(target))]
    assert row["train_mac_ratio"] == pytest.approx(target, rel=0.01)


def test_a_stack_under_one_gate_network_meets_its_target_too():
    digits = load("digits")
    model = Sequential(GatedStack(64, (128, 64), choose="threshold", gate_rank=4, seed=0),
                       Linear(64, 10, seed=0))
    fit(model, digits, optimizer=Adam(model.params, 3e-3), epochs=30, batch_size=64,
        learning_rate=cosine(3e-3, 3e-5, 30 * 17), budgets=[DualAscent(model, 0.4)],
        score=near_target(0.4, 0.005), progress=False)
    assert share_of(model, model.forward(digits.x_train)[1]) == pytest.approx(0.4, rel=0.02)


def test_a_bound_leaves_a_frugal_network_alone():
    """An at-most target above what the network wants: no price, and the same weights."""
    data, models = blobs(), []
    for budgets in (lambda model: [], lambda model: [DualAscent(model, 5.0, constraint="at-most")]):
        model = small()
        fit(model, data, optimizer=Adam(model.params, 0.01), epochs=3, batch_size=32,
            progress=False, budgets=budgets(model))
        models.append(model.params["0.gate.weight"])
    assert np.array_equal(*models)


def blobs():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 160)
    x = (2 * rng.normal(size=(3, 5))[y] + rng.normal(size=(160, 5))).astype(np.float32)
    return Parts(x[:120], y[:120], x[120:], y[120:])


def train(model, control, **options):
    return fit(model, blobs(), optimizer=Adam(model.params, 0.01), batch_size=32, epochs=6,
               progress=False, budgets=[Budget("mean", 0.01), control],
               score=lambda row: (row["epoch"],), **options)


class Stop(Exception):
    """Stands for whatever interrupts a training."""


@pytest.mark.parametrize("make", [DualAscent, AugmentedLagrangian])
def test_resume_is_bit_exact(tmp_path, make):
    unbroken = small()
    control = make(unbroken, 0.9)
    history = train(unbroken, control)

    def stop(row, model):
        if row["epoch"] == 3:
            raise Stop

    broken = small()
    with pytest.raises(Stop):
        train(broken, make(broken, 0.9), checkpoint=tmp_path / "c.npz", on_epoch=[stop])
    saved = load_checkpoint(tmp_path / "c.npz").controllers
    assert saved.keys() == {"0.multiplier", "0.average", "0.first", "0.step"}
    assert saved["0.step"] == 12
    assert saved["0.multiplier"] != 0
    resumed = small()
    fresh = make(resumed, 0.9)
    again = train(resumed, fresh, checkpoint=tmp_path / "c.npz", resume=True)
    for name, array in control.state.items():
        assert fresh.state[name].tobytes() == array.tobytes()
    for name, array in unbroken.params.items():
        assert resumed.params[name].tobytes() == array.tobytes()
    assert again.column("multiplier") == history.column("multiplier")
    assert again.rows[-1]["multiplier"] == float(control.state["multiplier"])


def test_a_checkpoint_without_the_controller_is_refused_in_one_line(tmp_path):
    model = small()
    fit(model, blobs(), optimizer=Adam(model.params, 0.01), epochs=1, progress=False,
        batch_size=32, checkpoint=tmp_path / "c.npz")
    assert load_checkpoint(tmp_path / "c.npz").controllers == {}
    other = small()
    before = other.params["0.weight"].copy()
    with pytest.raises(InputError, match=r"checkpoint controllers: got 0\.average, 0\.first"):
        train(other, DualAscent(other, 0.9), checkpoint=tmp_path / "c.npz", resume=True)
    assert np.array_equal(other.params["0.weight"], before)


def test_rows_tell_of_every_controller():
    model = small()
    both = [DualAscent(model, 0.9), DualAscent(model, 1.0, constraint="at-most")]
    row = fit(model, blobs(), optimizer=Adam(model.params, 0.01), epochs=1, batch_size=32,
              progress=False, budgets=both).rows[0]
    assert row["multiplier"] == float(both[0].state["multiplier"])
    assert row["multiplier.1"] == float(both[1].state["multiplier"])
    assert (row["mac_target"], row["mac_target.1"]) == (0.9, 1.0)


def test_a_model_that_is_one_gated_layer_is_steered_too():
    model = DynamicGate(5, 8, gate_rank=1, seed=1)
    memory = forward(model)
    control = AugmentedLagrangian(model, 0.9, ramp=0.0)
    _, grad_gate = total_budget([control], gated_layers(model), memory, 1.0)
    assert grad_gate.shape == (6, 8)


@pytest.mark.parametrize(("make", "words"), [
    (lambda m: DualAscent(m, 0.0), "target: got 0.0"),
    (lambda m: DualAscent(m, 0.5, rate=-1.0), "rate: got -1.0"),
    (lambda m: DualAscent(m, 0.5, damping=-1.0), "damping"),
    (lambda m: AugmentedLagrangian(m, 0.5, stiffness=np.inf), "stiffness: got inf"),
    (lambda m: DualAscent(m, 0.5, constraint="below"), "'below', expected one of equal, at-most"),
    (lambda m: DualAscent(m, 0.5, ramp=2.0), "ramp: got 2.0"),
    (lambda m: DualAscent(m, 0.5, memory_length=0.5), "memory_length"),
    (lambda m: DualAscent(Sequential(MIDL(5, 8)), 0.5), "whose number of open gates can change"),
    (lambda m: called(DualAscent(m, 0.5), forward(m)), "expected above 0.625"),  # 40 of 64
    (lambda m: called(DualAscent(m, 1.7), forward(m)), "at most 1.625"),  # 104 of 64
])
def test_bad_input_is_told(make, words):
    with pytest.raises(InputError, match=words):
        make(small())
