from __future__ import annotations

import numpy as np
import pytest

from minimidl.layers import MIDL, DynamicGate
from minimidl.proof.differences import numeric_gradient
from minimidl.proof.linearised_gates import linearised
from minimidl.proof.surrogates import (
    held_cut,
    held_sigmoid,
    middle,
    sigmoid,
    topk_surrogate,
)

SCORES = np.array([[2.0, -1.0, 0.5, 3.0], [0.0, 0.25, -0.5, -2.0]])


def test_hand_worked_cut() -> None:
    assert middle(SCORES, 2).tolist() == [[1.25], [-0.25]]  # (2 + 0.5) / 2 and (0 - 0.5) / 2


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_the_held_cut_solves_its_equation(temperature: float) -> None:
    start = middle(SCORES, 2)
    tau = held_cut(SCORES, np.array([[1.7], [2.4]]), temperature, start)
    assert np.allclose(sigmoid((SCORES - tau) / temperature).sum(axis=1), [1.7, 2.4], atol=1e-14)


def test_the_stand_in_starts_at_the_middle_cut_and_holds_its_budget() -> None:
    stand_in = held_sigmoid(SCORES, 2, 0.5)
    at_home = sigmoid((SCORES - middle(SCORES, 2)) / 0.5)
    assert np.allclose(stand_in(SCORES), at_home, atol=1e-15)
    moved = stand_in(SCORES + np.array([0.1, -0.2, 0.05, 0.0]))
    assert np.allclose(moved.sum(axis=1), at_home.sum(axis=1), atol=1e-13)
    assert not np.allclose(moved, at_home)


def test_its_derivative_is_the_closed_form_of_the_threshold_family() -> None:
    scores, k, temperature = SCORES.copy(), np.array(2.0), np.array(0.5)
    forward = topk_surrogate(scores, k, temperature)
    g = np.array([[0.3, -1.0, 2.0, 0.7], [1.0, 0.0, -0.4, 0.2]])

    def objective(_: np.ndarray) -> float:
        return float(np.vdot(g, forward()[0]["p"]))

    u = (scores - middle(scores, 2)) / 0.5
    d = sigmoid(u) * sigmoid(-u)
    mean = (d * g).sum(axis=1, keepdims=True) / d.sum(axis=1, keepdims=True)
    pull = d * (g - mean) / 0.5
    assert numeric_gradient(objective, scores) == pytest.approx(pull, abs=1e-8)
    assert numeric_gradient(objective, k) == pytest.approx(mean.sum(), abs=1e-8)
    assert numeric_gradient(objective, temperature) == pytest.approx(-(pull * u).sum(), abs=1e-8)


def test_extreme_scores_do_not_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
@pytest.mark.parametrize("value", ["binary", "probability"])
def test_at_the_test_point_the_surrogate_is_the_real_forward(kind: type, value: str) -> None:
    layer = kind(4, 6, gate_value=value, light="low-rank", dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(3, 4))
    replaced = linearised(layer, x, training=False, rng_seed=0)
    assert replaced is not None
    assert np.allclose(replaced()[0], layer.forward(x)[0], atol=1e-14)


def test_beside_the_test_point_it_moves_where_the_real_gate_stands_still() -> None:
    layer = DynamicGate(4, 6, activation="linear", dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(3, 4))
    replaced = linearised(layer, x, training=False, rng_seed=0)
    assert replaced is not None
    real, smooth = layer.forward(x)[0], replaced()[0]
    layer.params["gate.bias"] += 1e-4
    assert np.array_equal(layer.forward(x)[0], real)
    assert 1e-6 < np.max(np.abs(replaced()[0] - smooth)) < 1e-3
