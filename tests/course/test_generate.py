from pathlib import Path

import pytest

from minimidl.course.generate import generate, main, out_of_date


def test_generated_is_current_and_an_edit_of_the_source_is_seen(tiny_shelf: Path) -> None:
    assert out_of_date(tiny_shelf) == []
    source = tiny_shelf / "source" / "03_tiny.py"
    source.write_text(source.read_text().replace("factor = 2.0", "factor = 2"))
    assert [path.parent.name for path in out_of_date(tiny_shelf)] == ["solutions", "student"]
    assert len(generate(tiny_shelf)) == 2
    assert generate(tiny_shelf) == []


def test_a_hand_edit_of_a_notebook_is_undone(tiny_shelf: Path) -> None:
    path = tiny_shelf / "student" / "03_tiny.ipynb"
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    generate(tiny_shelf)
    assert path.read_bytes() == content


def test_a_notebook_without_source_goes(tiny_shelf: Path) -> None:
    orphan = tiny_shelf / "student" / "04_gone.ipynb"
    orphan.write_text("{}")
    assert out_of_date(tiny_shelf) == [orphan]
    generate(tiny_shelf)
    assert not orphan.exists()


def test_command(tiny_shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ["--check", "--folder", str(tiny_shelf)]
    assert main(check) == 0
    (tiny_shelf / "solutions" / "03_tiny.ipynb").unlink()
    assert main(check) == 1
    assert "03_tiny.ipynb" in capsys.readouterr().out
    assert main(check[1:]) == 0
    assert main(check) == 0


def test_bad_sources_are_one_line_and_status_2(
    tiny_shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tiny_shelf / "source" / "03_tiny.py"
    source.rename(source.with_name("04_tiny.py"))
    assert main(["--folder", str(tiny_shelf)]) == 2
    assert "04_tiny.py" in capsys.readouterr().err
    assert main(["--folder", str(tiny_shelf / "nowhere")]) == 2
