"""``minimidl quickstart``: four networks on real digits, what each costs, who fires for what."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from minimidl.cli.output import (
    Row,
    cell,
    check_writable,
    print_table,
    seed_number,
    write_atomically,
    write_json,
)

if TYPE_CHECKING:  # these rooms are loaded when the command runs, not for --help
    from minimidl.data import Dataset
    from minimidl.experiment import Result

MODELS = ("dense", "dropout", "midl", "dynamicgate")
COLUMNS = ["model", "accuracy", "active_ratio", "mac_ratio", "mac_ratio_with_gate", "macs",
           "latency_us", "dense_latency_us"]
LEGEND = """
accuracy             share of 450 test digits read correctly
active_ratio         share of the gated hidden neurons that ran
mac_ratio            multiply-accumulates (MACs) per sample against the dense network
mac_ratio_with_gate  the same with the gate's own work counted
latency_us           measured microseconds for one sample, one thread; dense_latency_us is the
                     best dense implementation installed here ({peer})
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``quickstart`` to the command line."""
    parser = subparsers.add_parser(
        "quickstart", help="four networks on digits: a table, a picture, a report",
        description=__doc__, epilog="example: minimidl quickstart --out my-first-gates")
    parser.add_argument("--seed", type=seed_number, default=0,
                        help="the same seed gives the same numbers")
    parser.add_argument("--out", type=Path, default=Path("minimidl-quickstart"), metavar="DIR",
                        help="folder for the picture and the report (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the rows here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, measure, draw, report."""
    from minimidl.data import load
    from minimidl.experiment import make_settings, run_experiment

    begin = time.perf_counter()
    check_writable(args.json, args.out / "quickstart.html")
    data = load("digits")
    settings = make_settings("digits", {})
    print(f"training {len(MODELS)} networks 64-256-10 on {len(data.x_train):,} real digits ...")
    results = {name: run_experiment(name, data, settings, seed=args.seed) for name in MODELS}
    rows: list[Row] = [result.row for result in results.values()]
    print()
    print_table(rows, COLUMNS)
    print(LEGEND.format(peer=rows[0]["peer"]))
    write_json(args.json, "quickstart", rows)
    for path in write_report(args.out, results, data):
        print(f"wrote {path}")
    print(f"done in {time.perf_counter() - begin:.0f} s; next: minimidl tutorials list")
    return 0


def write_report(out: Path, results: Mapping[str, Result], data: Dataset) -> list[Path]:
    """Draw the picture, and embed it in a page that needs no other file."""
    from minimidl.measure import activity_by_class
    from minimidl.pictures import quickstart_figure, save_figure
    from minimidl.pictures.page import page

    shares = {name: next(iter(activity_by_class(results[name].model, data.x_test, data.y_test,
                                                data.n_classes).values()))
              for name in ("midl", "dynamicgate")}
    rows = [result.row for result in results.values()]
    figure = quickstart_figure({name: r.history.rows for name, r in results.items()}, shares, rows,
                               data.class_names)
    picture = save_figure(figure, out / "quickstart.png")
    report = out / "quickstart.html"
    legend = LEGEND.format(peer=rows[0]["peer"])
    write_atomically(report, page(rows, COLUMNS, legend, picture, cell))
    return [picture, report]
