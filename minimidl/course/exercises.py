"""Turn one exercise cell into its two versions: solved, and left open for the reader.

Inside a cell marked ``# %% exercise="name"``::

    def relu(x):
        # >>> solution
        return np.maximum(x, 0)
        # stub: raise Unsolved("relu", "the larger of x and 0, entry by entry")
        # <<< solution

The solved version drops the marks and the ``# stub:`` lines, the open version keeps only the text
of the ``# stub:`` lines. The source itself is the solved version: it runs as a plain script.
"""

from __future__ import annotations

from collections.abc import Iterator

from minimidl.course.percent import Cell
from minimidl.errors import require

OPEN, STUB, CLOSE = "# >>> solution", "# stub: ", "# <<< solution"


def solved(cell: Cell) -> str:
    """Text of the cell with the solution in place."""
    return "\n".join(text for text, part in _parts(cell) if part in ("given", "solution"))


def unsolved(cell: Cell) -> str:
    """Text of the cell with every solution replaced by its stub."""
    kept = []
    for text, part in _parts(cell):
        if part == "stub":
            kept.append(text.replace(STUB, "", 1))
        elif part == "given":
            kept.append(text)
    return "\n".join(kept)


def _parts(cell: Cell) -> Iterator[tuple[str, str]]:
    """Every line with its part: given, mark, solution or stub; raises InputError if unbalanced."""
    inside, stubs = False, 0
    for offset, text in enumerate(cell.text.splitlines()):
        where = f"tutorial source, line {cell.line + offset + 1}"
        word = text.strip()
        if word in (OPEN, CLOSE):
            require(inside == (word == CLOSE), where, word, "marks in turn: open, then close")
            require(word == OPEN or stubs > 0, where, "no stub", f"a line '{STUB}...' before it")
            inside, stubs = word == OPEN, 0
            yield text, "mark"
        elif word.startswith(STUB):
            require(inside, where, word, f"a stub only after '{OPEN}'")
            stubs += 1
            yield text, "stub"
        else:
            yield text, "solution" if inside else "given"
    require(not inside, f"tutorial source, cell at line {cell.line}", "an open solution",
            f"a line '{CLOSE}'")


def pair_up(cells: list[Cell]) -> list[str]:
    """Names of the exercises, in order.

    Raises:
        InputError: unless every exercise holds a solution and its check is the next code cell: the
            test suite runs each stub only as far as its own check.

    """
    code = [cell for cell in cells if not cell.prose]
    names: list[str] = []
    for cell, following in zip(code, [*code[1:], Cell(False, "")], strict=True):
        where = f"tutorial source, cell at line {cell.line}"
        name = cell.labels.get("exercise")
        require((name is None) == (OPEN not in cell.text), where, f"exercise={name}",
                f"the label exercise=\"name\" and a '{OPEN}' block together")
        if name is not None:
            require(following.labels.get("check") == name, where, f"exercise {name}",
                    f"its check=\"{name}\" in the next code cell")
            require(name not in names, where, f"a second exercise {name}", "unique names")
            names.append(name)
    return names
