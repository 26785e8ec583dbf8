import pytest

from minimidl.course.exercises import pair_up, solved, unsolved
from minimidl.course.percent import Cell, read_source
from minimidl.errors import InputError

CELL = Cell(False, """\
def f(x):
    # a comment that stays
    # >>> solution
    y = x + 1
    return y
    # stub: y = None
    # stub: return y
    # <<< solution
""", {"exercise": "f"}, 10)


def test_solved_keeps_the_solution_alone() -> None:
    assert solved(CELL) == "def f(x):\n    # a comment that stays\n    y = x + 1\n    return y"


def test_unsolved_keeps_the_stub_alone() -> None:
    assert unsolved(CELL) == "def f(x):\n    # a comment that stays\n    y = None\n    return y"


def test_the_source_itself_is_the_solved_version() -> None:
    from_source: dict[str, object] = {}
    from_solved: dict[str, object] = {}
    exec(CELL.text, from_source)
    exec(solved(CELL), from_solved)
    assert from_source["f"](1) == from_solved["f"](1) == 2  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# <<< solution", "line 11"),
        ("# >>> solution\n# >>> solution", "line 12"),
        ("# >>> solution\nx = 1", "an open solution"),
        ("# >>> solution\nx = 1\n# <<< solution", "no stub"),
        ("# stub: x = None", "a stub only after"),
    ],
)
def test_unbalanced_marks_are_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        solved(Cell(False, text, {"exercise": "f"}, 10))


def test_exercises_come_with_their_checks(tiny_source: str) -> None:
    cells = read_source(tiny_source).cells
    assert pair_up(cells) == ["double", "half"]
    with pytest.raises(InputError, match="exercise double"):
        pair_up([cell for cell in cells if cell.labels.get("check") != "double"])
    with pytest.raises(InputError, match="a second exercise double"):
        pair_up([*cells[:4], *cells[2:4]])
    with pytest.raises(InputError, match="block together"):
        pair_up([Cell(False, CELL.text, {}, 1)])
