"""The gates page: every operator's card and thumbnail, generated from the docstrings.

``python -m minimidl.pictures.gates_page`` writes ``tutorials/gates/``; ``--check`` only says
whether its text is up to date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minimidl.gates import ESTIMATORS, RANKING, SCORE_FUNCTIONS, SIMPLEX, TOPK
from minimidl.gates.estimators import CategoricalReinMax, DSelectK, arm, disarm, reinforce
from minimidl.gates.sampling import BinaryConcrete, HardConcrete
from minimidl.measure.card import FIELDS, card
from minimidl.pictures.operators import gate_thumbnail, operator_thumbnail
from minimidl.pictures.style import save_figure

FOLDER = Path(__file__).parents[2] / "tutorials" / "gates"

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Top-k operators": (
        "`minimidl.gates.topk(name)`; `--topk NAME` in `minimidl train --model midl`. Answers to "
        "eight scores with k = 3.", dict(TOPK)),
    "Simplex operators": (
        "`minimidl.gates.simplex(name)`; in a MID-L layer they are multiplied by k.",
        dict(SIMPLEX)),
    "Ranking": ("`minimidl.gates.rank_operator(name)`.", dict(RANKING)),
    "Estimators for thresholded gates": (
        "`minimidl.gates.estimator(name)`; `--set gate.estimator=NAME` for DynamicGate. The cut is "
        "at 1, the temperature 1; stochastic ones are shown for one draw per score.",
        dict(ESTIMATORS)),
    "Relaxed random gates and codes": (
        "Classes of `minimidl.gates.sampling` and `minimidl.gates.estimators`; `--topk dselect-k` "
        "for the last.",
        {"binary-concrete": BinaryConcrete(), "hard-concrete": HardConcrete(),
         "categorical-reinmax": CategoricalReinMax(), "dselect-k": DSelectK(4, 2)}),
    "Score functions": (
        "Functions of `minimidl.gates.estimators`, for gates that are drawn and losses that are "
        "known per sample; no options of the layers.",
        {"reinforce": reinforce, "arm": arm, "disarm": disarm}),
}

WITHOUT_FIGURE = ("categorical-reinmax", "dselect-k", "reinforce", "arm", "disarm")
"""What is no function of one score."""

BIAS = """## Bias and spread

How far each estimator's mean is from the true gradient, and how far one sample is from that mean,
for one small network of six gates; both by enumeration of all masks. Draw your own with
`minimidl.proof.bias_variance` and `minimidl.pictures.bias_variance`; tutorial 03 does.

![bias and spread of every estimator](bias-variance.png)
"""

HEAD = """# Every gate, side by side

Generated from the docstrings by `python -m minimidl.pictures.gates_page`; do not edit. Each
backward below is derived by hand and proved by `minimidl check`. A hard choice has no derivative of
its own: its Jacobian is that of the stand-in it declares. Dark cells pull hard, a minus pulls down.

| name | exactly k | exact zeros | cost |
|---|---|---|---|
"""


def text() -> str:
    """The page, in Markdown."""
    rows = "".join(
        f"| [{name}](#{name}) | {c['exactly k']} | {c['exact zeros']} | {c['cost']} |\n"
        for _, members in FAMILIES.values() for name, c in cards(members))
    sections = [f"## {title}\n\n{intro}\n\n" + "\n".join(
        section(name, c) for name, c in cards(members))
        for title, (intro, members) in FAMILIES.items()]
    return HEAD + rows + "\n" + "\n".join([*sections, BIAS])


def cards(members: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and card of every member."""
    for name, member in members.items():
        yield name, card(member)


def section(name: str, fields: dict[str, str]) -> str:
    """One operator."""
    lines = [f"* **{field}**: " + (f"`{fields[field]}`" if field == "formula" else fields[field])
             for field in FIELDS]
    figure = "" if name in WITHOUT_FIGURE else f"\n![{name}: answer and derivative]({name}.png)\n"
    return f"### {name}\n\n" + "\n".join(lines) + "\n" + figure


def draw(folder: Path) -> None:
    """Write one thumbnail per operator."""
    for name in (*TOPK, *SIMPLEX, *RANKING):
        save_figure(operator_thumbnail(name), folder / f"{name}.png", 90)
    scores = np.linspace(-4, 4, 161)
    gates: dict[str, Any] = {**ESTIMATORS, "binary-concrete": BinaryConcrete(),
                             "hard-concrete": HardConcrete()}
    for name, gate in gates.items():
        rng = np.random.default_rng(0)
        estimated = name in ESTIMATORS
        answer, memory = (gate.forward(scores[None], 1.0, 1.0, rng) if estimated
                          else gate.forward(scores[None], rng=rng))
        pull = gate.backward(np.ones_like(scores[None]), memory)
        slope = pull["scores"] if isinstance(pull, dict) else pull
        save_figure(gate_thumbnail(scores, answer[0], slope[0]), folder / f"{name}.png", 90)
    save_figure(bias_figure(), folder / "bias-variance.png", 90)


def bias_figure() -> Any:
    """Every estimator on the small network of tutorial 03."""
    from minimidl.pictures.bias_variance import bias_variance
    from minimidl.proof import bias_variance as measured
    from minimidl.proof.gate_losses import small_network

    z = np.array([0.6, -1.0, 2.0, 0.1, 1.2, -0.4])
    rows = measured(small_network(6, seed=1), z, ESTIMATORS, SCORE_FUNCTIONS)
    return bias_variance(rows).figure


def main() -> int:
    """Write the page, or check it; the exit status says whether it was up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    args = parser.parse_args()
    page = FOLDER / "README.md"
    if args.check:
        return 0 if page.is_file() and page.read_text(encoding="utf-8") == text() else 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.write_text(text(), encoding="utf-8")
    draw(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
