"""Who is on the front, and what the others are told."""

import pytest

from minimidl.experiment.pareto import dominates, on_front, why_not
from minimidl.experiment.summary import summaries


def point(accuracy, cost, model="m"):
    return {"model": model, "accuracy_mean": accuracy, "mac_ratio_with_gate": cost}


def front(*points):
    return on_front([point(*each) for each in points], "mac_ratio_with_gate")


def test_the_front_by_hand():
    assert front((0.9, 1.0), (0.8, 0.5), (0.7, 0.6), (0.95, 1.0)) == [False, True, False, True]


def test_twins_do_not_beat_each_other():
    assert front((0.9, 0.5), (0.9, 0.5)) == [True, True]
    assert not dominates(point(0.9, 0.5), point(0.9, 0.5), "mac_ratio_with_gate")


def test_equal_on_one_count_is_decided_by_the_other():
    assert front((0.9, 0.5), (0.9, 0.6), (0.8, 0.5)) == [True, False, False]


def test_what_was_not_measured_is_on_no_front_and_beats_nobody():
    assert front((0.99, None), (0.5, 1.0)) == [False, True]


def run(model, seed, accuracy, macs, time=10.0):
    return {"model": model, "dataset": "digits", "seed": seed, "accuracy": accuracy,
            "mac_ratio_with_gate": macs, "latency_us": time, "dense_latency_us": 10.0}


def test_a_beaten_model_is_told_by_whom_and_by_how_much():
    rows = [run("dense", s, 0.90 + s / 100, 1.0) for s in (0, 1, 2)]
    rows += [run("midl", s, 0.95 + s / 100, 0.5) for s in (0, 1, 2)]
    rows += [run("switch", s, 0.93 + s / 100, 0.8) for s in (0, 1, 2)]
    dense, midl, switch = summaries(rows)
    assert midl["why_not"] is None
    assert midl["pareto_macs"]
    assert switch["why_not"] == ("midl is 2.00 ± 0.00 points better with 38 % fewer MACs "
                                 "(0.500 of dense instead of 0.800)")
    assert dense["why_not"].endswith("; 1 more beat it, too")


def test_a_lead_within_the_noise_is_called_that():
    rows = [run("midl", 0, 0.95, 0.5), run("midl", 1, 0.90, 0.5),
            run("dense", 0, 0.90, 1.0), run("dense", 1, 0.94, 1.0)]
    assert "may be the luck of the seeds" in summaries(rows)[1]["why_not"]


def test_a_summary_row_by_hand():
    rows = [run("dense", 0, 0.9, 1.0, 15.0), run("dense", 1, 0.8, 1.0, 5.0),
            run("midl", 0, 0.8, 0.4, 15.0), run("midl", 1, 0.8, 0.6, 5.0)]
    dense, midl = summaries(rows)
    assert (midl["seed"], midl["seeds"]) == (None, 2)
    assert midl["accuracy_mean"] == midl["accuracy"] == pytest.approx(0.8)
    assert midl["accuracy_ci95"] == pytest.approx(0, abs=1e-12)
    assert midl["difference_mean"] == pytest.approx(-0.05)
    # differences -0.1 and 0: s = 0.1 / sqrt(2), half-width t(0.975, 1) s / sqrt(2) = 12.7062 / 20
    assert midl["difference_ci95"] == pytest.approx(12.7062 * 0.05, rel=1e-5)
    assert midl["mac_ratio_with_gate"] == pytest.approx(0.5)
    assert midl["time_ratio"] == pytest.approx(1.0)  # the middle of 1.5 and 0.5
    assert dense["time_ratio"] == 1  # the best dense library may run it
    assert midl["time_ratio_b256"] is None
    assert not midl["pareto_time_b256"]


def test_one_disturbed_measurement_decides_nothing():
    rows = [run("midl", seed, 0.9, 0.5, time) for seed, time in enumerate((5.0, 900.0, 6.0))]
    assert summaries(rows)[0]["time_ratio"] == pytest.approx(0.6)


def test_without_a_dense_twin_there_is_no_difference():
    row, = summaries([run("midl", 0, 0.9, 0.5)])
    assert row["difference_mean"] is row["difference_ci95"] is None
    assert row["accuracy_ci95"] is None


def test_data_sets_do_not_compete():
    rows = [run("dense", 0, 0.9, 1.0), run("midl", 0, 0.99, 0.5) | {"dataset": "mnist"}]
    assert [row["pareto_macs"] for row in summaries(rows)] == [True, True]


def test_why_not_is_silent_on_the_front():
    best = point(0.9, 0.5, "midl")
    assert why_not(best, [best], {"midl": {0: 0.9}}) is None
