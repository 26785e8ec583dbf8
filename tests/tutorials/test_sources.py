"""Every tutorial: notebooks current, outputs empty, stubs fail and solutions pass, cell by cell."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from minimidl.course.checks import CheckFailed
from minimidl.course.exercises import pair_up, solved, unsolved
from minimidl.course.generate import out_of_date
from minimidl.course.notebook import read_notebook, text_of
from minimidl.course.percent import read_source

FOLDER = Path(__file__).resolve().parents[2] / "tutorials"
SOURCES = sorted((FOLDER / "source").glob("*.py"))
each_source = pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])


def test_notebooks_are_what_the_sources_give() -> None:
    assert SOURCES
    stale = out_of_date(FOLDER)
    assert stale == [], "run: python -m minimidl.course.generate"


@each_source
def test_notebooks_hold_no_outputs(path: Path) -> None:
    for place in ("student", "solutions"):
        for cell in read_notebook(FOLDER / place / f"{path.stem}.ipynb")["cells"]:
            assert cell.get("outputs", []) == []
            assert cell.get("execution_count") is None


@each_source
def test_the_student_version_holds_no_solution(path: Path) -> None:
    student = read_notebook(FOLDER / "student" / f"{path.stem}.ipynb")
    texts = [text_of(cell) for cell in student["cells"]]
    for cell in read_source(path.read_text(encoding="utf-8")).cells:
        if "exercise" in cell.labels:
            assert unsolved(cell) in texts
            assert solved(cell) not in texts


@each_source
def test_anatomy(path: Path) -> None:
    cells = read_source(path.read_text(encoding="utf-8")).cells
    prose = "\n".join(cell.text for cell in cells if cell.prose)
    code = "\n".join(cell.text for cell in cells if not cell.prose)
    assert pair_up(cells), "an exercise at least"
    for part in ("Predict", "In the literature", "What can go wrong", "Ask", "*Figure 1."):
        assert part in prose, part
    assert "slider(" in code
    assert "plt.show" not in code
    assert not [line for line in code.splitlines() if line.startswith(("%", "!", "# %"))]


@pytest.mark.slow
@pytest.mark.tutorials
@each_source
def test_every_stub_fails_at_its_check_and_every_solution_passes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mpl.use("Agg")
    cells = [c for c in read_source(path.read_text(encoding="utf-8")).cells if not c.prose]
    if any("from numba import" in cell.text for cell in cells):
        pytest.importorskip("numba", reason="this tutorial is about Numba")
    checks = {c.labels["check"]: c.text for c in cells if "check" in c.labels}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    last = max(i for i, cell in enumerate(cells) if "check" in cell.labels)
    for cell in cells[:last + 1]:
        name = cell.labels.get("exercise")
        if name is not None:
            attempt = dict(namespace)
            # A stub may fail at once (a value) or when the check calls it (a function).
            with pytest.raises(CheckFailed) as caught:
                exec(unsolved(cell) + "\n" + checks[name], attempt)
            assert all(word in str(caught.value) for word in ("got:", "expected:", "hint:"))
            assert name in caught.value.where
        exec(solved(cell) if name is not None else cell.text, namespace)
        mpl.pyplot.close("all")
