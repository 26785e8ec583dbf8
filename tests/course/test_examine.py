import json
from pathlib import Path

import pytest

from minimidl.course.cell_runner import run_cell
from minimidl.course.examine import Outcome, examine
from minimidl.course.notebook import Notebook
from minimidl.course.shelf import Tutorial, tutorial
from minimidl.errors import InputError


@pytest.fixture
def tiny(tiny_shelf: Path) -> Tutorial:
    return tutorial(3, tiny_shelf)


def changed(tiny: Tutorial, folder: Path, changes: dict[int, str | None]) -> Path:
    """The solved notebook with some cells replaced, or left out (None)."""
    notebook: Notebook = json.loads(tiny.solution.read_text())
    for place, text in changes.items():
        notebook["cells"][place]["source"] = text
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["source"] is not None]
    path = folder / "mine.ipynb"
    path.write_text(json.dumps(notebook))
    return path


def checks(outcomes: list[Outcome]) -> dict[str, str | None]:
    return {outcome.name: outcome.error for outcome in outcomes if outcome.is_check}


def test_solved_passes(tiny: Tutorial) -> None:
    outcomes = examine(tiny.solution, tiny.student)
    assert checks(outcomes) == {"double": None, "half": None}
    assert all(outcome.error is None for outcome in outcomes)


def test_unsolved_fails_every_check_with_its_message(tiny: Tutorial) -> None:
    failed = checks(examine(tiny.student, tiny.student))
    assert "expected: twice the number" in (failed["double"] or "")
    assert "expected: half the number" in (failed["half"] or "")


def test_a_wrong_answer_fails_its_own_check_only(tiny: Tutorial, tmp_path: Path) -> None:
    path = changed(tiny, tmp_path, {2: "%matplotlib inline\ndef double(x):\n    return x * x"})
    failed = checks(examine(path, tiny.student))
    assert "got:      9" in (failed["double"] or "")
    assert failed["half"] is None


def test_editing_or_deleting_a_check_proves_nothing(tiny: Tutorial, tmp_path: Path) -> None:
    wrong = "def double(x):\n    return 0"
    path = changed(tiny, tmp_path, {2: wrong, 3: "pass", 5: None})
    failed = checks(examine(path, tiny.student))
    assert "got:      0" in (failed["double"] or "")
    assert "missing" in (failed["half"] or "")


def test_an_endless_loop_meets_its_limit(tiny: Tutorial, tmp_path: Path) -> None:
    path = changed(tiny, tmp_path, {2: "while True: pass"})
    outcomes = examine(path, tiny.student, limit=0.5)
    assert "no end after 0.5 s" in (outcomes[1].error or "")
    assert "not reached" in (checks(outcomes)["half"] or "")


def test_a_killed_python_is_told(tiny: Tutorial, tmp_path: Path) -> None:
    path = changed(tiny, tmp_path, {2: "import os\nos._exit(3)"})
    assert "Python ended" in (examine(path, tiny.student)[1].error or "")


def test_other_errors_name_the_line(tiny: Tutorial, tmp_path: Path) -> None:
    path = changed(tiny, tmp_path, {1: "x = 1\nprint(x)\ny = 1 / 0\n"})
    first = examine(path, tiny.student)[0]
    assert first.name == "code cell 1"
    assert "ZeroDivisionError" in (first.error or "")
    assert "line 3" in (first.error or "")


def test_the_notebook_runs_in_its_own_folder(tiny: Tutorial, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("factor = 2.0")
    path = changed(tiny, tmp_path, {
        1: "from beside import factor\nfrom minimidl.course import Unsolved, check_close"})
    assert checks(examine(path, tiny.student)) == {"double": None, "half": None}


def test_bad_arguments(tiny: Tutorial, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="limit"):
        examine(tiny.solution, tiny.student, limit=0)
    with pytest.raises(InputError, match="notebook"):
        examine(tmp_path / "missing.ipynb", tiny.student)


def test_a_cell_shares_its_names_with_the_next() -> None:
    namespace: dict[str, object] = {}
    assert run_cell("a = 1", 0, namespace) is None
    assert run_cell("b = a + 1", 1, namespace) is None
    assert namespace["b"] == 2
    assert "SystemExit" in (run_cell("raise SystemExit(0)", 2, namespace) or "")
    assert "SyntaxError" in (run_cell("def", 3, namespace) or "")
