"""``train.gradient=active-only``: a whole experiment trained on its open neurons only."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl import InputError
from minimidl.data import load
from minimidl.execution import Executor
from minimidl.experiment import build_model, make_settings, run_experiment
from minimidl.experiment.run import trained_by
from minimidl.experiment.settings import check_read, known
from minimidl.learning.run import Run

EXACT = {"train.gradient": "active-only", "epochs": 4}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def train(data, name="midl", checkpoint=None, resume=False, **chosen):
    settings = make_settings("digits", EXACT | {
        key.replace("_", ".", 1): value for key, value in chosen.items()})
    return run_experiment(name, data, settings, progress=False, timed=False,
                          checkpoint=checkpoint, resume=resume)


def runner_of(name="midl", **chosen):
    settings = make_settings("digits", EXACT | {
        key.replace("_", ".", 1): value for key, value in chosen.items()})
    return trained_by(build_model(name, 64, 10, settings.model), settings)


def same_bits(one, other):
    return all(one.params[name].tobytes() == value.tobytes()
               for name, value in other.params.items())


def test_straight_through_is_the_default_and_needs_no_executor():
    assert known()["train.gradient"] == "straight-through"
    settings = make_settings("digits", {})
    model = build_model("midl", 64, 10, settings.model)
    assert trained_by(model, settings) is model


def test_the_executor_shares_the_models_arrays_and_judges_dense():
    runner = runner_of()
    assert isinstance(runner, Executor)
    assert (runner.gradient, runner.path) == ("active-only", "dense")
    assert runner.params is runner.model.params


@pytest.mark.parametrize(("name", "options"), [
    ("midl", {}), ("midl", {"optimizer_sparse": True}), ("midl", {"gate_block": 8}),
    ("dynamicgate", {"gate_value": "probability"}), ("static-gate", {"gate_value": "probability"}),
    ("dynamicgate", {"optimizer_sparse": True, "light_path": "low-rank"}),
    ("dynamicgate", {"budget_kind": "dual", "budget_target": 0.5, "gate_value": "probability"})])
def test_models_learn_with_it_and_keep_their_row(name, options, digits):
    result = train(digits, name, **options)
    assert 0.85 < result.row["accuracy"] <= 1
    assert result.row["settings"]["train.gradient"] == "active-only"
    assert same_bits(train(digits, name, **options).model, result.model)


def test_it_is_another_gradient_than_straight_through(digits):
    exact = train(digits)
    other = run_experiment("midl", digits, make_settings("digits", {"epochs": 4}), progress=False,
                           timed=False)
    assert not same_bits(exact.model, other.model)


@pytest.mark.parametrize(("name", "options"), [
    ("midl", {"optimizer_sparse": True, "gate_noise": 0.5}),
    ("dynamicgate", {"budget_kind": "augmented", "budget_target": 0.5}),
    ("dynamicgate", {"gate_cut_start": -1.0, "gate_cut_end": 0.5, "gate_value": "probability"})])
def test_a_stopped_training_goes_on_to_the_same_bits(name, options, digits, tmp_path, monkeypatch):
    whole = train(digits, name, **options)
    end_epoch = Run.end_epoch

    def interrupt(self, row):
        end_epoch(self, row)
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    monkeypatch.setattr(Run, "end_epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(digits, name, path, **options)
    monkeypatch.undo()
    again = train(digits, name, path, True, **options)
    assert same_bits(whole.model, again.model)
    for before, after in zip(whole.history.rows, again.history.rows, strict=True):
        assert {k: v for k, v in before.items() if k != "seconds"} == {
            k: v for k, v in after.items() if k != "seconds"}


def test_a_checkpoint_of_the_other_gradient_is_refused(digits, tmp_path):
    path = tmp_path / "run.npz"
    train(digits, checkpoint=path)
    with pytest.raises(InputError, match=r"--resume: got train\.gradient unlike those"):
        run_experiment("midl", digits, make_settings("digits", {"epochs": 4}), progress=False,
                       timed=False, checkpoint=path, resume=True)


@pytest.mark.parametrize(("name", "options", "words"), [
    ("midl", {"train_gradient": "soft"}, "train.gradient: got 'soft', expected one of straight"),
    ("midl", {"gate_topk": "lapsum"}, "gate.topk: got 'lapsum' with train.gradient=active-only"),
    ("midl", {"width": (32, 16)}, "where layers 0 run dense"),
    ("midl", {"gate_budget": "layer"}, "where layers 0 run dense"),
    ("dynamicgate", {"gate_min_keep": 3}, "where layers 0 run dense"),
    ("input-gate", {}, "where layers 0 run dense"), ("dense", {}, "where all layers run dense")])
def test_what_would_be_trained_otherwise_is_refused_in_one_line(name, options, words):
    with pytest.raises(InputError) as caught:
        runner_of(name, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("model", "chosen"), [
    ("midl", {"gate.surrogate": "sigmoid"}), ("dynamicgate", {"gate.estimator": "concrete"}),
    ("dense", {}), ("input-gate", {})])
def test_settings_that_it_would_ignore_are_refused(model, chosen):
    with pytest.raises(InputError, match=r"--set: got .*(gradient=active-only|train\.gradient)"):
        check_read(model, {"train.gradient": "active-only", **chosen})
    check_read("midl", {"train.gradient": "straight-through", "gate.surrogate": "sigmoid"})


def test_nothing_of_the_row_depends_on_which_kernels_were_fast(digits, monkeypatch):
    def never(*whatever):
        raise AssertionError("a path was measured")

    monkeypatch.setattr("minimidl.execution.choice.Choice.pick", never)
    assert np.isfinite(train(digits, epochs=1).row["accuracy"])
