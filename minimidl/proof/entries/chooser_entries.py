"""Proofs of the choosers on their own: from scores to gate and probability, and back.

A soft chooser is differenced; of a hard one its linearised stand-in is. Whatever is drawn is drawn
again, from a generator that is put back to the same place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minimidl.arrays import Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entries.chooser_mistakes import (
    bend_left_out,
    budget_left_out,
    factor_k_left_out,
    forced_gates_deaf,
    mean_for_sum,
    parts_swapped,
    task_left_out,
    unit_of_bits_left_out,
)
from minimidl.proof.entries.gate_entries import net_proof
from minimidl.proof.entry import Proof
from minimidl.proof.gate_stand_ins import decides_hard, gate_stand_in
from minimidl.proof.mistakes import Mistake
from minimidl.proof.prove import LINEARISED_TOLERANCE
from minimidl.proof.statements import count_objection
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import TOLERANCE, Report


def chooser_proof(
    name: str, chooser: Any, n_scores: int, *, training: bool = False, spread: float = 1.0,
    mistakes: Mapping[str, Mistake] | None = None, tolerance: float = LINEARISED_TOLERANCE,
) -> Proof:
    """An entry for one chooser; ``tolerance`` is that of a linearised stand-in."""
    def prove_chooser(rng: Rng, mistake: Mistake | None) -> Report:
        twin = mistake(chooser) if mistake else chooser
        scores, noise_seed = spread * rng.normal(size=(3, n_scores)), int(rng.integers(2**31))

        def decide() -> Any:
            return twin.decide(scores, training, np.random.default_rng(noise_seed))

        def forward() -> tuple[Values, Any]:
            decision = decide()
            return {"gate": decision.gate, "probability": decision.probability}, decision

        def backward(g: Values, decision: Any) -> Values:
            return {"scores": twin.backward(g["gate"], g["probability"], decision)}

        home = decide()
        mask, before = home.mask.copy(), np.random.default_rng(noise_seed)
        stand_in = gate_stand_in(chooser, home, before if training else None)
        start = None if stand_in is None else stand_in(scores.copy())

        def surrogate() -> tuple[Values, Memory]:
            decision = decide()
            smooth = mask if stand_in is None else mask + (stand_in(scores) - start)
            gate = smooth if chooser.value == "binary" else smooth * decision.probability
            return {"gate": gate, "probability": decision.probability}, {"open": decision.active}

        def keeps_its_word() -> str:
            if not np.array_equal(home.active, home.mask > 0):
                return "the reported mask is not the executed mask"
            return count_objection(chooser, home.mask) if decides_hard(chooser, home) else ""

        hard = stand_in is not None
        return prove_subject(
            Subject({"scores": scores}, forward, backward, surrogate if hard else None,
                    statements=(keeps_its_word,), watched=chooser.state),
            name=name, kind="linearised" if hard else "finite-difference",
            tolerance=tolerance if hard else TOLERANCE, seed=int(rng.integers(2**31)),
            mutate=mistake is None)

    return Proof(name, (type(chooser),), prove_chooser, {
        "budget gradient left out": budget_left_out, "task gradient left out": task_left_out,
        **(mistakes or {})})


def scaled_simplex_proof(name: str, operator: Any, k: float, temperature: float) -> Proof:
    """``k`` times a simplex operator: scores, k and temperature."""
    def prove_scaled(rng: Rng, mistake: Mistake | None) -> Report:
        twin = mistake(operator) if mistake else operator
        scores, budget, width = rng.normal(size=(3, 6)), np.array(k), np.array(temperature)

        def forward() -> tuple[Values, Memory]:
            p, memory = twin.forward(scores, float(budget), float(width))
            return {"p": p}, memory

        def backward(g: Values, memory: Memory) -> Values:  # alpha's gradient has its own proof
            grads = twin.backward(g["p"], memory)
            return {key: grads[key] for key in ("scores", "k", "temperature") if key in grads}

        live = {"scores": scores, "k": budget, "temperature": width}
        return prove_subject(Subject(live, forward, backward), name=name,
                             seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (type(operator),), prove_scaled, {"factor k left out": factor_k_left_out})


def topk_choosers(gates: Any) -> list[Proof]:
    """Every Top-k and simplex operator in training; the hard ones with every surrogate."""
    found = []
    for number, name in enumerate([*gates.TOPK, *gates.SIMPLEX]):
        value, width = ("probability", "binary")[number % 2], 1.0 if name in gates.SIMPLEX else 2.0
        chooser = gates.TopKChooser(3, name, "sigmoid", value, width)
        loose = 10 if name.startswith("perturbed") else 1
        found.append(chooser_proof(f"TopKChooser: {name} in training, {value}, T={width:g}",
                                   chooser, 6, training=True,
                                   tolerance=loose * LINEARISED_TOLERANCE))
    return found + [
        chooser_proof(f"TopKChooser: {name} in evaluation, {surrogate} surrogate",
                      gates.TopKChooser(2, name, surrogate, "probability", 3.0), 5)
        for name, surrogate in (("hard", "sigmoid"), ("sigmoid", "lapsum"),
                                ("gumbel", "capped-simplex"), ("perturbed", "pnorm"),
                                ("hard", "normal"))]


def threshold_choosers(gates: Any) -> list[Proof]:
    """Every estimator, drawing and not, at thresholds on both sides; and the guard."""
    found = []
    for name, estimator in gates.ESTIMATORS.items():
        for value, theta, width in (("binary", 0.6, 0.5), ("probability", 0.4, 2.0)):
            modes = (True, False) if estimator.stochastic else (False,)
            found += [chooser_proof(
                f"ThresholdChooser: {name}{' drawn' if training else ''}, {value}, "
                f"threshold {theta:g}, T={width:g}",
                gates.ThresholdChooser(theta, name, 0, value, width), 5, training=training)
                for training in modes]
    return found + [
        chooser_proof(f"ThresholdChooser: {name}, min_keep",
                      gates.ThresholdChooser(0.7, name, 3, "probability", 1.5), 6, training=True,
                      mistakes={"forced gates deaf": forced_gates_deaf})
        for name in ("identity-probability", "threshold-surrogate", "concrete", "reinmax")]


def split_choosers(gates: Any) -> list[Proof]:
    """Budgets side by side: soft, hard, drawn."""
    def split(*parts: Any) -> Any:
        return gates.choosers.split.SplitChooser(parts, (4, 4))

    def pair(*arguments: Any) -> Any:
        return split(gates.TopKChooser(1, *arguments), gates.TopKChooser(3, *arguments))

    swapped: dict[str, Mistake] = {"parts swapped": parts_swapped}
    drawn = [gates.ThresholdChooser(0.6, "concrete", 0, "binary", 0.8) for _ in range(2)]
    return [
        chooser_proof("SplitChooser: hard", pair("hard", "sigmoid", "binary", 0.5), 8,
                      mistakes=swapped),
        chooser_proof("SplitChooser: LapSum in training", pair("lapsum"), 8, training=True,
                      mistakes=swapped),
        chooser_proof("SplitChooser: Gumbel in training", pair("gumbel"), 8, training=True,
                      mistakes=swapped),
        chooser_proof("SplitChooser: drawn thresholds", split(*drawn), 8, training=True,
                      mistakes=swapped),
    ]


def dselect_choosers(gates: Any) -> list[Proof]:
    """Bits of a size that bends the smooth step; all codes in use, and not."""
    unit: dict[str, Mistake] = {"unit of the bits left out": unit_of_bits_left_out}
    return [
        chooser_proof(f"DSelectChooser: {k} of {n} in {'training' if training else 'evaluation'}",
                      chooser, chooser.n_scores(n), training=training, spread=spread, mistakes=unit)
        for k, n, spread in ((2, 4, 1.0), (2, 6, 4.0)) for training in (True, False)
        for chooser in [gates.DSelectChooser(k, n, 0.3)]]


def nets(gates: Any) -> list[Proof]:
    """The gate networks that are not products alone."""
    double: dict[str, Any] = {"dtype": np.float64}
    return [
        net_proof("gate net, static", gates.StaticNet,
                  lambda rng: gates.StaticNet(5, 3, seed=rng, **double), zero=frozenset({"x"}),
                  mistakes={"mean for sum": mean_for_sum}),
        net_proof("gate net, mlp", gates.MlpNet,
                  lambda rng: gates.MlpNet(5, 4, rank=3, seed=rng, **double),
                  mistakes={"bend left out": bend_left_out}),
    ]


def proofs(gates: Any) -> list[Proof]:
    """Every chooser and gate network of ``minimidl.gates``, handed in."""
    scaled = gates.choosers.topk.ScaledSimplex
    return [
        *topk_choosers(gates), *threshold_choosers(gates), *split_choosers(gates),
        *dselect_choosers(gates), *nets(gates),
        *(scaled_simplex_proof(f"k times {name}, k={k:g}, T={t:g}", scaled(name), k, t)
          for name in gates.SIMPLEX for k, t in ((3.0, 1.0), (1.5, 0.4))),
    ]
