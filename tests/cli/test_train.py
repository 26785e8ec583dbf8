"""``minimidl train``: rows, checkpoints, resume."""

import json

from minimidl.cli import main

QUICK = ["train", "--data", "digits", "--epochs", "2", "--quiet"]


def rows(path):
    return json.loads(path.read_text())["rows"]


def test_rows_by_seed_with_times_and_figures(tmp_path, capsys):
    out = tmp_path / "train.json"
    status = main([*QUICK, "--model", "midl", "--seeds", "2", "--json", str(out),
                   "--out", str(tmp_path / "figures")])
    assert status == 0
    assert "mean of 2 seeds: accuracy" in capsys.readouterr().out
    assert [row["seed"] for row in rows(out)] == [0, 1]
    assert all(row["latency_us"] > 0 and row["dense_latency_us"] > 0 for row in rows(out))
    assert len(list((tmp_path / "figures").glob("*.png"))) == 2


def test_a_controller_is_drawn_beside_the_curves(tmp_path, monkeypatch):
    monkeypatch.setattr("minimidl.experiment.judging.clock", lambda *whatever: {})
    assert main([*QUICK, "--model", "dynamicgate", "--set", "budget.kind=dual",
                 "--set", "budget.target=0.5", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dynamicgate-digits-seed0-budget.png", "dynamicgate-digits-seed0.png"]


def test_a_controller_without_a_target_is_told(capsys):
    assert main([*QUICK, "--model", "dynamicgate", "--set", "budget.kind=dual"]) == 2
    assert "--set budget.target=0.5" in capsys.readouterr().err


def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    whole, stopped = tmp_path / "whole.json", tmp_path / "stopped.json"
    main([*QUICK, "--json", str(whole)])
    checkpoint = tmp_path / "run.npz"
    from minimidl.learning.run import Run
    end_epoch = Run.end_epoch

    def interrupt(self, row):
        end_epoch(self, row)
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "end_epoch", interrupt)
    assert main([*QUICK, "--checkpoint", str(checkpoint)]) == 130
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir() if "run" in path.name] == ["run.npz"]
    assert main([*QUICK, "--checkpoint", str(checkpoint), "--resume", "--json",
                 str(stopped)]) == 0
    first, second = rows(whole)[0], rows(stopped)[0]
    for key in ("accuracy", "macs", "active_ratio", "epochs"):
        assert first[key] == second[key]


def test_of_several_seeds_those_without_a_checkpoint_begin(tmp_path):
    two = [*QUICK, "--checkpoint", str(tmp_path / "run.npz"), "--seeds", "2", "--resume"]
    assert main(two) == 2  # nothing to go on from at all
    main([*two[:-1]])
    (tmp_path / "run.seed1.npz").unlink()
    assert main(two) == 0
    assert (tmp_path / "run.seed1.npz").exists()


def test_a_checkpoint_of_another_experiment_is_refused(tmp_path, capsys):
    checkpoint = tmp_path / "run.npz"
    main([*QUICK, "--checkpoint", str(checkpoint)])
    status = main([*QUICK, "--checkpoint", str(checkpoint), "--resume", "--set", "gate.rank=2"])
    assert status == 2
    assert "--resume: got gate.rank unlike those in" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_one_line(tmp_path, capsys):
    broken = tmp_path / "run.npz"
    broken.write_bytes(b"not a checkpoint")
    assert main([*QUICK, "--checkpoint", str(broken), "--resume"]) == 2
    assert "run.npz" in capsys.readouterr().err


def test_several_operators_in_one_run(tmp_path, capsys):
    out = tmp_path / "train.json"
    assert main([*QUICK, "--topk", "lapsum,sparsemax", "--json", str(out)]) == 0
    assert [row["topk"] for row in rows(out)] == ["lapsum", "sparsemax"]
    assert rows(out)[0]["active_ratio"] == 115 / 256
    assert "topk" in capsys.readouterr().out


def test_operators_are_for_models_that_choose(capsys):
    assert main([*QUICK, "--model", "dense", "--topk", "hard"]) == 2
    assert "--topk: got hard for dense" in capsys.readouterr().err


def test_every_operator_is_looked_up_before_the_first_one_trains(capsys):
    assert main([*QUICK, "--model", "midl", "--topk", "hard,nope"]) == 2
    told = capsys.readouterr()
    assert "--topk: got 'nope', expected one of all, sigmoid" in told.err
    assert not told.out


def test_a_setting_that_the_model_ignores_is_refused(capsys):
    assert main([*QUICK, "--model", "midl", "--set", "budget.kind=dual"]) == 2
    assert "budget.kind for midl" in capsys.readouterr().err
