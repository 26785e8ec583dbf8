from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from minimidl.proof.stand_ins import STAND_INS, bisect, held
from minimidl.proof.surrogates import held_budget, held_sigmoid, middle

SCORES = np.array([[2.0, -1.0, 0.5, 3.0], [0.0, 0.25, -0.5, -2.0]])
U = np.linspace(-4, 4, 33)


@pytest.mark.parametrize(("kind", "judge"), [
    ("sigmoid", special.expit), ("normal", special.ndtr),
    ("lapsum", lambda u: np.where(u > 0, 1 - np.exp(-abs(u)) / 2, np.exp(-abs(u)) / 2)),
    ("capped-simplex", lambda u: np.clip(u, 0, 1)), ("pnorm", lambda u: np.clip(u, 0, 1) ** 3),
])
def test_each_is_the_distribution_it_is_named_after(kind: str, judge: object) -> None:
    np.testing.assert_allclose(STAND_INS[kind](U), judge(U), atol=1e-15)


def test_bisection_finds_every_root() -> None:
    roots = bisect(lambda x: np.array([0.25, 0.75]) - x, np.zeros(2), np.ones(2))
    np.testing.assert_allclose(roots, [0.25, 0.75], atol=1e-15)


@pytest.mark.parametrize("kind", STAND_INS)
def test_it_starts_at_one_half_in_the_middle_and_holds_its_budget(kind: str) -> None:
    start = middle(SCORES, 2)
    stand_in = held(kind, SCORES, start, 3.0)
    home = stand_in(SCORES)
    at_the_cut = np.hstack([SCORES, start])  # a fifth score, at the cut: adds its own 1/2
    np.testing.assert_allclose(held(kind, at_the_cut, start, 3.0)(at_the_cut)[:, 4], 0.5,
                               atol=1e-13)
    moved = stand_in(SCORES + np.array([0.1, -0.2, 0.05, 0.0]))
    np.testing.assert_allclose(moved.sum(axis=1), home.sum(axis=1), atol=1e-13)
    assert np.abs(moved - home).max() > 1e-3
    np.testing.assert_allclose(stand_in(SCORES, 3.0, 0.1).sum(axis=1), home.sum(axis=1) + 0.1,
                               atol=1e-13)


def test_the_sigmoid_by_bisection_is_the_sigmoid_by_newton() -> None:
    moved = SCORES + 0.1 * np.sin(np.arange(8)).reshape(2, 4)
    by_newton = held_sigmoid(SCORES, 2, 0.7)
    by_bisection = held("sigmoid", SCORES, middle(SCORES, 2), 0.7)
    np.testing.assert_allclose(by_bisection(moved), by_newton(moved), atol=1e-13)
    np.testing.assert_allclose(held_budget("lapsum", SCORES, 2, 0.7)(moved),
                               held("lapsum", SCORES, middle(SCORES, 2), 0.7)(moved), atol=0)
