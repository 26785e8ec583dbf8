"""Who may import whom. The table is the architecture; a line in the wrong room fails here."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

import minimidl

PACKAGE = Path(minimidl.__file__).parent

# Slow to load, or not installed everywhere: only inside functions, so that loading a room is cheap.
HEAVY = {
    "numba", "llvmlite", "matplotlib", "tqdm", "threadpoolctl", "pooch", "scipy", "sklearn", "onnx",
    "torch", "onnxruntime", "jupytext", "nbformat", "nbclient", "ipywidgets", "IPython",
    "ipykernel", "jupyterlab",
}
# A layer, a gate or a loss is a formula: it reads no file, no clock and no global random state.
PURE = {"__future__", "abc", "collections", "dataclasses", "functools", "itertools", "math",
        "typing", "enum", "warnings"}
COMMON = {"arrays", "errors", "files", "seeds"}
ALL = {"*"}
NONE: set[str] = set()


@dataclass(frozen=True)
class Rule:
    """What one room may import.

    ``rooms``: other rooms of minimidl; ``lazy_rooms``: modules of them, inside functions only;
    ``outside``: third-party packages; ``standard``: modules of the standard library.
    """

    rooms: set[str]
    lazy_rooms: set[str]
    outside: set[str]
    standard: set[str]


PROTOCOL = {"layers", "gates", "losses"}
LEARNING_MAY = PROTOCOL | {"data", "measure", "execution"}
EXPERIMENT_MAY = LEARNING_MAY | {"learning", "bench"}
# Execution may see gates too: a layer's decision is a record of that room.
SEEN_BY_PICTURES = {"layers", "gates", "data", "measure", "experiment"}  # what is drawn; no maths

TABLE = {
    # room            rooms               lazily             third party                 standard
    "arrays":    Rule(NONE,               NONE,              {"numpy"},                  PURE),
    "errors":    Rule(NONE,               NONE,              {"numpy"},                  PURE),
    "seeds":     Rule(NONE,               NONE,              {"numpy"},                  PURE),
    "files":     Rule(NONE,               NONE,              NONE,                       ALL),
    "gates":     Rule(NONE,               {"kernels.choose"}, {"numpy"},                 PURE),
    "layers":    Rule({"gates"},          NONE,              {"numpy"},                  PURE),
    "losses":    Rule(NONE,               NONE,              {"numpy"},                  PURE),
    "learning":  Rule(LEARNING_MAY,       {"kernels.choose"}, {"numpy", "tqdm", "threadpoolctl"},
                      ALL),
    "experiment": Rule(EXPERIMENT_MAY,    NONE,
                       {"numpy", "tqdm", "threadpoolctl", "scipy"}, ALL),
    "studies":   Rule(EXPERIMENT_MAY | {"experiment"}, NONE, {"numpy"},                  ALL),
    "kernels":   Rule(NONE,               NONE,              {"numpy", "numba", "llvmlite"}, ALL),
    "execution": Rule({"layers", "kernels", "gates"}, NONE,  {"numpy"},                  ALL),
    "proof":     Rule(NONE,               NONE,              {"numpy"},                  ALL),
    "measure":   Rule(PROTOCOL,           NONE,              {"numpy"},                  ALL),
    "bench":     Rule(ALL,                ALL,               ALL,                        ALL),
    "pictures":  Rule(SEEN_BY_PICTURES,   NONE,              {"numpy", "matplotlib"},    ALL),
    "data":      Rule(NONE,               NONE,              {"numpy", "pooch"},         ALL),
    "course":    Rule({"proof"},          NONE,
                      {"numpy", "jupytext", "nbformat", "nbclient", "ipywidgets", "IPython"}, ALL),
    "cli":       Rule(ALL,                ALL,               ALL,                        ALL),
    "__init__":  Rule(PROTOCOL,           NONE,              NONE,  PURE | {"importlib", "types"}),
    "__main__":  Rule({"cli"},            NONE,              NONE,                       ALL),
}
# Single files with a wider door than their room.
EXCEPTIONS = {
    "proof.catalogue": Rule(ALL, ALL, {"numpy"}, ALL),
    # It writes a page of the course: what it shows of the estimators is measured by the proof room.
    "pictures.gates_page": Rule(SEEN_BY_PICTURES | {"proof"}, NONE, {"numpy", "matplotlib"}, ALL),
    "data.glyphs": Rule(NONE, NONE, {"numpy", "matplotlib"}, ALL),
}
# Not even a room that may import everything reaches past these.
NEVER = {
    "learning": {"pictures", "cli"}, "layers": {"kernels", "execution"},
    "proof": {"cli", "pictures", "bench"},
}


class Import(NamedTuple):
    """One imported module or name, dotted; lazy when inside a function or for type checkers."""

    name: str
    lazy: bool
    line: int


def is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def names_of(node: ast.AST, package: str) -> list[str]:
    """The dotted names that one statement or call imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = ".".join(package.split(".")[:len(package.split(".")) - node.level + 1])
        start = node.module or "" if not node.level else ".".join(filter(None, [base, node.module]))
        if start == "minimidl":
            return [f"minimidl.{alias.name}" for alias in node.names]
        return [start]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "import_module", "__import__"):
        return [a.value for a in node.args if isinstance(a, ast.Constant)
                and isinstance(a.value, str)]
    return []


def imports_of(tree: ast.AST, package: str, lazy: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        inner = lazy or is_for_type_checkers(node) or isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for name in names_of(node, package):
            yield Import(name, lazy, node.lineno)
        yield from imports_of(node, package, inner)


def allowed(name: str, permitted: set[str]) -> bool:
    """Whether ``kernels.choose.x`` is in ``permitted``, itself or by the start of its path."""
    parts = name.split(".")
    return "*" in permitted or any(
        ".".join(parts[:length]) in permitted for length in range(1, len(parts) + 1))


def complaint(module: str, found: Import) -> str:
    """Why ``module`` (such as ``layers.linear``) may not have this import; empty if it may."""
    room = module.split(".")[0]
    rule = EXCEPTIONS.get(module, TABLE[room])
    top, _, rest = found.name.partition(".")
    if top == "minimidl":
        return complaint_inside(room, rule, rest, found.lazy)
    if top in sys.stdlib_module_names:
        return "" if allowed(top, rule.standard) else "the room is pure"
    if top in ("numba", "llvmlite"):  # the second writes the first's machine code
        return "" if room == "kernels" else f"{top} lives in kernels/ only"
    if not allowed(top, rule.outside):
        return "not in the room's row of the table"
    return "heavy: import it inside a function" if top in HEAVY and not found.lazy else ""


def complaint_inside(room: str, rule: Rule, target: str, lazy: bool) -> str:
    if target in ("__version__", "InputError", ""):  # the root is loaded whatever is imported
        return ""
    if allowed(target, NEVER.get(room, NONE)):
        return "never, not even lazily"
    open_doors = rule.rooms | COMMON | {room} | (rule.lazy_rooms if lazy else NONE)
    return "" if allowed(target, open_doors) else "not in the room's row of the table"


def violations(module: str, source: str, package: str) -> list[str]:
    return [f"minimidl.{module} line {found.line} imports {found.name}: {why}"
            for found in imports_of(ast.parse(source), package)
            if (why := complaint(module, found))]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts if len(parts) == 1 or parts[-1] != "__init__" else parts[:-1])


def package_name(path: Path) -> str:
    return ".".join(["minimidl", *path.relative_to(PACKAGE).parent.parts])


FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_shelf" not in path.parts)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_every_file_imports_only_what_its_room_may(path: Path) -> None:
    module = module_name(path)
    assert module.split(".")[0] in TABLE, f"{module}: a new room needs a row in TABLE"
    found = violations(module, path.read_text(encoding="utf-8"), package_name(path))
    assert not found, "\n".join(found)


PLANTED = [
    ("layers.linear", "import numba", "numba lives in kernels/"),
    ("layers.linear", "def f():\n    import numba", "numba lives in kernels/"),
    ("cli.doctor", "def f():\n    import numba", "numba lives in kernels/"),
    ("execution.segment", "from llvmlite import ir", "llvmlite lives in kernels/"),
    ("layers.midl", "from minimidl.kernels import choose", "never"),
    ("layers.midl", "def f():\n    from minimidl.kernels.choose import best", "never"),
    ("layers.midl", "from minimidl import execution", "never"),
    ("layers.midl", "from ..losses import mean_usage", "not in the room's row"),
    ("layers.dropout", "import random", "pure"),
    ("layers.dropout", "from pathlib import Path", "pure"),
    ("gates.threshold", "from minimidl.layers.base import Layer", "not in the room's row"),
    ("gates.threshold", "import minimidl.kernels.choose", "not in the room's row"),  # not lazily
    ("gates.threshold", "def f():\n    import minimidl.kernels.cpu", "not in the room's row"),
    ("losses.budgets", "import scipy.special", "not in the room's row"),
    ("learning.loop", "def f():\n    from minimidl.pictures import curves", "never"),
    ("learning.loop", "from tqdm import tqdm", "heavy"),
    ("pictures.curves", "import matplotlib.pyplot as plt", "heavy"),
    ("kernels.cpu", "from minimidl.layers import Linear", "not in the room's row"),
    ("proof.engine", "from minimidl.layers import Linear", "not in the room's row"),
    ("data.digits", "def f():\n    import matplotlib", "not in the room's row"),
    ("measure.macs", "import importlib\nimportlib.import_module('torch')", "not in the room's row"),
    ("cli.train", "try:\n    import torch\nexcept ImportError:\n    torch = None", "heavy"),
]


@pytest.mark.parametrize(("module", "source", "why"), PLANTED)
def test_the_checker_catches_a_planted_violation(module: str, source: str, why: str) -> None:
    found = violations(module, source, f"minimidl.{module.split('.')[0]}")
    assert len(found) == 1
    assert why in found[0]
    assert f"minimidl.{module} line" in found[0]


WELCOME = [
    ("layers.midl", "import math\nimport numpy as np\nfrom minimidl.gates import logistic"),
    ("layers.midl", "from .base import Layer\nfrom ..errors import require"),
    ("gates.sigmoid_topk", "def f():\n    from minimidl.kernels.choose import best"),
    ("kernels.jit", "def f():\n    import numba"),
    ("kernels.tiles", "from llvmlite import ir"),
    ("learning.loop", "def f():\n    from tqdm import tqdm"),
    ("proof.catalogue", "from minimidl.layers import Linear"),
    ("pictures.curves", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                        "    from matplotlib.axes import Axes"),
    ("data.glyphs", "def f():\n    import matplotlib"),
    ("cli.train", "def f():\n    import matplotlib\n    from minimidl.pictures import curves"),
]


@pytest.mark.parametrize(("module", "source"), WELCOME)
def test_the_checker_lets_good_lines_pass(module: str, source: str) -> None:
    assert violations(module, source, f"minimidl.{module.split('.')[0]}") == []


def test_import_minimidl_loads_numpy_and_nothing_heavier() -> None:
    code = "import sys, minimidl; print('\\n'.join(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env=environment, timeout=60)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("minimidl.")}
    assert rooms == {"arrays", "errors"}


def test_rooms_load_when_they_are_named() -> None:
    assert minimidl.layers.MIDL.__module__ == "minimidl.layers.midl"
    assert minimidl.gates.topk("hard") is minimidl.gates.TOPK["hard"]
    assert "mse" in minimidl.losses.LOSSES
    with pytest.raises(AttributeError, match="no attribute 'magic'"):
        minimidl.magic  # noqa: B018
