"""Robustness: the same harm for every model, and rows that tell what it cost."""

import numpy as np
import pytest

from minimidl.data import load, regimes
from minimidl.experiment import make_settings
from minimidl.layers import Linear
from minimidl.studies.robustness import (
    CLEAN,
    Harm,
    as_many_steps,
    changes,
    few,
    harmed,
    judged,
    measure,
    poor_sets,
)

SMALL = Harm(noise=(0.5, 2.0), blur=(3,), labels=(0.4,), samples=(0.1,), largest=300)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def rows(digits):
    settings = {name: make_settings("digits", {"epochs": 4}) for name in ("dense", "midl")}
    return measure(("dense", "midl"), digits, settings, (0,), harm=SMALL)


def test_every_kind_begins_with_the_clean_run(rows):
    mine = [row for row in rows if row["model"] == "midl" and row["seed"] == 0]
    assert [(row["kind"], row["level"]) for row in mine] == [
        ("noise", 0), ("noise", 0.5), ("noise", 2), ("blur", 0), ("blur", 3), ("labels", 0),
        ("labels", 0.4), ("samples", 1), ("samples", 0.1)]
    clean = {row["accuracy"] for row in mine if row["level"] == (row["kind"] == "samples")}
    assert len(clean) == 1
    assert all(row["drop"] == clean.copy().pop() - row["accuracy"] for row in mine)


def test_more_noise_costs_more(rows):
    noise = [row["accuracy"] for row in rows
             if (row["model"], row["kind"], row["seed"]) == ("dense", "noise", 0)]
    assert noise[0] > noise[1] > noise[2]


def test_summaries_compare_with_the_dense_twin(rows):
    summary = [row for row in rows if row["seed"] is None]
    assert len(summary) == len(rows) // 2
    own = {(row["model"], row["kind"], row["level"]): row["accuracy"]
           for row in rows if row["seed"] == 0}
    for row in summary:
        twin = own["dense", row["kind"], row["level"]]
        assert row["difference_mean"] == row["accuracy_mean"] - twin


def test_all_models_of_a_seed_meet_the_same_harm(digits):
    first, second = (poor_sets(few(digits, 300, 7), SMALL, 7) for _ in "12")
    for kind, data in first.items():
        assert all(np.array_equal(values, second[kind].arrays()[name])
                   for name, values in data.arrays().items())
    wrong = first["labels", 0.4].y_train != first[CLEAN].y_train
    assert wrong.sum() == 120
    assert np.array_equal(first["labels", 0.4].x_test, digits.x_test)
    assert np.array_equal(first["samples", 0.1].x_val, digits.x_val)
    assert len(first["samples", 0.1].x_train) == 30


def test_few_samples_get_as_many_steps(digits):
    settings = make_settings("digits", {"epochs": 4, "batch_size": 50})
    whole = few(digits, 1000, 0)  # 20 steps per epoch
    tenth = few(digits, 100, 0)  # 2
    assert as_many_steps(settings, tenth, whole).train.epochs == 40
    assert as_many_steps(settings, whole, whole) == settings
    assert few(digits, 0, 0) is digits is few(digits, 5000, 0)


def test_rows_that_are_no_pictures_have_no_blur(digits):
    assert [kind for kind, _ in changes(digits, SMALL)] == ["noise", "noise", "blur"]
    assert [kind for kind, _ in changes(regimes(), SMALL)] == ["noise", "noise"]


def test_a_model_without_gates_runs_everything(digits):
    told = judged(Linear(64, 10), digits)
    assert told["active_ratio"] == 1
    assert told["train_samples"] == 1078
    assert 0 <= told["macro_f1"] <= told["accuracy"] + 0.2


def test_rows_repeat(digits):
    poor = poor_sets(few(digits, 300, 1), SMALL, 1)
    settings = make_settings("digits", {"epochs": 2})
    assert harmed("midl", poor, settings, SMALL, 1) == harmed("midl", poor, settings, SMALL, 1)
