"""``minimidl train``: one model, one data set, all options; checkpoint and resume."""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

from minimidl.cli.output import Row, check_writable, print_table, seed_number, write_json
from minimidl.errors import require

COLUMNS = ["model", "dataset", "topk", "seed", "accuracy", "active_ratio", "mac_ratio",
           "mac_ratio_with_gate", "macs", "latency_us", "dense_latency_us", "epochs"]
EXAMPLES = """examples:
  minimidl train --model midl --data digits --seeds 5
  minimidl train --model dynamicgate --data digits --keep 0.3 --set gate.rank=8
  minimidl train --model dynamicgate --set budget.kind=dual --set budget.target=0.5
  minimidl train --model dynamicgate --data regimes --set budget.kind=dual --set budget.target=0.31
  minimidl train --model midl --set train.gradient=active-only --set optimizer.sparse=true
  minimidl train --model dynamicgate --set train.gradient=active-only --set gate.value=probability
  minimidl train --model midl --data mnist --checkpoint run.npz --json run.json
  minimidl train --model midl --data mnist --checkpoint run.npz --resume
  minimidl train --model midl --data digits --topk sigmoid,lapsum,hard     (or: --topk all)

train.gradient=active-only skips closed neurons in training, too. Its gradient is the exact
derivative of what ran: closed gates learn from budgets alone, and so do all gates with
gate.value=binary. It needs one hidden layer with gates of its own.

settings for --set NAME=VALUE, with their common defaults (some sets have their own):
"""
SHORTCUTS = {"epochs": "epochs", "batch_size": "batch_size", "learning_rate": "learning_rate",
             "width": "width", "keep": "keep", "dropout": "dropout"}
"""Options of their own, and the setting each of them stands for."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``train`` to the command line."""
    from minimidl.experiment.models import MODELS
    from minimidl.experiment.settings import choices, known

    words = {name: f"    one of {', '.join(options)}" for name, options in choices().items()}
    settings = "\n".join(
        f"  {f'{name}={value}'.ljust(38)}{words.get(name, '')}".rstrip()
        for name, value in known().items())
    parser = subparsers.add_parser(
        "train", help="train one model on one data set", description=__doc__,
        epilog=EXAMPLES + settings, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="midl", help=", ".join(MODELS))
    parser.add_argument("--data", default="digits", help="a name from 'minimidl data list'")
    parser.add_argument("--seed", type=seed_number, default=0, help="first seed (default 0)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (default 1)")
    for name in SHORTCUTS:
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"short for --set {name}=...")
    parser.add_argument("--topk", metavar="NAME[,NAME...]",
                        help="Top-k operators of midl or input-gate, one after the other, or "
                             "'all'; dselect-k, made for few blocks, only by its name")
    parser.add_argument("--k", type=int, help="number of open gates, instead of --keep")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="any setting below; may be repeated")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE",
                        help="write a checkpoint after every epoch")
    parser.add_argument("--resume", action="store_true",
                        help="go on from the checkpoint; of several runs, begin those without one")
    parser.add_argument("--json", metavar="FILE", help="write the rows here")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write training curves here")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run)


def chosen_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Settings from ``--set`` and from the shortcuts; a shortcut wins."""
    from minimidl.experiment import parse_assignments

    shortcuts = [f"{setting}={getattr(args, name)}" for name, setting in SHORTCUTS.items()
                 if getattr(args, name) is not None]
    require(args.k is None or args.keep is None, "--k and --keep", "both", "one of them")
    return parse_assignments(args.set + shortcuts + ([f"keep={args.k}"] if args.k is not None
                                                     else []))


def chosen_operators(args: argparse.Namespace, settings: dict[str, Any]) -> list[str]:
    """Names of the Top-k operators to train with, one after the other."""
    from minimidl.gates import SIMPLEX, TOPK

    if args.topk is None:
        return [settings.get("gate.topk", "hard")]
    require(args.model in ("midl", "input-gate"), "--topk", f"{args.topk} for {args.model}",
            "a model that chooses its k best", "for example --model midl")
    if args.topk == "all":
        return [*TOPK, *SIMPLEX]
    names: list[str] = args.topk.split(",")
    known = [*TOPK, *SIMPLEX, *(["dselect-k"] if args.model == "midl" else [])]
    for name in names:  # all of them before the first one trains
        require(name in known, "--topk", repr(name), f"one of all, {', '.join(known)}")
    return names


def checkpoint_of(args: argparse.Namespace, seed: int, operator: str, many: bool) -> Path | None:
    """One checkpoint file per run: ``run.npz`` for one, ``run.hard.seed3.npz`` for several."""
    path: Path | None = args.checkpoint
    if path is None or (args.seeds == 1 and not many):
        return path
    which = f"{operator}." if many else ""
    return path.with_name(f"{path.stem}.{which}seed{seed}{path.suffix}")


def run(args: argparse.Namespace) -> int:
    """Train every operator with every seed, print and write the rows."""
    from minimidl.data import load
    from minimidl.experiment import make_settings, run_experiment
    from minimidl.experiment.models import MODELS
    from minimidl.experiment.settings import check_read

    require(args.model in MODELS, "model", repr(args.model), f"one of {', '.join(MODELS)}")
    require(args.seeds >= 1, "--seeds", args.seeds, "at least 1")
    require(not args.resume or args.checkpoint is not None, "--resume", "no --checkpoint",
            "--checkpoint FILE, the file to go on from")
    require(args.checkpoint is None or args.checkpoint.parent.is_dir(), "--checkpoint",
            args.checkpoint, "a file in a folder that exists")
    chosen = chosen_settings(args)
    check_read(args.model, chosen)
    operators = chosen_operators(args, chosen)
    all_settings = {name: make_settings(args.data, chosen | {"gate.topk": name})
                    for name in operators}
    check_writable(args.json, args.checkpoint, args.out and args.out / "curves.png")
    data = load(args.data)
    rows: list[Row] = []
    for operator, seed in product(operators, range(args.seed, args.seed + args.seeds)):
        checkpoint = checkpoint_of(args, seed, operator, len(operators) > 1)
        # Of several runs the first must have begun; a later one may not have come to its turn.
        resume = args.resume and (not rows or (checkpoint is not None and checkpoint.exists()))
        result = run_experiment(args.model, data, all_settings[operator], seed=seed,
                                progress=not args.quiet, checkpoint=checkpoint, resume=resume)
        rows.append(result.row | {"topk": operator if args.topk else None})
        if args.out is not None:
            which = f"{operator}-" if args.topk else ""
            draw(result, args.out / f"{args.model}-{args.data}-{which}seed{seed}.png")
    columns = [name for name in COLUMNS if name != "topk" or args.topk]
    print_table(rows, columns)
    for operator in operators:
        mine = [row for row in rows if row["topk"] in (operator, None)]
        print_means(mine, operator if args.topk else None)
    write_json(args.json, "train", rows)
    return 0


def print_means(rows: list[Row], operator: str | None) -> None:
    """Print the mean over seeds where there are several."""
    if len(rows) > 1:
        names = ("accuracy", "active_ratio", "mac_ratio_with_gate")
        means = {name: sum(row[name] for row in rows) / len(rows) for name in names}
        print(f"{operator + ', ' if operator else ''}mean of {len(rows)} seeds: "
              + ", ".join(f"{name} {value:.4f}" for name, value in means.items()))


def draw(result: Any, path: Path) -> None:
    """Write the training curves of one run, and how a controller of it steered."""
    from minimidl.pictures import budget_figure, curves_figure, save_figure

    runs = {result.row["model"]: result.history.rows}
    figures = {path: curves_figure(runs)}
    if "multiplier" in result.history.rows[-1]:
        figures[path.with_stem(f"{path.stem}-budget")] = budget_figure(runs)
    for place, figure in figures.items():
        save_figure(figure, place)
        print(f"wrote {place}")
