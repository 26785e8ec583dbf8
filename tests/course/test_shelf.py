from pathlib import Path

import pytest

from minimidl.course.shelf import shelf, tutorial, tutorials
from minimidl.errors import InputError


def test_the_clone_has_a_shelf() -> None:
    assert (shelf() / "student").is_dir()
    numbers = [each.number for each in tutorials()]
    assert numbers == sorted(set(numbers))
    for each in tutorials():
        assert each.solution.is_file()
        assert each.filename.startswith(f"{each.number:02d}_")
        assert each.minutes > 0


def test_a_missing_number_names_those_that_exist(tiny_shelf: Path) -> None:
    assert tutorial(3, tiny_shelf).title == "A tiny tutorial"
    with pytest.raises(InputError, match="tutorial: got 9, expected one of 3"):
        tutorial(9, tiny_shelf)
