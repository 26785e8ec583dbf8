"""The layers suite: rows complete, masks honest, work counted by hand; never the times."""

from __future__ import annotations

import json

import numpy as np
import pytest

from minimidl import InputError
from minimidl.bench import contest, gated_models, layers
from minimidl.bench.contest import Contest, work_of
from minimidl.bench.crossover import crossovers
from minimidl.bench.gated_models import random_model, trained_model
from minimidl.bench.suite import NAMES, Watch, against, find_suite, judged
from minimidl.bench.targets import DENSITIES, layer_target
from minimidl.bench.timing import Timing
from minimidl.data import load
from minimidl.layers import MIDL, Linear, Sequential

TINY = {"shapes": ((12, 16, 3),), "kinds": ((1, (1, 4)), (4, (4,))), "densities": (0.5,),
        "dense_end": (1.0,), "read_bytes": (4096,), "peers": ("numpy",)}


@pytest.mark.kernels
def test_every_case_has_a_complete_row():
    ticks: list[int] = []
    rows = layers.layers_suite(Watch(lambda: ticks.append(1)), rounds=7, trained=(), **TINY)
    cases = [row for row in rows if "batch" in row]
    assert [(row["density"], row["granularity"], row["batch"]) for row in cases] == [
        (density, *kind) for density in (0.5, 1.0)
        for kind in (("neuron", 1), ("neuron", 4), ("block:4", 4))]
    assert len(ticks) == layers.steps(**TINY, trained=()) == 4
    for row in cases:
        assert set(layers.COLUMNS) <= row.keys()
        assert row["case"].startswith("random ")
        assert row["seconds"] > 0
        assert row["peer"] == "numpy"
        assert row["peers"] == {"numpy": row["peer_seconds"]}
        assert row["ratio"] == pytest.approx(row["peer_seconds"] / row["seconds"])
        assert row["spread_low"] <= row["ratio"] <= row["spread_high"]
        assert row["quality"] == pytest.approx(row["ratio"] / row["ideal"])
        assert row["max_error"] < 1e-5
        assert row["active_ratio"] == row["density"]
        assert row["paths"].keys() == {"dense", "neuron", "block"}  # what auto chooses among
        assert row["auto_over_best"] == pytest.approx(row["seconds"] / min(row["paths"].values()))
    json.dumps(rows)


def test_no_neuron_is_a_favourite_of_random_gates(monkeypatch):
    monkeypatch.setattr(gated_models, "USAGE_SAMPLES", 500)
    for density in DENSITIES:
        facts = random_model((64, 128, 3), density, 1, 1).facts
        assert 0.5 * density < facts["usage_low"] <= facts["usage_high"] < 1.6 * density


def test_work_worked_by_hand():
    model = Sequential(MIDL(4, 6, keep=3, gate_rank=2), Linear(6, 2))
    work = work_of(model, np.ones((1, 4), np.float32))
    gate_macs = 2 * (4 + 6) + 3  # down and up, and one product per open neuron
    macs = 4 * 3 + gate_macs + 3 * 2
    assert work["ideal"] == pytest.approx((4 * 6 + 6 * 2) / macs)
    assert work["flops"] == 2 * macs
    gate_numbers = 2 * 4 + 2 * 6 + 6  # with its bias
    assert work["bytes_least"] == 4 * (3 * (4 + 2) + gate_numbers + 4 + 2)
    assert work["active_ratio"] == 0.5


@pytest.mark.kernels
def test_a_wrong_answer_meets_no_target(monkeypatch):
    monkeypatch.setattr(contest, "layer_target", lambda *case: 0.0)
    race = Contest(random_model((12, 16, 3), 0.5, 1, 1), peers=("numpy",))
    assert race.row(1, 7)["met"] is True
    monkeypatch.setattr(race, "error", lambda x, expected: 0.1)
    assert race.row(1, 7)["met"] is False


@pytest.mark.parametrize(("case", "target"), [
    (("random", 1, 1, 0.45), 0.95 * 3), (("random", 1, 16, 0.10), 0.85 * 3),
    (("random", 16, 32, 0.10), 0.75 * 3), (("random", 256, 32, 0.25), 0.85 * 3),
    (("random", 64, 1, 0.45), 1.1), (("random", 1024, 1, 0.10), 3.3),
    (("trained", 256, 1, 0.25), 2.2), (("trained", 1, 1, 0.25), None),
    (("random", 256, 1, 0.7), None), (("random", 4, 1, 0.45), None),
])
def test_the_targets_are_those_of_the_table(case, target):
    assert layer_target(*case, 3.0) == (None if target is None else pytest.approx(target))


def test_crossover_worked_by_hand():
    line = {"case": "random", "n_in": 1, "n_units": 2, "n_out": 3, "batch": 4,
            "granularity": "neuron"}
    rows = [line | {"density": density, "ratio": ratio}
            for density, ratio in ((0.75, 0.5), (0.25, 2.0), (0.1, 4.0))]
    assert crossovers(rows) == [line | {"density": pytest.approx(0.5)}]
    assert crossovers([row | {"ratio": 2.0} for row in rows]) == []
    assert crossovers([*rows, {"case": "ceiling read"}]) == crossovers(rows)


def test_ratios_and_verdicts():
    versus = against(Timing(2.0, 1.0, 4.0, 1, 7), Timing(6.0, 4.0, 8.0, 1, 7))
    assert versus == {"peer_seconds": 6.0, "ratio": 3.0, "spread_low": 1.0, "spread_high": 8.0}
    assert judged(3.0, 3.0) == {"target": 3.0, "met": True}
    assert judged(2.9, 3.0)["met"] is False
    assert judged(2.9, None)["met"] is judged(None, 3.0)["met"] is None


@pytest.mark.kernels
def test_a_gate_is_trained_and_times_are_taken_on_test_images():
    data = load("digits")
    entry = trained_model(data, 32, 0.25, epochs=1, n_train=128)
    assert entry.case == "trained per-neuron"
    assert entry.facts["n_train"] == 128
    row = Contest(entry, paths=(), peers=("numpy",)).row(8, 7)
    assert row["active_ratio"] == 0.25
    assert row["accuracy"] == entry.facts["accuracy"] > 0.1
    assert row["auto_over_best"] is None
    np.testing.assert_array_equal(entry.inputs, data.x_test)


def test_without_mnist_the_trained_cases_are_left_out_in_one_line(monkeypatch):
    monkeypatch.setattr(layers, "mnist", lambda: None)
    notes: list[str] = []
    assert list(layers.trained_entries((0.5,), 1, 10, 0, Watch(note=notes.append))) == []
    (note,) = notes
    assert "minimidl data prepare mnist" in note


@pytest.mark.parametrize("name", NAMES)
def test_every_suite_can_be_found_and_counted(name):
    suite = find_suite(name)
    assert suite.steps(**suite.sizes) >= suite.steps(**suite.sizes, **suite.quick) >= 1
    assert suite.rounds >= 7


def test_an_unknown_suite_is_told():
    with pytest.raises(InputError, match=r"--suite: got 'kernels', expected one of layers, models"):
        find_suite("kernels")
