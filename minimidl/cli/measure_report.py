"""The tables of ``minimidl measure``, with words for every column and the caveats."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

from minimidl.cli.output import Row, print_table

INFORMATION = """
what the neurons of the last hidden layer know about the label, in nats (sliced information):
  hidden   what the next layer reads
  open     neurons that are open for the sample      closed   neurons that are closed for it
  lent     the choice of another sample: as many neurons open, not chosen for this one
           (zeros tell of the label, too: closed has the mirror image of the zeros of open)
  chance   the largest of the four with shuffled labels
  open - closed   paired by seed
"""
GATES = """
how the gates work (last gated layer), test part:
  open              share of neurons that run
  evenness          of their use: 1 all alike, 0 one does everything (entropy of the shares)
  gate and label    information between who is open and the label, nats, bias taken off
  hard, active      rank correlation: do unsure samples open more? (- where all open as many)
  selectivity       of the mean neuron: 0 opens for all classes alike, 1 for one only
  specific          share of neurons that tell more of the label than the best by chance
  flipped           share of gates that change when noise of {noise:g} sd falls on the input
"""
SURE = """
how right and how sure, test part: macro F1 counts every class alike; calibration is the mean gap
between confidence and accuracy (expected calibration error, 15 bins): 0 is best
"""
ROBUSTNESS = """
test accuracy (%), by level of harm; 0 (of samples: 1) is the clean run
  noise    standard deviations of the data, on the test inputs; the same noise for every model
  blur     times that every pixel of the test inputs is mixed with its neighbours
  labels   share of false labels in training
  samples  share of the training part, with as many steps as all of it
"""
PLASTICITY = """
adapting to a drifting stream, one labelled batch per step; accuracies in %, test part
  may move    neither: nothing   gates: gate networks only   closed: only neurons that fewer than
              {closed:.0%} of clean validation samples open   both   all: every parameter
  drifted     mean accuracy at the end of each drifted phase; the same samples and noise for all
  over neither  the same minus that of neither, paired by seed
  won back    share of what the drift cost
  clean       accuracy on clean samples after the last drifted phase: what the adaptation kept
              (neither: what it was before)
  open        share of gated neurons that run on drifted samples
"""


def number(row: Row, name: str, scale: float = 1.0, digits: int = 3) -> str | None:
    """``"0.462 +- 0.012"``: mean and half-width, the latter where there are several seeds."""
    value, half = row.get(f"{name}_mean"), row.get(f"{name}_ci95")
    if value is None:
        return None
    text = f"{scale * value:.{digits}f}"
    return text if half is None else f"{text} ± {scale * half:.{digits}f}"


def intervals(rows: Sequence[Row]) -> str:
    """What the number after the sign means, where there is one."""
    seeds = max(row["seeds"] for row in rows)
    return (f"± is the 95 % interval over {seeds} seeds" if seeds > 1
            else "one seed: no intervals; ask for more with --seeds")


def table(rows: Sequence[Row], columns: dict[str, Any]) -> None:
    """Print rows under headings; a column is what makes its cell from a row."""
    made = [{head: make(row) for head, make in columns.items()} for row in rows]
    print_table(made, [head for head in columns if any(row[head] is not None for row in made)])


def column(name: str, scale: float = 1.0, digits: int = 3) -> Any:
    """Make a cell from ``NAME_mean`` and ``NAME_ci95``."""
    return lambda row: number(row, name, scale, digits)


def moved(make: Any) -> Any:
    """The cell of a mode that moves something; nothing for the one it is compared with."""
    return lambda row: None if row["mode"] == "neither" else make(row)


def show_information(rows: Sequence[Row]) -> None:
    """Three tables: knowledge, gates, and how sure the answers are."""
    from minimidl.measure.sliced import CAVEAT
    from minimidl.studies.information import Look

    summary = [row for row in rows if row["seed"] is None]
    print(INFORMATION)
    table(summary, {
        "model": lambda row: row["model"], "hidden": column("smi_hidden"),
        "open": column("smi_open"), "closed": column("smi_closed"), "lent": column("smi_lent"),
        "chance": largest_null, "open - closed": column("open_over_closed")})
    print(f"\n{intervals(summary)}.\n{fill('Caveat: ' + CAVEAT, 100)}")
    gated = [row for row in summary if row["usage_entropy_mean"] is not None]
    if gated:
        print(GATES.format(noise=Look().noise))
        table(gated, {
            "model": lambda row: row["model"], "open": column("active_ratio"),
            "evenness": column("usage_entropy"), "gate and label": column("gate_label_information"),
            "hard, active": column("hardness_correlation"), "selectivity": column("selectivity"),
            "specific": column("specific_share"), "flipped": column("flipped_share")})
    print(SURE)
    table(summary, {
        "model": lambda row: row["model"], "accuracy": column("accuracy", digits=4),
        "macro F1": column("macro_f1", digits=4), "calibration": column("calibration_error")})


def largest_null(row: Row) -> str:
    """What shuffled labels give at most."""
    nulls = [row[f"smi_{source}_null_mean"] for source in ("hidden", "open", "closed", "lent")]
    return f"{max(null for null in nulls if null is not None):.3f}".replace("-0.000", "0.000")


def show_robustness(rows: Sequence[Row]) -> None:
    """One table per kind of harm: a line per model, a column per level."""
    summary = [row for row in rows if row["seed"] is None]
    print(ROBUSTNESS)
    for kind in dict.fromkeys(row["kind"] for row in summary):
        mine = [row for row in summary if row["kind"] == kind]
        lines = [{kind: model} | {
            f"{row['level']:g}": number(row, "accuracy", 100, 1) for row in mine
            if row["model"] == model} for model in dict.fromkeys(row["model"] for row in mine)]
        print_table(lines, list(lines[0]))
        print()
    print(f"all trained on at most {max(row.get('train_samples', 0) for row in rows):,} samples; "
          f"{intervals(summary)}.")


def show_plasticity(rows: Sequence[Row]) -> None:
    """One table, and what the rows have to say about modes that did not learn."""
    from minimidl.studies.modes import ModeOptions

    summary = [row for row in rows if row["seed"] is None]
    print(PLASTICITY.format(closed=ModeOptions().closed_below))
    table(summary, {
        "model": lambda row: row["model"], "may move": lambda row: row["mode"],
        "drifted": column("accuracy", 100, 1), "over neither": moved(column("difference", 100, 1)),
        "won back": moved(column("recovery", digits=2)), "clean": column("clean_after", 100, 1),
        "open": column("active_ratio")})
    print(f"\n{intervals(summary)}.")
    for row in rows:
        if row.get("note"):
            print(f"{row['model']}, seed {row['seed']}, {row['mode']}: {row['note']}")
    print_missing({row["model"]: [other["mode"] for other in summary
                                  if other["model"] == row["model"]] for row in summary})


def print_missing(modes: dict[str, list[str]]) -> None:
    """Say which modes a model does not have, and why."""
    plain = [model for model, own in modes.items() if "gates" not in own]
    wired = [model for model, own in modes.items() if "gates" in own and "closed" not in own]
    if plain:
        print(f"{', '.join(plain)}: no gates, so there is nothing between neither and all.")
    if wired:
        print(f"{', '.join(wired)}: gates on connections, so there are no closed neurons.")
