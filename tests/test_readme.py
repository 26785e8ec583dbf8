"""The README keeps its promises: its example runs, its commands are those that CI runs."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_ci_runs_the_readmes_test_command():
    command = 'python -m pip install ".[test]" && python -m pytest\n'
    assert command in blocks("")
    install, run = command.strip().split(" && ")
    assert install.replace("install ", "install -q ") in CI
    assert f"\n{run}\n" in CI


def test_every_command_of_the_table_exists():
    from minimidl.cli import COMMANDS

    assert set(re.findall(r"^\| `minimidl (\w+)", README, re.MULTILINE)) == set(
        COMMANDS)


def test_every_room_of_the_map_exists_and_none_is_missing():
    told = set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE))
    rooms = {path.parent.name for path in (ROOT / "minimidl").glob("*/__init__.py")}
    assert told == rooms


def test_pictures_and_links_to_files_exist():
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert targets
    headings = {f"#{title.lower().replace(' ', '-')}"
                for title in re.findall(r"^#+ (.+)$", README, re.MULTILINE)}
    assert [target for target in targets
            if target not in headings and not (ROOT / target).exists()] == []


@pytest.mark.slow
def test_the_example_runs_and_prints_what_it_should(capsys):
    example, = blocks("python")
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    accuracy, difference = map(float, capsys.readouterr().out.split("\n")[0].split())
    assert accuracy > 0.95
    assert difference < 1e-4
    assert np.isclose(names["model"].layers[0].k / 256, 115 / 256)
