"""The rules of a comparison: validation chooses, the test part is read once, all are equal."""

from collections import Counter
from dataclasses import replace

import pytest

from minimidl.data import Dataset, load
from minimidl.errors import InputError
from minimidl.experiment import compare as compare_module
from minimidl.experiment import judging
from minimidl.experiment.compare import choose, run_one
from minimidl.experiment.models import MODELS
from minimidl.experiment.plan import Run, make_plan, read_of
from minimidl.experiment.search import draws

KEYS = {"model", "dataset", "seed", "accuracy", "active_ratio", "mac_ratio", "mac_ratio_with_gate",
        "macs", "macro_f1", "params", "epochs", "settings"}
TIMES = {"latency_us", "dense_latency_us", "latency_us_b256", "dense_latency_us_b256",
         "peak_memory_bytes"}
LOOKS: Counter[str] = Counter()


class Watched(Dataset):
    """Counts who reads the test part."""

    def __getattribute__(self, name):
        if name in ("x_test", "y_test"):
            LOOKS[name] += 1
        return super().__getattribute__(name)


@pytest.fixture(scope="module")
def small():
    """A tenth of the digits."""
    digits = load("digits")
    return replace(digits, x_train=digits.x_train[:120], y_train=digits.y_train[:120],
                   x_val=digits.x_val[:60], y_val=digits.y_val[:60])


def plan_of(models=("midl",), seeds=(0,), search=0, **chosen):
    return make_plan(["digits"], models, seeds, {"epochs": 2, **chosen}, search)


@pytest.mark.parametrize("search", [0, 2])
@pytest.mark.parametrize("model", ["dense", "dynamicgate"])
def test_the_test_part_is_read_once_when_all_is_chosen(model, search, small, monkeypatch):
    watched = Watched(**vars(small))
    plan = plan_of([model], search=search)
    LOOKS.clear()
    choose(plan, Run("digits", model, 0), watched)
    assert not LOOKS  # neither training nor search looks
    monkeypatch.setattr(judging, "clock", lambda *whatever: {})
    run_one(plan, Run("digits", model, 0), watched)
    assert LOOKS == {"x_test": 1, "y_test": 1}


def test_another_test_part_changes_no_choice(small):
    plan, run = plan_of(search=3), Run("digits", "midl", 0)
    other = replace(small, x_test=-small.x_test, y_test=9 - small.y_test)
    one, two = (run_one(plan, run, data, timed=False) for data in (small, other))
    assert one["accuracy"] != two["accuracy"]
    for key in ("settings", "searched", "val_score", "epochs"):
        assert one[key] == two[key]


def test_the_search_takes_the_best_of_its_draws_on_the_validation_part(small):
    plan, run = plan_of(search=4), Run("digits", "midl", 1)
    best, drawn = choose(plan, run, small)
    tried = draws("midl", "digits", read_of("midl", plan.chosen), 4, seed=1)
    scores = [choose(plan_of(**{"epochs": 2, **each}), run, small)[0].score for each in tried]
    assert best.score == max(scores)
    assert drawn == tried[scores.index(max(scores))]
    assert len(set(scores)) > 1


@pytest.mark.parametrize("bad", [{0}, {1, 2}], ids=["recipe", "draws"])
def test_a_draw_that_diverges_has_lost_and_the_recipe_may_not(bad, small, monkeypatch):
    train, begun = compare_module.train, []

    def diverge(*given, **others):
        begun.append(given)
        if len(begun) - 1 in bad:
            raise InputError("learning_rate: got 0.003, with which training diverged")
        return train(*given, **others)

    monkeypatch.setattr(compare_module, "train", diverge)
    plan, run = plan_of(search=2), Run("digits", "midl", 0)
    if 0 in bad:
        with pytest.raises(InputError, match="diverged"):
            choose(plan, run, small)
    else:
        assert choose(plan, run, small)[1] == {}
        assert len(begun) == 3


@pytest.mark.slow
def test_a_row_has_the_keys_of_the_contract_and_times_per_sample(small):
    row = run_one(plan_of(["dense"]), Run("digits", "dense", 0), small)
    assert row.keys() >= KEYS | TIMES
    assert 0 < row["latency_us_b256"] < row["latency_us"]  # a crowd shares the bookkeeping
    weights = 4 * row["params"]
    assert weights < row["peak_memory_bytes"] < weights + 3_000_000
    assert row["settings"]["epochs"] == 2
    assert "init" not in row["settings"]  # as everybody's: the file holds the defaults once
    assert row["seconds"] >= row["seconds_judging"] > 0


def test_a_mixture_of_matched_macs_is_measured_against_the_network_it_matches(small, monkeypatch):
    timed = []
    monkeypatch.setattr(judging, "clock", lambda *given: timed.append(given[-1]) or {})
    dense, switch = (run_one(plan_of([name], **more), Run("digits", name, 0), small)
                     for name, more in (("dense", {}), ("switch", {"experts.match": "macs"})))
    assert 0.9 * dense["macs"] < switch["macs"] <= dense["macs"]
    assert switch["mac_ratio_with_gate"] == switch["macs"] / dense["macs"]
    assert [timed[0], timed[1].layers[0].n_out] == [None, 256]  # not eight times as wide


def test_the_same_seed_gives_the_same_row(small):
    one, two = (run_one(plan_of(search=1), Run("digits", "dynamicgate", 5), small, timed=False)
                for _ in range(2))
    for row in (one, two):
        del row["seconds"], row["seconds_judging"]
    assert one == two


def test_runs_go_seed_by_seed_so_that_an_early_end_is_fair():
    plan = make_plan(["digits", "glyphs"], ["dense", "midl"], [0, 1])
    assert plan.runs()[:5] == [
        Run("digits", "dense", 0), Run("glyphs", "dense", 0), Run("digits", "midl", 0),
        Run("glyphs", "midl", 0), Run("digits", "dense", 1)]
    assert len(plan.runs()) == 8


def test_a_setting_goes_to_the_models_that_read_it():
    plan = make_plan(["digits"], ["dense", "midl"], [0], {"gate.rank": 2, "weight_decay": 0.5})
    assert plan.settings("digits", "midl").model.gate_rank == 2
    assert plan.settings("digits", "dense").model.gate_rank != 2
    assert plan.settings("digits", "dense").train.weight_decay == 0.5


@pytest.mark.parametrize(("arguments", "message"), [
    ((["digits"], ["dense", "midl"], [0], {"budget.kind": "hinge"}),
     "--set: got budget.kind for dense, midl, expected a setting that one of the models reads"),
    ((["digits"], ["dense", "nope"], [0]), "model: got 'nope', expected one of dense, dropout"),
    ((["nope"], ["dense"], [0]), "data: got 'nope', expected one of digits"),
    ((["digits"], ["dense", "dense"], [0]), "--models: got dense,dense, expected each name once"),
    ((["digits"], [], [0]), "--models: got none"),
    ((["digits"], ["dense"], [0], {}, -1), "--search: got -1"),
    ((["digits"], ["dense"], [0], {"epochs": 0}), "epochs: got 0, expected at least 1"),
])
def test_bad_plans_are_refused_before_the_first_minute(arguments, message):
    with pytest.raises(InputError, match=message):
        make_plan(*arguments)


def test_models_that_would_train_longer_than_others_are_refused(monkeypatch):
    from minimidl.experiment import plan as plan_module
    whole = plan_module.make_settings

    def unequal(dataset, chosen):
        return whole(dataset, {**chosen, "epochs": 9 if "gate.rank" in chosen else 5})

    monkeypatch.setattr(plan_module, "make_settings", unequal)
    with pytest.raises(InputError, match=r"epochs: got \[5, 9\] on digits"):
        make_plan(["digits"], ["dense", "midl"], [0], {"gate.rank": 2})


def test_every_model_trains_for_the_same_number_of_epochs_by_default():
    for dataset in ("digits", "mnist"):
        make_plan([dataset], MODELS, [0])
