"""``minimidl measure``: what gated networks know, what they withstand, how they adapt.

information  who knows the label: the open or the closed neurons; who is open for whom; stability
robustness   noise and blur on the inputs, false labels and few samples in training
plasticity   a drifting stream, and what is won back by moving gates, rarely open neurons, or both

All on the test part, with 95 % intervals over seeds. Nothing is chosen by these numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from minimidl.cli.output import Row, check_writable, seed_number, write_json
from minimidl.errors import require

if TYPE_CHECKING:  # loaded when the command runs, not for --help
    from minimidl.data import Dataset
    from minimidl.experiment.plan import Plan

EPILOG = """examples:
  minimidl measure information --data digits --seeds 5
  minimidl measure robustness --models dense,midl --seeds 5 --json robustness.json
  minimidl measure plasticity --data mnist --models midl,dynamicgate --out figures

the JSON file has "options" (what was asked for) and "rows": one per seed, then summaries with
"seed": null, "seeds": how many, and for every NAME that was measured (mere counts are not averaged)
NAME_mean and NAME_ci95 (half-width of the 95 % interval over seeds). All rows have model dataset
seed, and

information  accuracy macro_f1 calibration_error active_ratio; for SOURCE in input hidden open
             closed lent: smi_SOURCE smi_SOURCE_error (standard error over directions)
             smi_SOURCE_null (shuffled labels) smi_SOURCE_p; open_over_closed; layer usage_entropy
             usage_variation gate_label_information gate_label_p hardness_correlation hardness_p
             selectivity specific_share flipped_share (null for models without gates)
robustness   kind (noise blur labels samples) level accuracy macro_f1 active_ratio drop
             train_samples; summaries also difference_mean difference_ci95 (to dense, paired by
             seed)
plasticity   mode (neither gates closed both all) accuracy accuracy_before clean_before clean_after
             clean_lost active_ratio active_before recovery movable reached moved closed_neurons
             learns note curve (a list of step phase accuracy active_ratio); summaries also
             difference_mean difference_ci95 (to neither, paired by seed)
"""
DEFAULT_MODELS = "dense,dropout,midl,dynamicgate"
QUICK = {"epochs": 8}
"""Settings of --quick: enough to see that it runs, not enough to believe the numbers."""


class Measure(NamedTuple):
    """One of the measures: how its rows are made, printed and drawn."""

    rows: Callable[[Plan, Dataset, argparse.Namespace, Any], list[Row]]
    show: Callable[[Sequence[Row]], None]
    draw: Callable[[Sequence[Row]], Any]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``measure`` to the command line."""
    parser = subparsers.add_parser(
        "measure", help="information, robustness and plasticity of trained networks",
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("information", "robustness", "plasticity"),
                        help="what to measure")
    parser.add_argument("--models", default=DEFAULT_MODELS, metavar="NAME[,NAME...]",
                        help="names as 'minimidl train --model' knows them (default: %(default)s)")
    parser.add_argument("--data", default="digits", help="a name from 'minimidl data list'")
    parser.add_argument("--seed", type=seed_number, default=0, help="first seed (default 0)")
    parser.add_argument("--seeds", type=int, help="how many seeds (default 3; 1 with --quick)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a setting, for the models that read it; may be repeated")
    parser.add_argument("--json", metavar="FILE", help="write the rows here")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the figure here")
    parser.add_argument("--quick", action="store_true",
                        help="a look in seconds: short trainings, coarse measures")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, measure, print, draw, write."""
    from minimidl.data import load
    from minimidl.experiment.compare import check_models
    from minimidl.learning import blas_threads
    from minimidl.learning.progress import progress_bar

    picture = args.out and args.out / f"{args.what}-{args.data}.png"
    plan, measure = asked(args), measures()[args.what]
    check_writable(args.json, picture)
    data, begin = load(args.data), time.perf_counter()
    check_models(plan, plan.runs(), {args.data: data})
    print(f"{args.what} of {', '.join(plan.models)} on {data.name} "
          f"({len(data.x_train):,} training, {len(data.x_test):,} test samples), "
          f"{len(plan.seeds)} seed{'s' * (len(plan.seeds) > 1)}", flush=True)
    with blas_threads(1), progress_bar(not args.quiet, len(plan.runs())) as bar:
        rows = measure.rows(plan, data, args, bar)
    measure.show(rows)
    write_json(args.json, "measure", rows, {"options": {
        "what": args.what, "data": args.data, "models": plan.models, "seeds": plan.seeds,
        "set": dict(plan.chosen), "quick": args.quick}})
    if picture is not None:
        from minimidl.pictures import save_figure

        print(f"wrote {save_figure(measure.draw(summaries(rows)), picture)}")
    print(f"done in {time.perf_counter() - begin:.0f} s")
    return 0


def asked(args: argparse.Namespace) -> Plan:
    """What the command line asks for, checked before anything trains."""
    from minimidl.cli.compare import names
    from minimidl.experiment import parse_assignments
    from minimidl.experiment.plan import make_plan
    from minimidl.experiment.statistics import t_quantile

    n_seeds = args.seeds if args.seeds is not None else 1 if args.quick else 3
    require(n_seeds >= 1, "--seeds", n_seeds, "at least 1")
    chosen = (QUICK if args.quick else {}) | parse_assignments(args.set)
    plan = make_plan([args.data], names(args.models), range(args.seed, args.seed + n_seeds), chosen)
    if n_seeds > 1:
        t_quantile(n_seeds - 1)  # needs SciPy: say so now, not after the first training
    return plan


def summaries(rows: Sequence[Row]) -> list[Row]:
    """The rows that are about all seeds together."""
    return [row for row in rows if row["seed"] is None]


def measures() -> dict[str, Measure]:
    """The measures by name; loaded when the command runs."""
    from minimidl.cli import measure_report as report
    from minimidl.pictures import drift_figure, knowledge_figure, robustness_figure
    from minimidl.studies import information, plasticity, robustness

    def settings(plan: Plan) -> dict[str, Any]:
        return {name: plan.settings(plan.datasets[0], name) for name in plan.models}

    def told(module: Any) -> Callable[[Plan, Dataset, argparse.Namespace, Any], list[Row]]:
        return lambda plan, data, args, bar: module.measure(
            plan.models, data, settings(plan), plan.seeds, quick=args.quick, bar=bar)

    return {
        "information": Measure(told(information), report.show_information, knowledge_figure),
        "robustness": Measure(told(robustness), report.show_robustness, robustness_figure),
        "plasticity": Measure(told(plasticity), report.show_plasticity, drift_figure),
    }
