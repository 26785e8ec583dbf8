from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from minimidl.gates import topk
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential
from minimidl.proof.mistakes import gate_path_left_out, reversed_straight_through, spoiled
from minimidl.proof.statements import (
    forward_is_hard,
    gate_statements,
    task_reaches_gate,
    topk_is_hard,
    true_derivative_is_0,
)


def point(shape: tuple[int, int] = (3, 4)) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape)


def gated(kind: type, **options: object):
    return kind(4, 6, gate_rank=2, dtype=np.float64, **options)


@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
@pytest.mark.parametrize("value", ["binary", "probability"])
@pytest.mark.parametrize("light", ["zero", "linear"])
def test_sound_layers_keep_all_three(kind: type, value: str, light: str) -> None:
    statements = gate_statements(gated(kind, gate_value=value, light=light), point(), False, 0)
    assert len(statements) == 3
    assert [check() for check in statements] == ["", "", ""]


@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
def test_the_reversed_line_fails_all_three(kind: type) -> None:
    twin = reversed_straight_through(gated(kind, gate_value="binary"))
    hard, derivative, reaches = (check() for check in gate_statements(twin, point(), False, 0))
    assert hard == "forward is not hard: the gate is not the mask"
    assert "the decision has a derivative" in derivative
    assert "the task loss does not reach the gate" in reaches


def changed_decision(layer, **change):
    """A twin whose decision tells or does something else than it should."""
    def decide(self, *args, **kwargs):
        decision = layer.decide(*args, **kwargs)
        return replace(decision, **{name: f(decision) for name, f in change.items()})

    return spoiled(layer, decide=decide)


def test_a_report_that_differs_from_the_execution_is_found() -> None:
    twin = changed_decision(gated(MIDL), active=lambda d: d.probability > 0.5)
    assert forward_is_hard(twin, point(), False, 0) == (
        "the reported mask is not the executed mask")


def test_a_top_k_that_opens_too_many_is_found() -> None:
    layer = gated(MIDL, keep=3)
    ones = changed_decision(layer, mask=lambda d: np.ones_like(d.mask),
                            gate=lambda d: d.probability, active=lambda d: d.mask >= 0)
    assert forward_is_hard(ones, point(), False, 0) == "not 3 gates open in every row"


def test_a_closed_gate_that_leaks_is_found() -> None:
    layer = gated(DynamicGate)

    def apply(self, x, decision):
        output, memory = layer.apply(x, decision)
        return output + 1e-12, memory

    leaking = spoiled(layer, apply=apply)
    assert forward_is_hard(leaking, point(), False, 0) == "a closed gate lets something through"


def test_the_gate_path_left_out_is_found_by_the_third_alone() -> None:
    twin = gate_path_left_out(gated(DynamicGate))
    found = [check() for check in gate_statements(twin, point(), False, 0)]
    assert found[:2] == ["", ""]
    assert "does not reach" in found[2]


def test_every_gate_of_a_nested_model_is_asked() -> None:
    model = Sequential(gated(MIDL), Sequential(DynamicGate(6, 6, dtype=np.float64)),
                       Linear(6, 2, dtype=np.float64))
    assert len(gate_statements(model, point(), False, 0)) == 6
    assert task_reaches_gate(model, point(), False, 0, "1.0") == ""


def test_a_soft_gate_has_nothing_to_state() -> None:
    assert gate_statements(gated(MIDL, topk="sigmoid"), point(), True, 0) == ()
    assert len(gate_statements(gated(MIDL, topk="sigmoid"), point(), False, 0)) == 3


def test_a_derivative_of_the_real_decision_is_exactly_zero() -> None:
    assert true_derivative_is_0(gated(MIDL), point(), False, 0) == ""


def test_operators_on_their_own() -> None:
    scores = point((3, 5))
    hard, soft = topk("hard"), topk("sigmoid")
    assert topk_is_hard(lambda: hard.forward(scores, 2)[0], scores, 2) == ""
    assert topk_is_hard(lambda: hard.forward(scores, 3)[0], scores, 2) == (
        "forward is not hard: not 2 ones in every row")
    assert "not hard" in topk_is_hard(lambda: soft.forward(scores, 2)[0], scores, 2)
