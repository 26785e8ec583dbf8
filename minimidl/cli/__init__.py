"""The command line: thin. Parse, call, print, write JSON.

Exit status 0 done, 1 ran but something failed (a proof, a verification), 2 bad input: one clear
line on stderr.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import minimidl
from minimidl.errors import InputError

COMMANDS = (
    "quickstart", "train", "compare", "measure", "check", "data", "bench", "tutorials", "doctor")
"""Each is a module of this room with ``add_parser(subparsers)``; it sets ``run(args) -> int``."""


class OneLineParser(argparse.ArgumentParser):
    """Tells bad arguments in one line, as every other bad input; the usage is in ``--help``."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole parser; command modules import what is heavy only when they run."""
    parser = OneLineParser(
        prog="minimidl",
        description="Networks that decide, for every input, which neurons to run.",
        epilog="example: minimidl quickstart")
    parser.add_argument("--version", action="version", version=f"minimidl {minimidl.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"minimidl.cli.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except InputError as error:
        print(f"minimidl {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; files that were complete before are still there", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stderr.close()
        return 0
