"""What ``compare`` tells: a table per data set, in words, as CSV, as Markdown, and in figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from minimidl.cli.output import Row, cell, format_table, write_atomically
from minimidl.experiment.summary import PLAIN

COLUMNS = ("model", "accuracy", "+-", "to dense", "+-d", "macro_f1", "active", "MACs",
           "MACs+gate", "time", "time 256", "memory MB", "front")
LEGEND = """
accuracy   share of the test part that is right, mean over the seeds; +- half of its 95 % interval
to dense   accuracy minus that of dense, paired by seed; +-d half of its 95 % interval
macro_f1   mean over the classes of the harmonic mean of precision and recall
active     share of the gated neurons that ran
MACs       multiply-accumulates per sample against the dense twin; MACs+gate with the gate's own
time       measured time of one sample against the best dense library here, one thread, median
           over the seeds; time 256: the same of 256 samples. dense and dropout are 1: that library
           may run them
memory MB  peak of one prediction of 256 samples: parameters, input and NumPy's arrays
front      where no other model is at once as accurate and as cheap: M in MACs+gate, T in time,
           B in time 256
"""


STEADY = 1.5
"""The same dense network on the same machine takes less than this times its median."""


def print_report(rows: Sequence[Row]) -> None:
    """Print one table per data set, who is off the front and why, warnings, and the legend."""
    for dataset, means in by_dataset(rows).items():
        print(f"\n{title(dataset, means)}\n\n{format_table(table(means), COLUMNS)}")
        lines = reasons(means)
        if lines:
            print("\nnot on the front of accuracy against MACs, gate included:")
            print("\n".join(f"  {line}" for line in lines))
        print("".join(f"\n{line}" for line in disturbed(rows, dataset)))
    print(LEGEND)


def by_dataset(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Summary rows by data set."""
    means = [row for row in rows if row["seed"] is None]
    return {name: [row for row in means if row["dataset"] == name]
            for name in dict.fromkeys(row["dataset"] for row in means)}


def title(dataset: str, means: Sequence[Row]) -> str:
    """``mnist, 5 seeds, 12 epochs``."""
    counts = {"seed": means[0]["seeds"], "epoch": round(max(row["epochs"] for row in means))}
    return ", ".join([dataset, *(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items())])


def table(means: Sequence[Row]) -> list[Row]:
    """Summary rows in the columns that are printed."""
    return [{
        "model": row["model"], "accuracy": fixed(row["accuracy_mean"]),
        "+-": fixed(row["accuracy_ci95"]),
        "to dense": None if row["model"] == "dense" else fixed(row["difference_mean"], "+.4f"),
        "+-d": None if row["model"] == "dense" else fixed(row["difference_ci95"]),
        "macro_f1": fixed(row["macro_f1"]), "active": fixed(row["active_ratio"], ".3f"),
        "MACs": fixed(row["mac_ratio"], ".3f"),
        "MACs+gate": fixed(row["mac_ratio_with_gate"], ".3f"),
        "time": fixed(row["time_ratio"], ".2f"), "time 256": fixed(row["time_ratio_b256"], ".2f"),
        "memory MB": fixed(megabytes(row["peak_memory_bytes"]), ".2f"), "front": flags(row),
    } for row in means]


def fixed(value: float | None, form: str = ".4f") -> str | None:
    """A number with fixed decimals, so that a column lines up; None stays None."""
    return None if value is None else format(value, form)


def megabytes(value: float | None) -> float | None:
    """Bytes in millions."""
    return None if value is None else value / 1e6


def flags(row: Row) -> str | None:
    """The fronts that a model is on."""
    letters = {"pareto_macs": "M", "pareto_time": "T", "pareto_time_b256": "B"}
    return "".join(letter for flag, letter in letters.items() if row[flag]) or None


def reasons(means: Sequence[Row]) -> list[str]:
    """One line per model that is not a dense network and off the front."""
    return [f"{row['model']}: {row['why_not']}" for row in means
            if row["why_not"] and row["model"] not in PLAIN]


def disturbed(rows: Sequence[Row], dataset: str) -> list[str]:
    """A warning where the best dense library needed much longer beside some runs than others.

    It computes the same network beside every run of a data set: only the machine can have changed.
    """
    told = []
    for column, what in (("dense_latency_us", "time"), ("dense_latency_us_b256", "time 256")):
        times = [row[column] for row in rows if row["dataset"] == dataset
                 and row["seed"] is not None and row.get(column) is not None]
        slow = sum(value > STEADY * median(times) for value in times)
        if slow:
            told.append(f"disturbed: beside {slow} of {len(times)} runs the dense library itself "
                        f"took over {STEADY} times its usual {what}; something else ran here, "
                        "trust no single time")
    return told


def write_report(out: Path, rows: Sequence[Row]) -> list[Path]:
    """Write ``compare.csv``, ``compare.md`` and one figure per data set; returns their paths."""
    from minimidl.pictures import save_figure
    from minimidl.pictures.pareto import pareto_figure

    write_atomically(out / "compare.csv", as_csv(rows))
    write_atomically(out / "compare.md", as_markdown(rows))
    made = [out / "compare.csv", out / "compare.md"]
    for dataset, means in by_dataset(rows).items():
        made.append(save_figure(pareto_figure(means, title(dataset, means)),
                                out / f"pareto-{dataset}.png"))
    return made


def as_csv(rows: Sequence[Row]) -> str:
    """All rows, runs first, under the union of their keys; nested values as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([plain_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def plain_cell(value: Any) -> Any:
    """What a spreadsheet can hold: nothing, a number or text."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def as_markdown(rows: Sequence[Row]) -> str:
    """The printed report as a page."""
    parts = ["# minimidl compare"]
    for dataset, means in by_dataset(rows).items():
        lines = [COLUMNS, ["---"] * len(COLUMNS),
                 *([cell(row[column]) for column in COLUMNS] for row in table(means))]
        parts += [f"## {title(dataset, means)}",
                  "\n".join(f"| {' | '.join(line)} |" for line in lines)]
        if reasons(means):
            parts += ["Not on the front of accuracy against MACs, gate included:",
                      "\n".join(f"* {line}" for line in reasons(means))]
        parts += disturbed(rows, dataset)
        parts.append(f"![Accuracy against MACs and time](pareto-{dataset}.png)")
    return "\n\n".join([*parts, f"```{LEGEND}```"]) + "\n"
