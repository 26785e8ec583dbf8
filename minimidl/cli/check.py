"""``minimidl check``: prove every backward pass, and that the proofs would notice a mistake."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from minimidl.cli.output import check_writable, print_table, seed_number, write_json

EPILOG = """examples:
  minimidl check
  minimidl check --only midl --seed 3
  minimidl check --json proofs.json

Every row is one proof: central differences in float64 on every entry of every input and parameter
(kind finite-difference), along one random direction (projection), or of the smooth stand-in of a
hard gate (linearised). What draws is compared with a closed form, or with the sum over everything
that can be drawn (closed-form, enumeration). Mutants are mistakes made on purpose; each must be
caught.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``check`` to the command line."""
    parser = subparsers.add_parser(
        "check", help="prove every backward pass against finite differences", description=__doc__,
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="also write the rows here")
    parser.add_argument("--seed", type=seed_number, default=0,
                        help="of all test points (default: 0)")
    parser.add_argument("--only", metavar="SUBSTRING", action="append",
                        help="only proofs whose name holds this text; may be repeated")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prove, print, write; 1 when a proof failed or, without ``--only``, something has no proof."""
    from minimidl.proof import report

    check_writable(args.json)
    reports = report.reports(args.only, args.seed, bar)
    rows = [found.row() for found in reports]
    print_table(rows, report.COLUMNS)
    gaps = [] if args.only else report.missing()
    complaints = gaps + [str(found) for found in reports if not found.passed]
    print("\n".join(["", *complaints, report.summary(rows)]))
    write_json(args.json, "check", rows)
    return 1 if complaints else 0


def bar(proofs: Sequence[Any]) -> Iterable[Any]:
    """Proofs behind a progress bar on stderr, drawn only where someone can see it."""
    from tqdm import tqdm

    shown: Iterable[Any] = tqdm(proofs, desc="proving", unit="proof", leave=False,
                                disable=not sys.stderr.isatty())
    return shown
