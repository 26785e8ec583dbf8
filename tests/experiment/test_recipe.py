"""From options to what the training loop is given: budgets, controllers, schedules, scores."""

from pathlib import Path

import pytest

from minimidl import InputError
from minimidl.data import load
from minimidl.experiment import build_model, make_settings, parse_assignments, run_experiment
from minimidl.experiment.recipe import make_budgets, make_schedules, make_score
from minimidl.experiment.run import check_same
from minimidl.layers import Sequential
from minimidl.learning import AugmentedLagrangian, Budget, DualAscent


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def budgets_of(*texts: str, name: str = "dynamicgate"):
    settings = make_settings("digits", parse_assignments(texts))
    model = build_model(name, 64, 10, settings.model)
    return make_budgets(model, settings.model.keep, settings.train)


def test_dynamic_gates_are_held_and_others_are_free():
    (budget,) = budgets_of()
    assert isinstance(budget, Budget)
    assert (budget.kind, budget.of) == ("quadratic", "mask")
    assert budget.target == pytest.approx(0.94 * 0.45)
    assert budgets_of(name="dense") == budgets_of(name="midl") == []


@pytest.mark.parametrize(("kind", "target"), [("hinge", 0.423), ("mean", None), ("polarise", None)])
def test_every_penalty_is_reachable(kind, target):
    (budget,) = budgets_of(f"budget.kind={kind}", "budget.of=probability")
    assert budget.target == pytest.approx(target)


@pytest.mark.parametrize(("kind", "make"), [("dual", DualAscent),
                                            ("augmented", AugmentedLagrangian)])
def test_controllers_are_reachable(kind, make):
    (control,) = budgets_of(f"budget.kind={kind}", "budget.target=0.5", "budget.rate=0.1",
                            "budget.constraint=at-most")
    assert type(control) is make
    assert (control.target, control.rate, control.at_most) == (0.5, 0.1, True)


@pytest.mark.parametrize(("texts", "words"), [
    (["budget.kind=dual"], r"budget.target: got 0.0, expected .* --set budget.target=0.5"),
    (["budget.target=0.5"], r"budget.target: got 0.5, expected 0 with the quadratic budget"),
    (["budget.kind=triple"], r"budget\.kind: got 'triple'"),
])
def test_half_a_budget_is_refused(texts, words):
    with pytest.raises(InputError, match=words):
        budgets_of(*texts)


def schedules_of(*texts: str):
    settings = make_settings("digits", parse_assignments(texts))
    return make_schedules(settings.model, settings.train)


def test_a_cut_is_scheduled_where_its_ends_differ():
    assert schedules_of() == {}
    cut = schedules_of("gate.cut_start=-1", "gate.cut_end=2")["cut"]
    assert [cut(progress) for progress in (0.0, 0.5, 1.0)] == [-1.0, 0.5, 2.0]
    cubic = schedules_of("gate.cut_end=2", "gate.cut_schedule=cubic")["cut"]
    assert cubic(0.5) == pytest.approx(2 * (1 - 0.5**3))


@pytest.mark.parametrize(("texts", "words"), [
    (["gate.cut_start=1", "gate.cut_end=1"], "two different numbers"),
    (["gate.cut_end=1", "gate.threshold=0.7"], "gate.threshold: got 0.7, expected 0.5 where"),
    (["gate.cut_end=1", "gate.cut_schedule=steep"], "schedule: got 'steep'"),
])
def test_cuts_that_contradict_are_refused(texts, words):
    with pytest.raises(InputError, match=words):
        schedules_of(*texts)


def test_the_cut_arrives_where_it_was_sent_and_closes_gates(digits):
    def trained(*texts: str) -> Sequential:
        settings = make_settings("digits", parse_assignments(
            ["epochs=4", "budget.strength=0", "keep=1.0", *texts]))
        return run_experiment("dynamicgate", digits, settings, progress=False, timed=False).model

    moved, still = trained("gate.cut_end=1.5"), trained()
    assert 0 < moved.layers[0].cut <= 1.5  # of the best epoch
    assert still.layers[0].cut == 0
    share = [model.layers[0].decide(digits.x_test).active.mean() for model in (moved, still)]
    assert share[0] < 0.8 * share[1]


@pytest.mark.parametrize("kind", ["dual", "augmented"])
def test_a_mac_target_from_the_command_line_s_words_is_met_on_unseen_samples_too(kind, digits):
    settings = make_settings("digits", parse_assignments(
        ["epochs=30", f"budget.kind={kind}", "budget.target=0.5"]))
    row = run_experiment("dynamicgate", digits, settings, progress=False, timed=False).row
    assert row["mac_ratio_with_gate"] == pytest.approx(0.5, rel=0.03)
    assert row["accuracy"] > 0.96
    assert row["settings"]["budget.target"] == 0.5


def test_the_best_epoch_is_one_near_the_target():
    """The first epochs, still on their way, are not chosen however accurate they are."""
    settings = make_settings("digits", parse_assignments(
        ["epochs=30", "budget.kind=dual", "budget.target=0.3"]))
    model = build_model("dynamicgate", 64, 10, settings.model)
    score = make_score(model, settings.model.keep, settings.train)
    early = {"train_mac_ratio": 0.5, "val_accuracy": 1.0, "val_loss": 0.0}
    near = {"train_mac_ratio": 0.301, "val_accuracy": 0.9, "val_loss": 0.5}
    assert score(near) > score(early)


def test_a_checkpoint_older_than_an_option_is_resumed_where_the_option_has_its_default():
    def config(*texts: str) -> dict:
        settings = make_settings("digits", parse_assignments(texts)).as_dict()
        return {"model": "dynamicgate", "dataset": "digits", "seed": 0, "settings": settings}

    old = config()
    old["settings"] = {key: list(value) if isinstance(value, tuple) else value
                       for key, value in old["settings"].items() if key != "budget.target"}
    check_same(config(), old, Path("run.npz"))
    with pytest.raises(InputError, match=r"--resume: got budget.target unlike those in run.npz"):
        check_same(config("budget.target=0.5"), old, Path("run.npz"))


def test_a_penalty_can_grow_to_its_strength():
    (budget,) = budgets_of("budget.warm_up=0.5")
    assert budget.warm_up == 0.5


def test_an_unknown_budget_is_told_all_the_kinds_there_are():
    settings = make_settings("digits", {"budget.kind": "lagrangian"})
    model = build_model("dynamicgate", 64, 10, settings.model)
    with pytest.raises(InputError, match=r"budget\.kind: got 'lagrangian'.*quadratic.*dual, aug"):
        make_budgets(model, 0.45, settings.train)
