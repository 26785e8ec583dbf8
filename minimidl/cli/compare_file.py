"""The result file of ``compare``: whole after every run, and where the next start goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import minimidl
from minimidl.cli.output import Row, machine, plain, write_json
from minimidl.errors import InputError, require
from minimidl.experiment.plan import Plan, Run, read_of, uncommon
from minimidl.experiment.settings import known, make_settings
from minimidl.experiment.summary import summaries

OF_FILE = {"minimidl", "machine", "options", "defaults"}
OF_RUN: dict[str, Any] = {
    "model": str, "dataset": str, "seed": int, "accuracy": float, "searched": dict,
    "settings": dict, "seconds": float, "seconds_judging": float}
"""Without these, of these types, a finished run cannot stand beside new ones."""

MEND = "--fresh begins the file anew, or name another one"


class ResultFile:
    """Rows on disk.

    Args:
        path: of the JSON file. What it holds is read, unless ``fresh``.
        plan: what is asked for. More seeds, models or data sets than the file has are welcome;
            runs of other settings, or that are not asked for, are refused.
        fresh: begin anew; the old file stays until the first run is finished.

    Raises:
        InputError: a file of other options, of another machine or version, or not of ``compare``.

    Attributes:
        done: rows of the finished runs.

    """

    def __init__(self, path: Path, plan: Plan, *, fresh: bool = False) -> None:
        self.path, self.plan = path, plan
        self.done: dict[Run, Row] = {}
        if path.exists() and not fresh:
            content = read(path)
            check_same(content, plan, path)
            self.done = {run_of(row): row for row in content["rows"] if row["seed"] is not None}

    def left(self) -> list[Run]:
        """The runs to do, in the plan's order."""
        return [run for run in self.plan.runs() if run not in self.done]

    def add(self, run: Run, row: Row) -> None:
        """Keep a row, and write everything there is."""
        self.done[run] = plain(row)
        self.write()

    def rows(self) -> list[Row]:
        """Rows of runs in the plan's order, then the summary rows over them."""
        rows = [self.done[run] for run in self.plan.runs() if run in self.done]
        return rows + summaries(rows)

    def write(self) -> None:
        """Write the file whole or not at all."""
        plan = self.plan
        write_json(self.path, "compare", self.rows(), {
            "options": {"data": plan.datasets, "models": plan.models, "seeds": plan.seeds,
                        "set": dict(plan.chosen), "search": plan.search},
            "defaults": known()})


def run_of(row: Mapping[str, Any]) -> Run:
    """Which run a row is of."""
    return Run(row["dataset"], row["model"], row["seed"])


def read(path: Path) -> dict[str, Any]:
    """The content of a result file of ``compare``; InputError for anything else."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        good = is_whole(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        good, content = False, {}
    require(good, "--json", f"{path}, which is something else",
            "a new file, or one that compare wrote", MEND)
    return content


def is_whole(content: Mapping[str, Any]) -> bool:
    """Whether all is there that going on needs; raises what lookups raise in another JSON."""
    runs = [row for row in content["rows"] if row["seed"] is not None]
    return (content["command"] == "compare" and content.keys() >= OF_FILE
            and "search" in content["options"]
            and all(isinstance(row[name], kind) for row in runs for name, kind in OF_RUN.items()))


def check_same(content: Mapping[str, Any], plan: Plan, path: Path) -> None:
    """Raise InputError where the rows of a file cannot stand beside new ones."""
    for what, now, then in (
            ("another version", minimidl.__version__, content["minimidl"]),
            ("another machine", machine(), content["machine"]),
            ("other common defaults", known(), content["defaults"]),
            ("another --search", plan.search, content["options"]["search"])):
        refuse_unless(plain(now) == then, what, path)
    asked = set(plan.runs())
    for row in content["rows"]:
        if row["seed"] is None:
            continue
        run = run_of(row)
        refuse_unless(run in asked, f"a run not asked for, {run.model} on {run.dataset} with seed "
                                    f"{run.seed}", path)
        odd = other_settings(plan, run, row)
        refuse_unless(not odd, f"other settings ({', '.join(odd)}) of {run.model} on {run.dataset}",
                      path)


def other_settings(plan: Plan, run: Run, row: Mapping[str, Any]) -> list[str]:
    """Names of settings in which a finished run differs from what it would be today."""
    mine = {**read_of(run.model, plan.chosen), **row["searched"]}
    now, then = plain(uncommon(make_settings(run.dataset, mine))), row["settings"]
    return sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))


def refuse_unless(same: bool, what: str, path: Path) -> None:
    """One line: what is in the file, and how to mend it."""
    if not same:
        raise InputError(f"--json: got {path} with {what}, expected a file of the same options "
                         f"({MEND})")
