"""``minimidl bench``: measured times against the strongest peers installed here.

Suites: layers (one gated layer), models (a trained MNIST network end to end), training (a step and
an epoch), gates (Top-k operators), memory (a whole process), startup (imports, first prediction).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from minimidl.cli.output import Row, check_writable, print_table, seed_number, write_json
from minimidl.errors import require

FOOT = "Times are this machine's and this minute's: quote ratios."
WIDE = 1.5
"""A quiet machine stays below: its quartiles are a few per cent apart."""

EXAMPLES = """examples:
  minimidl bench --suite layers --quick
  minimidl bench --suite layers,models,training,startup --json times.json --out my-times
  minimidl bench --suite gates --n 1000 10000

everything runs on one thread in float32, in turn with its peers; times are medians. layers takes
about two minutes, models and startup one to two, training one; --quick seconds instead.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench`` to the command line."""
    parser = subparsers.add_parser(
        "bench", help="times against the strongest peers that are installed",
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="layers", metavar="NAME[,NAME...]",
                        help="one or several of layers, models, training, gates, memory, startup "
                             "(default: layers)")
    parser.add_argument("--quick", action="store_true",
                        help="fewer and smaller cases, to look around; not to be quoted")
    parser.add_argument("--n", type=int, nargs="+", metavar="N",
                        help="gates: scores per row (default: from 100 to 100000)")
    parser.add_argument("--rows", type=int,
                        help="gates: rows at n = 1000; other n keep the number of scores")
    parser.add_argument("--rounds", type=int,
                        help="alternating rounds, at least 7 (default: 7 to 15, by suite)")
    parser.add_argument("--seed", type=seed_number, default=0,
                        help="of weights, inputs and trainings")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--json", metavar="FILE", help="also write the rows of all suites here")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for figures")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, write, draw: one suite after the other."""
    from minimidl.bench.suite import find_suite
    from minimidl.bench.timing import FEWEST_ROUNDS

    names = list(dict.fromkeys(args.suite.split(",")))
    suites = {name: find_suite(name) for name in names}  # all names, before the first one runs
    require(args.rounds is None or args.rounds >= FEWEST_ROUNDS, "--rounds", args.rounds,
            f"at least {FEWEST_ROUNDS}")
    sizes = {name: chosen_sizes(name, suite, args) for name, suite in suites.items()}
    check_writable(args.json, args.out and args.out / "bench-density.png")
    rows: list[Row] = []
    for name, suite in suites.items():
        found, notes = measured(suite, sizes[name], args)
        rows += [{"suite": name} | row for row in found]
        print_suite(name, suite, found, notes)
    print(FOOT)
    write_json(args.json, "bench", rows)
    if args.out is not None:
        for path in drawn(rows, args.out):
            print(f"wrote {path}")
    return 0


def chosen_sizes(name: str, suite: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Arguments of a suite; what only the gates read is refused where they are not asked for."""
    sizes = {**suite.sizes, **(suite.quick if args.quick else {})}
    given = {key: value for key, value in (("sizes", args.n), ("rows", args.rows))
             if value is not None}
    require(not given or "gates" in args.suite.split(","), "--n and --rows",
            f"numbers for {args.suite}", "--suite gates with them")
    return sizes | (given if name == "gates" else {})


def measured(
    suite: Any, sizes: dict[str, Any], args: argparse.Namespace
) -> tuple[list[Row], list[str]]:
    """Run one suite behind a progress bar; its rows, and what it has to say."""
    from minimidl.bench.suite import Watch
    from minimidl.learning.progress import progress_bar

    notes: list[str] = []
    with progress_bar(not args.quiet, suite.steps(**sizes)) as bar:
        rows = suite.run(Watch(bar.update, notes.append), rounds=args.rounds or suite.rounds,
                         seed=args.seed, **sizes)
    return rows, notes


def print_suite(name: str, suite: Any, rows: list[Row], notes: list[str]) -> None:
    """Title, table, ceilings, notes, legend."""
    print(f"{name}\n")
    table = [row for row in rows if "seconds" in row or "peak_bytes" in row]
    if table:
        print_table(table, suite.columns)
    for row in rows:
        if "gflops" in row:
            print(f"\nthis core at most: {row['gflops']:.0f} GFLOP/s of multiply-adds")
        elif "gigabytes_per_second" in row:
            print(f"reads of {row['array_bytes'] / 2**20:g} MiB: "
                  f"{row['gigabytes_per_second']:.0f} GB/s")
    print("".join(f"\n{note}" for note in [*notes, *disturbed(table)]))
    print(suite.legend if table else "")


def disturbed(rows: list[Row]) -> list[str]:
    """A warning where the quartiles are so far apart that something else must have run, too."""
    wide = sum(row["spread_high"] > WIDE * row["spread_low"] for row in rows
               if row.get("spread_low"))
    return [f"disturbed: in {wide} rows the lucky ratio is over {WIDE} times the unlucky one; "
            "something else ran here, measure again"] if wide else []


def drawn(rows: list[Row], out: Path) -> list[Path]:
    """Draw what the suites have rows for."""
    from minimidl.bench.crossover import crossovers
    from minimidl.pictures import save_figure
    from minimidl.pictures.bench import time_against_n
    from minimidl.pictures.roofline import roofline
    from minimidl.pictures.speed import density_figure, speed_against_batch

    by = {name: [row for row in rows if row["suite"] == name] for name in
          ("layers", "models", "gates")}
    figures: dict[str, Any] = {}
    if by["layers"]:
        figures["density"] = density_figure(by["layers"], crossovers(by["layers"]))
        figures["roofline"] = roofline(by["layers"]).figure
    if by["models"]:
        figures["batch"] = speed_against_batch(by["models"]).figure
    if by["gates"]:
        figures["gates"] = time_against_n(by["gates"]).figure
    return [save_figure(figure, out / f"bench-{name}.png") for name, figure in figures.items()]
