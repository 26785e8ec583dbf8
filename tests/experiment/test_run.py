"""One experiment from name to row, on small and on real data."""

import numpy as np
import pytest

from minimidl.data import load
from minimidl.experiment import build_model, make_settings, run_experiment

KEYS = {"model", "dataset", "seed", "accuracy", "active_ratio", "mac_ratio",
        "mac_ratio_with_gate", "macs", "epochs", "params", "checkpoint"}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def run(name, data, seed=0, **chosen):
    settings = make_settings(data.name, {"epochs": 3, **chosen})
    return run_experiment(name, data, settings, seed=seed, progress=False, timed=False)


@pytest.mark.parametrize("name", ["dense", "dropout", "midl", "dynamicgate"])
def test_rows_have_the_keys_of_the_contract(name, digits):
    row = run(name, digits).row
    assert row.keys() >= KEYS
    assert 0.8 < row["accuracy"] <= 1
    assert row["macs"] == pytest.approx(row["mac_ratio_with_gate"] * (64 * 256 + 256 * 10))


def test_the_same_seed_gives_the_same_row(digits):
    assert run("dynamicgate", digits, seed=3).row == run("dynamicgate", digits, seed=3).row


def test_the_executed_mask_is_the_reported_one(digits):
    result = run("midl", digits)
    layer = result.model.layers[0]
    decision = layer.decide(digits.x_test)
    _, memory = layer.forward(digits.x_test)
    assert np.array_equal(memory["gate"] != 0, decision.active)
    assert decision.active.mean() == result.row["active_ratio"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["midl", "dynamicgate"])
def test_gates_keep_within_a_point_of_their_dense_twin_on_digits(name, digits):
    settings = make_settings("digits", {})
    def means(model):
        rows = [run_experiment(model, digits, settings, seed=seed, progress=False,
                               timed=False).row for seed in range(5)]
        return {key: float(np.mean([row[key] for row in rows]))
                for key in ("accuracy", "active_ratio", "mac_ratio_with_gate")}
    gated, dense = means(name), means("dense")
    assert gated["accuracy"] >= dense["accuracy"] - 0.010
    assert gated["active_ratio"] <= 0.45
    assert gated["mac_ratio_with_gate"] <= 0.60


@pytest.mark.slow
@pytest.mark.oracle
def test_a_gate_finds_the_regimes():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: [oracle]")
    before, after = [], []
    settings = make_settings("regimes", {})
    def information(model, data):
        chosen = model.layers[0].decide(data.x_test).active.argmax(axis=1)
        return metrics.adjusted_mutual_info_score(data.extra["regime_test"], chosen)
    for seed in range(5):  # other data each time: one set may be an easy one
        data = load("regimes", seed)
        before.append(information(build_model("midl", data.n_features, data.n_classes,
                                              settings.model, seed=seed), data))
        after.append(information(run_experiment("midl", data, settings, seed=seed,
                                                progress=False, timed=False).model, data))
    assert np.mean(before) <= 0.1
    assert np.mean(after) >= 0.8
