"""Every solution notebook runs top to bottom in a kernel, as a reader would run it."""

import json
from pathlib import Path

import pytest

import minimidl
from minimidl.course.shelf import Tutorial, tutorials

CELL_LIMIT = 120
"""Seconds per cell: one compiles kernels, on a busy machine, with an empty cache. The time limit of
the whole is pytest's."""


@pytest.mark.slow
@pytest.mark.tutorials
@pytest.mark.filterwarnings("default")  # jupyter's own warnings are not ours to mend
@pytest.mark.parametrize("tutorial", tutorials(), ids=lambda tutorial: tutorial.filename)
def test_solution_runs(
    tutorial: Tutorial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is in the extra [test]")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is in the extra [test]")
    pytest.importorskip("ipykernel", reason="ipykernel is in the extra [test]")
    if "from numba import" in tutorial.solution.read_text(encoding="utf-8"):
        pytest.importorskip("numba", reason="this tutorial is about Numba")
    # The kernel stands elsewhere, where a clone that was never installed is not found.
    monkeypatch.setenv("PYTHONPATH", str(Path(minimidl.__file__).resolve().parents[1]))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses: figures on the page
    notebook = nbformat.reads(tutorial.solution.read_text(encoding="utf-8"), as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=CELL_LIMIT, record_timing=False,
                                     resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code"
               for output in cell.outputs]
    told = [output for output in outputs if output.get("name") == "stderr"
            and not output["text"].startswith("minimidl: compiling")]  # once, on a cold cache
    assert not told, json.dumps(told)[:500]
    assert any("image/png" in output.get("data", {}) for output in outputs), "a picture at least"
