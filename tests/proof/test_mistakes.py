from __future__ import annotations

import numpy as np
import pytest

from minimidl.gates import topk
from minimidl.layers import MIDL, DynamicGate
from minimidl.proof import prove_layer, prove_topk
from minimidl.proof.mistakes import (
    EVERY_GATE,
    EVERY_OPERATOR,
    HARD_GATE,
    HARD_OPERATOR,
    TOPK_GATE,
    spoiled,
)

SHAPE = (4, 4)


def layer_and_point(kind: type, **options: object) -> tuple:
    rng = np.random.default_rng(5)
    layer = kind(4, 6, gate_rank=2, temperature=0.5, activation="gelu", seed=rng, dtype=np.float64,
                 **options)
    return layer, rng.normal(size=SHAPE)


@pytest.mark.parametrize("name", EVERY_GATE | HARD_GATE | TOPK_GATE)
@pytest.mark.parametrize("value", ["binary", "probability"])
def test_midl_with_a_mistake_is_refused(name: str, value: str) -> None:
    layer, x = layer_and_point(MIDL, gate_value=value)
    assert prove_layer(layer, x).passed
    twin = (EVERY_GATE | HARD_GATE | TOPK_GATE)[name](layer)
    assert prove_layer(twin, x, mutate=False).objections


@pytest.mark.parametrize("name", EVERY_GATE | HARD_GATE)
@pytest.mark.parametrize("value", ["binary", "probability"])
def test_dynamic_gate_with_a_mistake_is_refused(name: str, value: str) -> None:
    layer, x = layer_and_point(DynamicGate, gate_value=value)
    assert prove_layer(layer, x).passed
    assert prove_layer((EVERY_GATE | HARD_GATE)[name](layer), x, mutate=False).objections


@pytest.mark.parametrize("name", EVERY_GATE | TOPK_GATE)
def test_soft_midl_with_a_mistake_is_refused(name: str) -> None:
    layer, x = layer_and_point(MIDL, topk="sigmoid")
    assert prove_layer(layer, x, training=True).passed
    twin = (EVERY_GATE | TOPK_GATE)[name](layer)
    assert prove_layer(twin, x, training=True, mutate=False).objections


@pytest.mark.parametrize("operator", ["sigmoid", "hard"])
def test_operators_with_a_mistake_are_refused(operator: str) -> None:
    scores = np.random.default_rng(0).normal(size=(3, 6))
    assert prove_topk(topk(operator), scores, 2, 0.5).passed
    for name, mistake in (EVERY_OPERATOR | (HARD_OPERATOR if operator == "hard" else {})).items():
        report = prove_topk(mistake(topk(operator)), scores, 2, 0.5, hard=operator == "hard")
        assert report.objections, name


def test_the_sound_layer_keeps_its_class_and_its_arrays() -> None:
    layer, _ = layer_and_point(MIDL)
    for mistake in (EVERY_GATE | HARD_GATE | TOPK_GATE).values():
        twin = mistake(layer)
        assert type(layer) is MIDL
        assert isinstance(twin, MIDL)
        assert twin.params is layer.params


def test_an_untouched_copy_is_no_mistake() -> None:
    layer, x = layer_and_point(DynamicGate)
    assert prove_layer(spoiled(layer), x).passed


def test_a_missing_temperature_of_one_is_equivalent() -> None:
    layer, x = layer_and_point(DynamicGate)
    layer.state["temperature"][...] = 1.0
    twin = EVERY_GATE["missing temperature"](layer)
    sound, same = prove_layer(layer, x), prove_layer(twin, x)
    assert sound.evidence == same.evidence
    layer.state["temperature"][...] = 0.5
    assert prove_layer(twin, x, mutate=False).evidence != prove_layer(layer, x).evidence
