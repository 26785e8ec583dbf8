"""``minimidl tutorials list | start N | check N | open [N]``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

from minimidl.cli.output import print_table, write_json
from minimidl.course.examine import Outcome, examine
from minimidl.course.notebook import about, read_notebook
from minimidl.course.reader import DEFAULT_FOLDER, own_path, start, state
from minimidl.course.shelf import Tutorial, tutorial, tutorials
from minimidl.errors import require

ACTIONS = ("list", "start", "check", "open")
TOLD = {
    "copied": "copied to {path}",
    "already there": "{path} is there already, as it came",
    "refreshed": "{path} was not edited: replaced by the newer version",
    "kept": "{path} holds your edits: left as it is (--out DIR makes a fresh copy elsewhere)",
}


def add_parser(subparsers: Any) -> None:
    """Add the ``tutorials`` command."""
    parser = subparsers.add_parser(
        "tutorials", help="the course: list, start, check and open tutorials",
        description="Copy a tutorial into your own folder, work on it, and check your work.",
        epilog="example: minimidl tutorials start 1 && minimidl tutorials check 1")
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("which", nargs="?", metavar="N",
                        help="number of the tutorial; for 'check' also the path of a notebook")
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, metavar="DIR",
                        help=f"your own folder (default: {DEFAULT_FOLDER})")
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS",
                        help="time allowed per cell in 'check' (default: 60)")
    parser.add_argument("--json", metavar="FILE", help="also write the rows as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do one action; 0 done or solved, 1 not solved or nothing to open with."""
    action = {"list": _list, "start": _start, "check": _check, "open": _open}[args.action]
    status, rows = action(args)
    write_json(args.json, "tutorials", rows)
    return status


def _row(each: Tutorial, now: str) -> dict[str, Any]:
    return {"number": each.number, "title": each.title, "minutes": each.minutes, "state": now}


def _list(args: argparse.Namespace) -> tuple[int, list[dict[str, Any]]]:
    rows = [_row(each, state(each, args.out)) for each in tutorials()]
    print_table(rows, ["number", "title", "minutes", "state"])
    return 0, rows


def _start(args: argparse.Namespace) -> tuple[int, list[dict[str, Any]]]:
    each = _chosen(args.which)
    path, done = start(each, args.out)
    print(TOLD[done].format(path=path))
    return 0, [_row(each, state(each, args.out)) | {"path": str(path), "done": done}]


def _check(args: argparse.Namespace) -> tuple[int, list[dict[str, Any]]]:
    each, path = _chosen_notebook(args.which, args.out)
    outcomes = examine(path, each.student, args.limit)
    _tell(outcomes)
    open_checks = sum(outcome.is_check and outcome.error is not None for outcome in outcomes)
    solved = all(outcome.error is None for outcome in outcomes)
    checks = sum(outcome.is_check for outcome in outcomes)
    print(f"{each.number:02d} {each.title}: {checks - open_checks} of {checks} checks passed"
          + ("" if solved else "; not solved yet"))
    row = _row(each, "solved" if solved else "not solved")
    return int(not solved), [row | {"path": str(path), "checks": checks,
                                    "passed": checks - open_checks}]


def _tell(outcomes: list[Outcome]) -> None:
    """One word per check; other cells only where they failed before any check did.

    What fails after an open exercise mostly fails because of it, so that is only counted.
    """
    check_failed, stopped = False, 0
    for outcome in outcomes:
        failed = outcome.error is not None
        if not outcome.is_check and check_failed:
            stopped += failed
        elif outcome.is_check or failed:
            print(f"{'FAILED' if failed else 'passed'}  {outcome.name}{outcome.error or ''}")
            check_failed = check_failed or (outcome.is_check and failed)
    if stopped:
        print(f"{stopped} other cells stopped after the first failed check")


def _open(args: argparse.Namespace) -> tuple[int, list[dict[str, Any]]]:
    target, rows = args.out, [_row(each, state(each, args.out)) for each in tutorials()]
    if args.which is not None:
        each = _chosen(args.which)
        target, done = start(each, args.out)
        print(TOLD[done].format(path=target))
        rows = [_row(each, state(each, args.out))]
    require(target.exists(), "--out", str(target), "your folder of tutorials",
            "minimidl tutorials start N makes it")
    if importlib.util.find_spec("jupyterlab") is None:
        print('JupyterLab is not installed: python -m pip install "minimidl[notebooks]"\n'
              f"or open {target} in any editor that knows notebooks")
        return 1, rows
    return subprocess.run([sys.executable, "-m", "jupyterlab", str(target)]).returncode, rows


def _chosen(which: str | None) -> Tutorial:
    known = ", ".join(str(each.number) for each in tutorials())
    require(which is not None and which.isdigit(), "N", which or "nothing",
            f"a tutorial's number: {known}")
    return tutorial(int(which or 0))


def _chosen_notebook(which: str | None, folder: Path) -> tuple[Tutorial, Path]:
    """Tutorial and notebook to check: by number in ``folder``, or by the notebook's own path."""
    if which is None or which.isdigit():
        each = _chosen(which)
        return each, own_path(each, folder)
    says = about(read_notebook(Path(which)))
    require("number" in says, "notebook", which, "a tutorial of this course",
            "its metadata say which tutorial it is")
    return tutorial(int(says["number"])), Path(which)
