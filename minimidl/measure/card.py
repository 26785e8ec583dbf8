"""The card in an operator's docstring: what a reader wants to know before using it."""

from __future__ import annotations

import inspect
import re
from typing import Any

from minimidl.errors import require

FIELDS = ("formula", "cost", "exactly k", "exact zeros", "use when", "source")


def card(thing: object) -> dict[str, str]:
    """Read the ``Card:`` section of a docstring.

    Args:
        thing: a class, an object of one, or a function.

    Returns:
        The text of each of :data:`FIELDS`, lines joined.

    Raises:
        InputError: no card, or a field missing.

    """
    kind: Any = thing if inspect.isclass(thing) or inspect.isfunction(thing) else type(thing)
    text = inspect.cleandoc(kind.__doc__ or "")
    found = re.search(r"^Card:\n((?: {4}.*\n?)+)", text, re.MULTILINE)
    require(found is not None, kind.__name__, "a docstring without a card",
            f"a section 'Card:' with {', '.join(FIELDS)}")
    assert found is not None  # for the type checker
    fields: dict[str, str] = {}
    name = ""
    for line in found[1].splitlines():
        starts = re.match(r" {4}([a-z][a-z ]*): (.*)", line)
        if starts and starts[1] in FIELDS:
            name = starts[1]
            fields[name] = starts[2].strip()
        elif name:
            fields[name] += f" {line.strip()}"
    missing = [field for field in FIELDS if field not in fields]
    require(not missing, kind.__name__, f"a card without {', '.join(missing)}",
            f"all of {', '.join(FIELDS)}")
    return fields
