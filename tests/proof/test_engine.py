from __future__ import annotations

import numpy as np
import pytest
from toys import FAULTS, Square

from minimidl.errors import InputError
from minimidl.proof import Subject, prove_layer, prove_subject


def point() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(4, 3))


def test_a_sound_layer_is_proved_and_every_mutant_caught() -> None:
    report = prove_layer(Square(), point())
    assert report.passed, str(report)
    assert report.entries == 4 * 3 + 3
    assert report.max_rel_error < 1e-9
    assert report.mutants == 8 + 6  # matrix: 7 mutators and no key; vector: 5 and no key
    assert report.kind == "finite-difference"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_planted_fault_is_found_and_named(fault: type) -> None:
    report = prove_layer(fault(), point())
    assert not report.passed
    assert any(line.startswith(FAULTS[fault]) for line in report.objections), str(report)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_projection_finds_them_too(fault: type) -> None:
    assert not prove_layer(fault(), point(), projection=True).passed


def test_a_lax_tolerance_shows_as_mutants_that_are_missed() -> None:
    report = prove_layer(Square(), point(), tolerance=0.5)
    assert "scale 1.01: x" in report.missed
    assert not report.passed


def test_nothing_is_changed_by_a_proof() -> None:
    layer, x = Square(), point()
    before = x.tobytes(), layer.params["s"].tobytes()
    for projection in (False, True):
        prove_layer(layer, x, projection=projection)
        assert (x.tobytes(), layer.params["s"].tobytes()) == before


@pytest.mark.parametrize("kind", ["finite-difference", "projection"])
def test_a_kink_at_the_test_point_is_reported_and_not_judged(kind: str) -> None:
    x = np.array([1.0, 1e-7, -2.0])
    subject = Subject({"x": x}, lambda: ({"y": np.abs(x)}, {}),
                      lambda g, _: {"x": g["y"] * np.sign(x)})
    report = prove_subject(subject, name="abs", kind=kind)
    assert report.kinks
    assert not report.passed
    x[1] = 0.5
    assert prove_subject(subject, name="abs", kind=kind).passed


@pytest.mark.parametrize("kind", ["finite-difference", "projection"])
def test_a_mask_that_flips_beside_the_test_point_is_reported(kind: str) -> None:
    x = np.array([1.0, 0.5 + 1e-9])
    subject = Subject({"x": x}, lambda: ({"y": 0.0 * x + x.sum()}, {"open": x > 0.5}),
                      lambda g, _: {"x": np.full(2, g["y"].sum())})
    assert prove_subject(subject, name="flip", kind=kind).kinks
    x[1] = 0.9
    assert prove_subject(subject, name="flip", kind=kind).passed


def test_a_statement_that_fails_fails_the_proof() -> None:
    x = np.ones(2)
    subject = Subject({"x": x}, lambda: ({"y": 2 * x}, {}), lambda g, _: {"x": 2 * g["y"]},
                      statements=(lambda: "", lambda: "the moon is not cheese"))
    assert prove_subject(subject, name="moon").objections == ["the moon is not cheese"]


def test_float32_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="x: got float32"):
        prove_layer(Square(), point().astype(np.float32))
    with pytest.raises(InputError, match="kind"):
        prove_subject(Subject({}, lambda: ({}, {}), lambda g, _: {}), name="n", kind="by eye")
