"""``minimidl data``: which data sets there are, how to get them, and whether they are whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from minimidl.errors import InputError

COLUMNS = ["name", "prepared", "n_train", "n_val", "n_test", "n_features", "n_classes", "note"]
EXAMPLES = """examples:
  minimidl data list
  minimidl data fetch mnist
  minimidl data prepare mnist --raw my/mnist
  minimidl data describe regimes --out figures
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``data`` and its five actions to the command line."""
    parser = subparsers.add_parser(
        "data", help="list, fetch, prepare, verify and describe data sets", description=__doc__,
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _action(actions, "list", "all sets, and which are ready", _list)
    fetch = _action(actions, "fetch", "download, check and prepare a real set", _prepare, "NAME")
    prepare = _action(actions, "prepare", "prepare a real set, from files that you have", _prepare,
                      "NAME")
    prepare.add_argument("--raw", type=Path, metavar="DIR",
                         help="folder with the original files (default: download them)")
    for getter in (fetch, prepare):
        getter.add_argument("--url", help="download from here instead of the usual address")
        getter.add_argument("--dry-run", action="store_true", help="check and tell, write nothing")
    _action(actions, "verify", "read again and compare checksums", _verify, "[NAME]")
    describe = _action(actions, "describe", "counts, shapes, provenance, licence", _describe,
                       "NAME")
    describe.add_argument("--seed", type=int, default=0, help="of a generated set (default: 0)")
    describe.add_argument("--out", type=Path, metavar="DIR", help="also draw samples as a PNG here")


def _action(actions: Any, name: str, text: str, handler: Any, operand: str = "") -> Any:
    """Add one action with the options that all of them share."""
    parser = actions.add_parser(name, help=text, description=text)
    if operand:
        parser.add_argument("name", metavar="NAME", nargs="?" if operand[0] == "[" else None,
                            help="name of a data set, as in the list")
    parser.add_argument("--data-dir", type=Path, metavar="DIR",
                        help="folder of prepared sets (default: MINIMIDL_DATA, or the cache)")
    parser.add_argument("--json", metavar="FILE", help="also write the rows here")
    parser.set_defaults(run=run, handler=handler)
    return parser


def run(args: argparse.Namespace) -> int:
    """Carry out one action; returns the exit status."""
    from minimidl.cli.output import check_writable, write_json

    check_writable(args.json)
    rows, status = args.handler(args)
    write_json(args.json, "data", rows)
    return int(status)


def _list(args: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    from minimidl.cli.output import print_table
    from minimidl.data import NAMES, data_folder, describe

    rows = [describe(name, args.data_dir) for name in NAMES]
    print_table(rows, COLUMNS)
    print(f"prepared sets live in {data_folder(args.data_dir)}")
    return rows, 0


def _prepare(args: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    from minimidl.data import describe
    from minimidl.data.scripts import load_script

    row = describe(args.name, args.data_dir)
    if row["kind"] != "prepared":
        print(f"{args.name} is {row['kind']}: it is always ready")
        return [row], 0
    script = load_script(args.name)
    path = script.prepare(getattr(args, "raw", None), args.data_dir, args.url or script.URL,
                          args.dry_run)
    if not args.dry_run:
        print(path)
    return [describe(args.name, args.data_dir)], 0


def _verify(args: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    from minimidl.cli.output import print_table
    from minimidl.data import NAMES, describe
    from minimidl.errors import require

    rows = [describe(name, args.data_dir) for name in ([args.name] if args.name else NAMES)]
    require(not args.name or rows[0]["state"] != "missing", "data", f"{args.name}, not prepared",
            "a prepared set", rows[0]["note"])
    checked = [row | _verdict(row, args) for row in rows if row["state"] != "missing"]
    print_table(checked, ["name", "verified", "sha256"])
    for row in checked:
        if not row["verified"]:
            print(row["note"], file=sys.stderr)
    return checked, 0 if all(row["verified"] for row in checked) else 1


def _verdict(row: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Whether a set is what its checksum says, and if not, why."""
    from minimidl.data import verify

    try:
        return {"verified": True, "sha256": verify(row["name"], args.data_dir)}
    except InputError as error:
        return {"verified": False, "note": str(error)}


def _describe(args: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    from minimidl.data import PARTS, describe, load

    dataset = load(args.name, args.seed, args.data_dir)
    row = describe(args.name, args.data_dir) | {"seed": args.seed, **dataset.about}
    row |= {"image_shape": dataset.image_shape, "class_names": list(dataset.class_names)}
    row |= {f"counts_{part}": dataset.counts(part) for part in PARTS}
    for key in ("name", "note", "n_features", "image_shape", "mean", "std", "provenance",
                "licence", "citation", "split", "sha256"):
        if row.get(key) is not None:
            print(f"{key:12s} {row[key]}")
    _print_counts(row)
    if args.out:
        row["figure"] = str(_draw(dataset, args.out))
        print(row["figure"])
    return [row], 0


def _print_counts(row: dict[str, Any]) -> None:
    """Samples of each class in each part."""
    from minimidl.cli.output import print_table
    from minimidl.data import PARTS

    print_table([{"class": name, **{part: row[f"counts_{part}"][label] for part in PARTS}}
                 for label, name in enumerate(row["class_names"])], ["class", *PARTS])


def _draw(dataset: Any, out: Path) -> Path:
    """Draw samples into ``out`` and return the file."""
    from minimidl.pictures.samples import samples
    from minimidl.pictures.style import save_figure

    return save_figure(samples(dataset).figure, out / f"{dataset.name}.png")
