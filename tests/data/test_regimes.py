from __future__ import annotations

import numpy as np
import pytest

from minimidl.data import PARTS, regimes
from minimidl.data.regimes import GROUP, N_REGIMES
from minimidl.errors import InputError


def groups_of(x: np.ndarray) -> np.ndarray:
    return x[:, N_REGIMES:].reshape(-1, N_REGIMES, GROUP)


def test_the_cue_is_one_hot_and_tells_the_true_regime():
    dataset = regimes(1, sizes=(400, 100, 100))
    for part in PARTS:
        cue = dataset.part(part)[0][:, :N_REGIMES]
        assert set(np.unique(cue)) == {0.0, 2.0}
        assert np.array_equal(cue.argmax(axis=1), dataset.extra[f"regime_{part}"])
        assert np.array_equal(cue.sum(axis=1), np.full(len(cue), 2.0))


def accuracy_of_linear_fit(x: np.ndarray, y: np.ndarray) -> float:
    """Share of both label bits right, by least squares on the first half, tried on the second."""
    signs = np.stack([y // 2, y % 2], axis=1) * 2.0 - 1
    half = len(x) // 2
    weight, *_ = np.linalg.lstsq(x[:half], signs[:half], rcond=None)
    return float(np.all((x[half:] @ weight > 0) == (signs[half:] > 0), axis=1).mean())


def test_the_cued_group_decides_and_the_others_know_nothing():
    dataset = regimes(0)
    x, y = dataset.part("train")
    for regime in range(N_REGIMES):
        mine = dataset.extra["regime_train"] == regime
        groups = groups_of(x[mine])
        assert accuracy_of_linear_fit(groups[:, regime], y[mine]) > 0.9
        others = np.delete(groups, regime, axis=1).reshape(len(groups), -1)
        assert accuracy_of_linear_fit(others, y[mine]) < 0.35, "chance is 0.25"
    assert accuracy_of_linear_fit(x, y) < 0.5, "no single linear map solves all regimes"


def test_classes_and_regimes_are_about_equally_frequent():
    dataset = regimes(0)
    assert min(dataset.counts("train")) > 900
    assert np.bincount(dataset.extra["regime_train"]).min() > 900


@pytest.mark.oracle
def test_an_untrained_linear_gate_does_not_route_by_the_cue():
    metrics = pytest.importorskip(
        "sklearn.metrics", reason="needs scikit-learn: pip install minimidl[oracle]")
    dataset = regimes(0)
    found = []
    for seed in range(5):
        weight = np.random.default_rng(seed).standard_normal((dataset.n_features, N_REGIMES))
        chosen = (dataset.x_test @ weight).argmax(axis=1)
        truth = dataset.extra["regime_test"]
        found.append(metrics.adjusted_mutual_info_score(truth, chosen))
    assert np.mean(found) < 0.1


def test_a_bad_cue():
    with pytest.raises(InputError, match="cue"):
        regimes(cue=0.0)
