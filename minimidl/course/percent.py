"""Read a tutorial source: Python with ``# %%`` cell marks (the *py:percent* format of jupytext).

The little of the format that the course uses: a header of ``# key: value`` lines between two
``# ---`` lines, ``# %%`` for a code cell, ``# %% [markdown]`` for prose, and labels such as
``# %% exercise="relu"``. Anything else in a cell mark is an error, not a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from minimidl.errors import require

CELL_MARK = re.compile(r"^# %%(?P<prose> \[markdown\])?(?P<labels>( \w+=\"[\w-]+\")*)\s*$")
LABEL = re.compile(r"(\w+)=\"([\w-]+)\"")
KINDS = ("exercise", "check")


@dataclass(frozen=True)
class Cell:
    """One cell: prose or code, its text, its labels, and the line of the source it starts on."""

    prose: bool
    text: str
    labels: dict[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Source:
    """A tutorial source: the header (``number``, ``title``, ``minutes``) and the cells."""

    number: int
    title: str
    minutes: int
    cells: list[Cell]


def read_source(text: str) -> Source:
    """Parse one tutorial source; raises InputError with the line at fault."""
    lines = text.splitlines()
    header, start = _header(lines)
    for key in ("number", "title", "minutes"):
        require(key in header, "tutorial header", f"no '{key}'", f"a line '# {key}: ...'")
    for key in ("number", "minutes"):
        require(header[key].isdigit(), f"tutorial header, {key}", header[key], "a whole number")
    return Source(int(header["number"]), header["title"], int(header["minutes"]),
                  _cells(lines, start))


def _header(lines: list[str]) -> tuple[dict[str, str], int]:
    rule = "# ---"
    closed = len(lines) > 1 and lines[0] == rule and rule in lines[1:]
    require(closed, "tutorial source", repr(lines[0] if lines else ""),
            "a header between two lines '# ---' at the top")
    end = lines.index(rule, 1)
    pairs = (line.removeprefix("# ").partition(":") for line in lines[1:end])
    return {key.strip(): value.strip() for key, _, value in pairs}, end + 1


def _cells(lines: list[str], start: int) -> list[Cell]:
    marks = [i for i in range(start, len(lines)) if lines[i].startswith("# %%")]
    stray = next((i for i in range(start, marks[0] if marks else len(lines)) if lines[i]), None)
    require(stray is None, f"tutorial source, line {(stray or 0) + 1}",
            "text before the first cell", "a cell mark '# %%'")
    ends = [*marks[1:], len(lines)]
    return [_cell(lines, begin, end) for begin, end in zip(marks, ends, strict=True)]


def _cell(lines: list[str], begin: int, end: int) -> Cell:
    mark = CELL_MARK.match(lines[begin])
    require(mark is not None, f"tutorial source, line {begin + 1}", repr(lines[begin]),
            "'# %%', '# %% [markdown]' or '# %% exercise=\"name\"'")
    assert mark is not None  # for the type checker; require has raised otherwise
    labels = dict(LABEL.findall(mark["labels"]))
    unknown = [key for key in labels if key not in KINDS]
    require(not unknown, f"tutorial source, line {begin + 1}", unknown, f"labels of {KINDS}")
    body = "\n".join(lines[begin + 1:end]).strip("\n")
    prose = mark["prose"] is not None
    return Cell(prose, _prose(body, begin + 1) if prose else body, labels, begin + 1)


def _prose(body: str, line: int) -> str:
    kept = []
    for offset, text in enumerate(body.splitlines()):
        require(text == "#" or text.startswith("# "), f"tutorial source, line {line + offset + 1}",
                repr(text), "prose that starts with '# '")
        kept.append(text[2:])
    return "\n".join(kept)
