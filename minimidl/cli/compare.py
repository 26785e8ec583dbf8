"""``minimidl compare``: models x data sets x seeds by equal rules; goes on where it stopped.

Every model trains for the same number of epochs; the validation part chooses the epoch and, with
--search, the settings among as many random draws for every model; the test part is read once per
run. The result file is whole after every run: started again, the command does what is missing. It
may then ask for more seeds, models or data sets.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minimidl.cli.output import check_writable, seed_number
from minimidl.errors import require

if TYPE_CHECKING:  # loaded when the command runs, not for --help
    from minimidl.cli.compare_file import ResultFile
    from minimidl.experiment.plan import Plan

EXAMPLES = """examples:
  minimidl compare --data digits --models dense,dropout,midl,dynamicgate --seeds 5
  minimidl compare --data digits,mnist --models dense,midl --seeds 3 --set gate.block=32
  minimidl compare --models dense,midl --search 8 --epochs 20 --out my-comparison --json rows.json

a setting goes to the models that read it; 'minimidl train --help' lists all settings. Times are
measured after each training, on one thread: leave the machine alone meanwhile.
"""
DEFAULT_MODELS = "dense,dropout,midl,dynamicgate"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``compare`` to the command line."""
    parser = subparsers.add_parser(
        "compare", help="models x data sets x seeds: intervals and Pareto fronts",
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits", metavar="NAME[,NAME...]",
                        help="names from 'minimidl data list' (default: %(default)s)")
    parser.add_argument("--models", default=DEFAULT_MODELS, metavar="NAME[,NAME...]",
                        help="names as 'minimidl train --model' knows them, or 'all' "
                             "(default: %(default)s)")
    parser.add_argument("--seed", type=seed_number, default=0, help="first seed (default 0)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds (default 5)")
    parser.add_argument("--epochs", help="short for --set epochs=...")
    parser.add_argument("--search", type=int, default=0, metavar="N",
                        help="besides the recipe try N random draws of settings per run, the same "
                             "number for every model (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a setting, for the models that read it; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("minimidl-compare"), metavar="DIR",
                        help="folder for tables and figures (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="result file, read and written (default: compare.json in --out)")
    parser.add_argument("--fresh", action="store_true", help="begin the result file anew")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what is missing, then print and write tables and figures."""
    from minimidl.cli.compare_file import ResultFile
    from minimidl.cli.compare_report import print_report, write_report
    from minimidl.experiment.statistics import t_quantile

    plan = asked(args)
    path = args.json or args.out / "compare.json"
    check_writable(path, args.out / "compare.md")
    if len(plan.seeds) > 1:
        t_quantile(len(plan.seeds) - 1)  # needs SciPy: say so now, not after the first run
    file = ResultFile(path, plan, fresh=args.fresh)
    if file.done:
        print(f"{len(file.done)} of {len(plan.runs())} runs are in {path} already, "
              f"{len(file.left())} to do", flush=True)
    begin = time.perf_counter()
    do(plan, file, args.quiet)
    print_report(file.rows())
    for made in [path, *write_report(args.out, file.rows())]:
        print(f"wrote {made}")
    print(f"done in {time.perf_counter() - begin:.0f} s")
    return 0


def asked(args: argparse.Namespace) -> Plan:
    """The plan of the command line."""
    from minimidl.experiment import parse_assignments
    from minimidl.experiment.models import MODELS
    from minimidl.experiment.plan import make_plan

    require(args.seeds >= 1, "--seeds", args.seeds, "at least 1")
    models = MODELS if args.models == "all" else names(args.models)
    chosen = parse_assignments(
        args.set + ([] if args.epochs is None else [f"epochs={args.epochs}"]))
    return make_plan(names(args.data), models, range(args.seed, args.seed + args.seeds), chosen,
                     args.search)


def names(text: str) -> Sequence[str]:
    """``"a,b" -> ["a", "b"]``."""
    return [name.strip() for name in text.split(",") if name.strip()]


def do(plan: Plan, file: ResultFile, quiet: bool) -> None:
    """Run what is left, seed by seed; the file is whole after every run."""
    from minimidl.cli.compare_progress import Estimate, Watch
    from minimidl.data import load
    from minimidl.experiment.compare import check_models, named, run_one

    left = file.left()
    data: dict[str, Any] = {name: load(name) for name in plan.datasets} if left else {}
    check_models(plan, left, data)
    estimate = Estimate()
    for run, row in file.done.items():
        estimate.learn(run, row)
    watch = Watch(left, len(file.done), estimate, quiet=quiet)
    try:
        for run in left:
            watch.begin(run)
            with named(f"{run.dataset} {run.model} seed {run.seed}"):
                row = run_one(plan, run, data[run.dataset], on_epoch=[watch.tick])
            file.add(run, row)
            watch.end(run, row)
    finally:
        watch.close()
