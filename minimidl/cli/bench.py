"""``minimidl bench``: measured times against the strongest peers installed here."""

from __future__ import annotations

import argparse
from pathlib import Path

from minimidl.cli.output import Row, check_writable, print_table, write_json
from minimidl.errors import require

SUITES = ("gates",)
LEGEND = """
seconds      median of one batch, forward plus backward (hard: the mask alone), one thread, float32
ratio        peer_seconds / seconds; spread_low and spread_high at unlucky and lucky quartiles
sorts        seconds in NumPy sorts of the same array
Times are this machine's and this minute's: quote ratios.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench`` to the command line."""
    parser = subparsers.add_parser(
        "bench", help="times against the strongest peers that are installed",
        description=__doc__, epilog="example: minimidl bench --suite gates --out my-times")
    parser.add_argument("--suite", default="gates", help=f"one of {', '.join(SUITES)}")
    parser.add_argument("--n", type=int, nargs="+", metavar="N",
                        help="scores per row (default: from 100 to 100000)")
    parser.add_argument("--rows", type=int, default=256,
                        help="rows at n = 1000; other n keep the number of scores")
    parser.add_argument("--rounds", type=int, default=15, help="alternating rounds, at least 7")
    parser.add_argument("--seed", type=int, default=0, help="of the random scores")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--json", metavar="FILE", help="also write the rows here")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for a figure")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, draw."""
    require(args.suite in SUITES, "--suite", args.suite, f"one of {', '.join(SUITES)}")
    picture = None if args.out is None else args.out / "bench-gates.png"
    check_writable(args.json, picture)
    from minimidl.bench.gates import COLUMNS

    rows = measured(args)
    print_table(rows, COLUMNS)
    print(LEGEND, end="")
    write_json(args.json, "bench", rows)
    if picture is not None:
        from minimidl.pictures import save_figure
        from minimidl.pictures.bench import time_against_n

        print(f"wrote {save_figure(time_against_n(rows).figure, picture)}")
    return 0


def measured(args: argparse.Namespace) -> list[Row]:
    """Run the suite behind a progress bar."""
    from minimidl.bench.gates import OPERATORS, SIZES, gates_suite
    from minimidl.learning.progress import progress_bar

    sizes = args.n or SIZES
    with progress_bar(not args.quiet, len(sizes) * len(OPERATORS)) as bar:
        return gates_suite(sizes, args.rows, args.seed, args.rounds, bar.update)
