import pytest

from minimidl.course.percent import read_source
from minimidl.errors import InputError


def test_header_and_cells(tiny_source: str) -> None:
    source = read_source(tiny_source)
    assert (source.number, source.title, source.minutes) == (3, "A tiny tutorial", 5)
    assert [cell.prose for cell in source.cells] == [True, *[False] * 5]
    assert source.cells[0].text == "# Tiny\n\nDouble a number: $y = 2x$."
    assert source.cells[2].labels == {"exercise": "double"}
    assert source.cells[2].text.startswith("def double(x):")


def test_a_cell_knows_its_line(tiny_source: str) -> None:
    for cell in read_source(tiny_source).cells:
        assert tiny_source.splitlines()[cell.line - 1].startswith("# %%")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("# number: 3\n", "", "no 'number'"),
        ("# minutes: 5", "# minutes: soon", "minutes: got soon"),
        ("# ---\n# number", "# number", "header"),
        ("# %% [markdown]", "# %% [raw]", r"line 7: got '# %% \[raw\]'"),
        ('# %% check="half"', '# %% solution="half"', "labels"),
        ("# # Tiny", "#Tiny", "line 8: got '#Tiny'"),
        ("# %% [markdown]", "x = 1\n\n# %% [markdown]", "line 7: got text before"),
    ],
)
def test_a_bad_source_is_refused_with_its_line(
    tiny_source: str, old: str, new: str, told: str
) -> None:
    assert old in tiny_source
    with pytest.raises(InputError, match=told):
        read_source(tiny_source.replace(old, new, 1))
