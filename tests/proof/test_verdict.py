from __future__ import annotations

import numpy as np
import pytest

from minimidl.proof.verdict import Report, compare, relative_error


def test_the_error_is_absolute_below_one_and_relative_above() -> None:
    assert relative_error(np.array([0.1, 0.2]), np.array([0.1, 0.25])) == pytest.approx(0.05)
    assert relative_error(np.array([100.0, 1.0]), np.array([100.0, 2.0])) == pytest.approx(0.01)
    assert relative_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


def objections(analytic: dict, numeric: dict, **options: frozenset) -> list[str]:
    return compare(analytic, numeric, 1e-7, **options)[1]


def test_a_true_gradient_meets_no_objection() -> None:
    g = {"x": np.array([1.0, 2.0])}
    assert objections(g, {"x": g["x"] + 1e-9}) == []


def test_the_worst_entry_is_named() -> None:
    found = objections({"x": np.array([[1.0, 2.0]])}, {"x": np.array([[1.0, 2.5]])})
    assert found == ["x: analytic 2, numeric 2.5 at [0, 1]"]


def test_a_zero_gradient_is_flagged_unless_it_is_zero_by_nature() -> None:
    zero = {"x": np.zeros(2)}
    assert objections(zero, zero) == ["x: gradient is 0, or too weak to prove"]
    assert objections(zero, zero, zero=frozenset({"x"})) == []


def test_infinity_is_not_a_gradient_even_where_both_agree() -> None:
    g = {"x": np.array([np.inf, 1.0])}
    assert objections(g, g) == ["x: gradient not finite"]


def test_a_report_passes_only_without_any_complaint() -> None:
    def report(**found: object) -> Report:
        return Report("name", "projection", 3, 1e-7, {"x": 2e-9}, mutants=4, **found)

    assert report().passed
    assert not report(objections=["wrong"]).passed
    assert not report(kinks=["x[0]"]).passed
    assert not report(missed=["negate: x"]).passed
    assert "mutant not caught: negate: x" in str(report(missed=["negate: x"]))


def test_a_row_holds_the_keys_of_the_contract() -> None:
    row = Report("n", "linearised", 3, 1e-8, {"x": 2e-9, "y": 3e-9}, mutants=4, missed=["a"]).row()
    assert row == {
        "name": "n", "kind": "linearised", "dtype": "float64", "entries": 3,
        "max_rel_error": 3e-9, "tolerance": 1e-8, "passed": False, "mutants": 4,
        "mutants_caught": 3,
    }
