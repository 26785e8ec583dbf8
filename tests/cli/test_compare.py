"""``minimidl compare``: rows, resume after a real kill, refusals, tables and figures."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import minimidl
from minimidl.cli import main
from minimidl.cli.compare_progress import Estimate, Watch, words
from minimidl.cli.compare_report import as_markdown, disturbed
from minimidl.experiment.plan import Run

RUN_KEYS = {"model", "dataset", "seed", "accuracy", "active_ratio", "mac_ratio",
            "mac_ratio_with_gate", "macs", "latency_us", "dense_latency_us", "macro_f1",
            "latency_us_b256", "dense_latency_us_b256", "peak_memory_bytes", "params", "epochs",
            "settings"}
SUMMARY_KEYS = RUN_KEYS - {"settings"} | {
    "accuracy_mean", "accuracy_ci95", "difference_mean", "difference_ci95", "pareto_macs",
    "pareto_time", "pareto_time_b256", "why_not"}
TIMES = {"latency_us": 9.0, "dense_latency_us": 10.0, "peer": "numpy", "latency_us_b256": 3.0,
         "dense_latency_us_b256": 2.0, "peer_b256": "torch", "peak_memory_bytes": 600_000}


@pytest.fixture
def unclocked(monkeypatch):
    """Times are given, not measured."""
    monkeypatch.setattr("minimidl.experiment.judging.clock", lambda *whatever: TIMES)


@pytest.fixture
def quick(monkeypatch, unclocked):
    """Neither times nor files of the report."""
    monkeypatch.setattr("minimidl.cli.compare_report.write_report", lambda out, rows: [])


def command(folder, *more, models="dense,midl", seeds=2, epochs=1):
    return ["compare", "--data", "digits", "--models", models, "--seeds", str(seeds), "--epochs",
            str(epochs), "--out", str(folder / "out"), "--json", str(folder / "rows.json"), *more]


def content(folder):
    return json.loads((folder / "rows.json").read_text())


def rows_of(folder):
    """Rows of runs, and summary rows."""
    rows = content(folder)["rows"]
    return ([row for row in rows if row["seed"] is not None],
            [row for row in rows if row["seed"] is None])


@pytest.mark.slow
def test_rows_tables_and_figures(tmp_path, capsys, unclocked):
    assert main(command(tmp_path, "--set", "gate.rank=2")) == 0
    runs, means = rows_of(tmp_path)
    assert [(row["model"], row["seed"]) for row in runs] == [
        ("dense", 0), ("midl", 0), ("dense", 1), ("midl", 1)]
    assert all(row.keys() >= RUN_KEYS for row in runs)
    assert [row["model"] for row in means] == ["dense", "midl"]
    assert all(row.keys() >= SUMMARY_KEYS for row in means)
    assert runs[1]["settings"]["gate.rank"] == 2
    assert content(tmp_path)["defaults"]["gate.rank"] == 8
    told = capsys.readouterr().out
    assert "4 of 4: digits midl seed 1, accuracy 0." in told
    assert "digits, 2 seeds, 1 epoch\n" in told
    for name in ("compare.csv", "compare.md", "pareto-digits.png"):
        assert str(tmp_path / "out" / name) in told
        assert (tmp_path / "out" / name).stat().st_size > 300
    table = list(csv.DictReader((tmp_path / "out" / "compare.csv").read_text().splitlines()))
    assert len(table) == 6
    assert float(table[0]["accuracy"]) == runs[0]["accuracy"]
    assert json.loads(table[1]["settings"]) == runs[1]["settings"]
    page = (tmp_path / "out" / "compare.md").read_text()
    assert "| midl | 0." in page
    assert "![Accuracy against MACs and time](pareto-digits.png)" in page


def test_a_finished_comparison_is_not_run_again_and_may_grow(tmp_path, capsys, quick):
    main(command(tmp_path, seeds=1))
    before = rows_of(tmp_path)[0]
    capsys.readouterr()
    assert main(command(tmp_path, seeds=1)) == 0
    assert "2 of 2 runs are in" in capsys.readouterr().out
    assert rows_of(tmp_path)[0] == before
    assert main(command(tmp_path, models="dense,midl,dropout", seeds=2)) == 0
    assert "2 of 6 runs are in" in capsys.readouterr().out
    runs, means = rows_of(tmp_path)
    assert [row for row in runs if row in before] == before
    assert (len(runs), [row["seeds"] for row in means]) == (6, [2, 2, 2])


@pytest.mark.parametrize(("changes", "why"), [
    ({"epochs": 2}, "other settings (epochs) of dense on digits"),
    ({"models": "midl"}, "a run not asked for, dense on digits with seed 0"),
    ({"more": ["--seed", "5"]}, "a run not asked for, dense on digits with seed 0"),
    ({"more": ["--set", "gate.rank=3"]}, "other settings (gate.rank) of midl on digits"),
    ({"more": ["--search", "1"]}, "another --search"),
])
def test_a_file_of_other_options_is_refused(changes, why, tmp_path, capsys, quick):
    main(command(tmp_path, seeds=1))
    before = (tmp_path / "rows.json").read_bytes()
    capsys.readouterr()
    changes = dict(changes)
    assert main(command(tmp_path, *changes.pop("more", []), **{"seeds": 1, **changes})) == 2
    told = capsys.readouterr().err
    assert f"rows.json with {why}, expected a file of the same options (--fresh" in told
    assert told.count("\n") == 1
    assert (tmp_path / "rows.json").read_bytes() == before


def test_fresh_begins_anew(tmp_path, quick):
    main(command(tmp_path, seeds=1))
    assert main(command(tmp_path, "--fresh", seeds=1, epochs=2)) == 0
    assert {row["epochs"] for row in rows_of(tmp_path)[0]} == {2}


@pytest.mark.parametrize("text", [
    "not json", "[]", '{"command": "train", "rows": []}',
    '{"command": "compare", "options": {}, "defaults": {}, "rows": []}',
    '{"minimidl": "", "machine": {}, "command": "compare", "options": {"search": 0}, '
    '"defaults": {}, "rows": [{"seed": 0, "model": "dense", "dataset": "digits"}]}',
    '{"minimidl": "", "machine": {}, "command": "compare", "options": {"search": 0}, '
    '"defaults": {}, "rows": ["a row"]}',
])
def test_a_file_of_something_else_is_left_alone(text, tmp_path, capsys):
    (tmp_path / "rows.json").write_text(text)
    assert main(command(tmp_path)) == 2
    assert "which is something else" in capsys.readouterr().err
    assert (tmp_path / "rows.json").read_text() == text


@pytest.mark.parametrize(("key", "value"), [
    ("seconds", None), ("dataset", ["digits"]), ("accuracy", "high"), ("settings", 3)])
def test_a_row_that_was_spoiled_is_told(key, value, tmp_path, capsys, quick):
    main(command(tmp_path, models="dense", seeds=1))
    whole = content(tmp_path)
    whole["rows"][0][key] = value
    (tmp_path / "rows.json").write_text(json.dumps(whole))
    assert main(command(tmp_path, models="dense", seeds=1)) == 2
    assert "which is something else" in capsys.readouterr().err


@pytest.mark.parametrize(("setting", "why"), [
    ("gate.rank=0", "digits midl: rank: got 0"), ("gate.topk=nope", "digits midl: "),
    ("wiring.every=9999", "digits rigl: wiring: got a rewiring every 9999 steps"),
    ("experts.number=7", "digits switch: experts.number: got 7")])
def test_what_a_later_model_refuses_is_told_before_the_first_one_trains(
    setting, why, tmp_path, capsys
):
    models = "dense,midl,rigl,switch"
    assert main(command(tmp_path, "--set", setting, models=models)) == 2
    assert f"minimidl compare: {why}" in capsys.readouterr().err
    assert not (tmp_path / "rows.json").exists()


def test_another_machine_or_other_defaults_are_told(tmp_path, capsys, quick):
    main(command(tmp_path, models="dense", seeds=1))
    whole = content(tmp_path)
    for key, word in (("machine", "another machine"), ("defaults", "other common defaults"),
                      ("minimidl", "another version")):
        (tmp_path / "rows.json").write_text(json.dumps(whole | {key: {}}))
        assert main(command(tmp_path, models="dense", seeds=1)) == 2
        assert word in capsys.readouterr().err


def test_a_search_is_resumed_and_recorded(tmp_path, capsys, quick):
    assert main(command(tmp_path, "--search", "3", seeds=1, epochs=2)) == 0
    runs, _ = rows_of(tmp_path)
    assert any(row["searched"] for row in runs)  # with three draws each the recipe lost somewhere
    for row in runs:
        used = content(tmp_path)["defaults"] | row["settings"]
        assert row["searched"].items() <= used.items()
    capsys.readouterr()
    assert main(command(tmp_path, "--search", "3", seeds=1, epochs=2)) == 0
    assert "2 of 2 runs are in" in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_comparison_goes_on(tmp_path, capsys):
    models = {"models": "dense,dropout", "seeds": 3, "epochs": 40}
    environment = os.environ | {"PYTHONPATH": str(Path(minimidl.__file__).parents[1])}
    child = subprocess.Popen([sys.executable, "-m", "minimidl", *command(tmp_path, **models)],
                             env=environment, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (tmp_path / "rows.json").exists() and time.monotonic() < end:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)  # in the middle of the second run, or a little later
    assert child.wait() == -signal.SIGKILL
    before, means = rows_of(tmp_path)  # whole, summary included
    assert 1 <= len(before) < 6
    assert sum(row["seeds"] for row in means) == len(before)
    assert main(command(tmp_path, **models)) == 0
    assert f"{len(before)} of 6 runs are in" in capsys.readouterr().out
    after, means = rows_of(tmp_path)
    assert after[:len(before)] == before  # to the last bit, times included
    assert [row["seeds"] for row in means] == [3, 3]


def test_a_run_that_fails_leaves_the_others(tmp_path, capsys, monkeypatch, quick):
    from minimidl.experiment import compare
    train, count = compare.train, []

    def stop_at_the_third(*given, **options):
        count.append(given)
        if len(count) == 3:
            raise KeyboardInterrupt
        return train(*given, **options)

    monkeypatch.setattr(compare, "train", stop_at_the_third)
    assert main(command(tmp_path)) == 130
    assert len(rows_of(tmp_path)[0]) == 2


def test_a_run_that_diverges_is_named(tmp_path, capsys, quick):
    assert main(command(tmp_path, "--set", "learning_rate=1e12", "--set", "optimizer=sgd")) == 2
    assert "minimidl compare: digits dense seed 0: learning_rate: got" in capsys.readouterr().err


def test_without_scipy_several_seeds_are_refused_at_once(tmp_path, capsys, monkeypatch, quick):
    from minimidl.experiment.statistics import t_quantile
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    t_quantile.cache_clear()
    assert main(command(tmp_path)) == 2
    assert "minimidl[stats]" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main(command(tmp_path, "--quiet", models="dense", seeds=1)) == 0
    assert rows_of(tmp_path)[1][0]["accuracy_ci95"] is None


@pytest.mark.parametrize(("more", "message"), [
    (["--set", "budget.kind=hinge"], "--set: got budget.kind for dense, midl"),
    (["--set", "nope=1"], "--set: got nope"),
    (["--seeds", "0"], "--seeds: got 0"),
    (["--data", "nope"], "data: got 'nope'"),
    (["--models", "dense,nope"], "model: got 'nope'"),
    (["--data", "mnist"], "mnist"),  # not prepared in the tests' own folder
])
def test_bad_input_is_one_line_and_leaves_nothing(more, message, tmp_path, capsys):
    assert main([*command(tmp_path), *more]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def took(training, judging=0.0):
    return {"seconds": training + judging, "seconds_judging": judging}


def test_the_time_of_a_run_is_learned_by_model_and_data_set():
    estimate = Estimate()
    midl, dense = Run("digits", "midl", 1), Run("digits", "dense", 1)
    assert estimate.of(midl) is None
    estimate.learn(Run("digits", "dense", 0), took(2.0, 1.0))
    assert estimate.of(midl) == 3.0  # what others took there
    assert estimate.of(Run("mnist", "midl", 0)) is None  # another set says nothing of this one
    estimate.learn(Run("digits", "midl", 0), took(4.0, 1.0))
    assert (estimate.of(midl), estimate.of(dense)) == (5.0, 3.0)
    estimate.learn(Run("digits", "dropout", 0), took(2.0, 90.0))  # it compiled kernels
    assert estimate.of(Run("digits", "dropout", 1)) == 3.0


def test_the_time_left_takes_off_what_has_passed():
    now = [0.0]
    estimate = Estimate()
    runs = [Run("digits", "dense", seed) for seed in (1, 2)]
    watch = Watch(runs, 1, estimate, quiet=True, clock=lambda: now[0])
    assert watch.time_left() == "time left not known yet"
    estimate.learn(Run("digits", "dense", 0), took(100.0))
    watch.begin(runs[0])
    now[0] = 60.0
    assert watch.time_left() == "about 2 min left"
    now[0] = 500.0
    assert watch.time_left() == "about 2 min left"  # the next one still takes its 100 s
    watch.end(runs[0], took(100.0))
    watch.end(runs[1], took(100.0))
    assert watch.time_left() == "all done"


def test_a_data_set_that_nothing_ran_on_makes_the_time_left_a_lower_bound():
    estimate = Estimate()
    estimate.learn(Run("digits", "dense", 0), took(30.0))
    watch = Watch([Run("mnist", "dense", 0), Run("digits", "midl", 0)], 1, estimate, quiet=True)
    assert watch.time_left() == "more than 30 s left"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_there_is_a_bar_and_no_lines(tmp_path, capsys, monkeypatch, quick):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert main(command(tmp_path, models="dense", seeds=2)) == 0
    shown = screen.getvalue()
    for words_shown in ("digits dense seed 0", "digits dense seed 1", "1/2 runs", "about 0 s left",
                        "2/2 runs"):
        assert words_shown in shown
    assert "1 of 2:" not in capsys.readouterr().out


def test_seconds_in_words():
    assert [words(s) for s in (5.4, 89, 720, 7500)] == ["5 s", "89 s", "12 min", "2 h 5 min"]


def test_a_model_on_no_front_is_told_why_in_the_page():
    row = dict.fromkeys(SUMMARY_KEYS, 0.5) | {
        "model": "switch", "dataset": "digits", "seeds": 1, "seed": None, "time_ratio": 2.0,
        "time_ratio_b256": 2.0, "pareto_macs": False, "pareto_time": True,
        "pareto_time_b256": False, "why_not": "midl is 2.00 points better"}
    page = as_markdown([row])
    assert "* switch: midl is 2.00 points better" in page
    assert page.count("| T |") == 1


def test_a_disturbed_machine_is_told_from_the_dense_librarys_own_times():
    rows = [{"dataset": "digits", "seed": seed, "dense_latency_us": 10.0 + seed,
             "dense_latency_us_b256": 2.0} for seed in range(4)]
    assert disturbed(rows, "digits") == []
    warning, = disturbed([*rows, rows[0] | {"seed": 9, "dense_latency_us": 30.0}], "digits")
    assert warning.startswith("disturbed: beside 1 of 5 runs the dense library itself took")
    assert disturbed([row | {"dense_latency_us": None} for row in rows], "digits") == []
