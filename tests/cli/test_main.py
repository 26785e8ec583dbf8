"""The command line as a whole: exit statuses, help, one line per error."""

import json
import subprocess
import sys

import pytest

from minimidl.cli import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"minimidl {command}" in capsys.readouterr().out.split("example", 1)[1]


def test_python_dash_m_runs_the_same():
    answer = subprocess.run([sys.executable, "-m", "minimidl", "--version"], capture_output=True,
                            text=True, check=True)
    assert answer.stdout.startswith("minimidl 0.")


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "--model", "gpt"], "model: got 'gpt'"),
    (["train", "--data", "imagenet"], "imagenet"),
    (["train", "--keep", "1.5"], "keep: got 1.5, expected a fraction in (0, 1]"),
    (["train", "--k", "0"], "keep: got 0, expected a count from 1 to 256"),
    (["train", "--k", "3", "--keep", "0.5"], "--k and --keep: got both"),
    (["train", "--set", "gate.block=7"], "block: got 7, expected a divisor of n_units=256"),
    (["train", "--set", "gate.temperature=-1"], "temperature: got -1.0"),
    (["train", "--seeds", "0"], "--seeds: got 0"),
    (["train", "--epochs", "0"], "epochs: got 0"),
    (["train", "--checkpoint", "/dev/null/run.npz"], "--checkpoint: got /dev/null/run.npz"),
    (["train", "--out", "/dev/null/figures"], "expected a place that can be written"),
    (["train", "--json", "."], "output .: got a folder"),
    (["train", "--resume"], "--resume: got no --checkpoint"),
    (["train", "--learning-rate", "fast"], "learning_rate: got 'fast'"),
    (["quickstart", "--json", "/dev/null/x.json"], "expected a place that can be written"),
])
def test_bad_input_is_one_line_and_status_2(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "--seed", "-1"], "--seed: got -1, expected a whole number, at least 0"),
    (["quickstart", "--seed", "one"], "--seed: got one"),
    (["check", "--seed", "1.5"], "--seed: got 1.5"),
    (["fly"], "invalid choice: 'fly'"),
    (["tutorials", "start", "0", "--fast"], "--fast"),
])
def test_what_the_parser_refuses_is_one_line_too(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_doctor_tells_versions_and_mends(capsys, tmp_path):
    assert main(["doctor", "--json", str(tmp_path / "doctor.json")]) == 0
    printed = capsys.readouterr().out
    for word in ("minimidl", "numpy", "data folder", "kernel cache", "cuda", "kernels"):
        assert word in printed
    row, = json.loads((tmp_path / "doctor.json").read_text())["rows"]
    assert row["numpy"]
