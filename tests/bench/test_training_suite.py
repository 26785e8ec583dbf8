"""Training peers do the same training: equal weights, equal order, equal losses."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from minimidl.bench import training
from minimidl.bench.models import judged_row, models_suite
from minimidl.bench.suite import Watch
from minimidl.bench.timing import Timing
from minimidl.bench.trainers import (
    OwnTrainer,
    SklearnTrainer,
    TorchTrainer,
    batches_of,
    dense_model,
    training_set,
)
from minimidl.data import load
from minimidl.execution import Executor

HAS_GRADIENT = "gradient" in inspect.signature(Executor.__init__).parameters


def copies():
    return dense_model(7, 12, 4), *training_set(150, 7, 4)


def test_own_epochs_learn_and_end_with_the_small_batch():
    model, x, y = copies()
    trainer = OwnTrainer(model)
    sizes = [len(part) for part, _ in batches_of(x, y, 64)]
    assert sizes == [64, 64, 22]
    losses = [trainer.epoch(x, y, 64) for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["torch", "fused", "sklearn"])
def test_peers_follow_our_training_loss_by_loss(name):
    pytest.importorskip("torch" if name != "sklearn" else name,
                        reason="needs PyTorch and scikit-learn: pip install minimidl[oracle]")
    model, x, y = copies()
    peer = (SklearnTrainer(model, 64, 4) if name == "sklearn"
            else TorchTrainer(model, fused=name == "fused"))
    own = OwnTrainer(model)  # last: it trains the model that the others have copied
    for _ in range(3):
        assert peer.epoch(x, y, 64) == pytest.approx(own.epoch(x, y, 64), rel=1e-4)


def test_the_set_is_never_learnt_by_heart():
    x, y = training_set(500, 7, 4, seed=3)
    assert x.dtype == np.float32
    assert set(y) == {0, 1, 2, 3}
    np.testing.assert_array_equal(y, training_set(500, 7, 4, seed=3)[1])


def test_one_row_per_peer_with_its_own_target():
    times = {name: Timing(seconds, seconds, seconds, 1, 7)
             for name, seconds in (("own", 2.0), ("torch", 3.0), ("torch fused", 2.5))}
    rows = training.compared({"case": "x"}, times, {"torch": 1.25})
    assert [(row["peer"], row["ratio"], row["target"], row["met"]) for row in rows] == [
        ("torch", 1.5, 1.25, True), ("torch fused", 1.25, None, None)]
    assert rows[0]["peers"] == {"torch": 3.0, "torch fused": 2.5}
    assert training.agree([1.0, 1.0005])
    assert not training.agree([1.0, 1.01])


def test_steps_go_round_all_batches():
    x, y = training_set(6, 2, 2)
    seen: list[float] = []
    call = training.stepper(lambda part, _: seen.append(float(part[0, 0])) or 0.0, x, y, 2)
    for _ in range(4):
        call()
    assert seen == [float(x[i, 0]) for i in (0, 2, 4, 0)]


def test_dense_epochs_without_other_libraries(monkeypatch):
    monkeypatch.setattr(training, "installed", lambda **builders: {
        "torch": OwnTrainer(dense_model(training.N_IN, 8, training.N_OUT))})
    (row,) = training.epoch_rows(8, 300, 128, 7, 0)
    assert row["losses_agree"]
    assert row["losses"].keys() == {"torch", "own"}
    assert row["target"] == 1.25
    assert set(training.COLUMNS) <= row.keys()


@pytest.mark.kernels
@pytest.mark.skipif(not HAS_GRADIENT, reason="the executor has no training kernels yet")
def test_the_gated_step_against_our_own_dense_one(monkeypatch):
    monkeypatch.setattr(training, "installed", lambda **builders: {})
    ticks: list[int] = []
    (row,) = training.training_suite(Watch(lambda: ticks.append(1)), rounds=7, width=64,
                                     epoch_widths=(), batch=16)
    assert (row["peer"], row["path"], row["target"]) == ("own dense", "active-only", 1.6)
    assert len(ticks) == training.steps(epoch_widths=()) == 1
    assert set(training.COLUMNS) - {"losses_agree"} <= row.keys()


@pytest.mark.kernels
def test_models_carry_both_accuracies():
    ticks: list[int] = []
    rows = models_suite(Watch(lambda: ticks.append(1)), rounds=7, batches=(1, 8), epochs=1,
                        n_train=200, width=32, block=4, data=load("digits"), peers=("numpy",))
    assert [(row["batch"], row["target"]) for row in rows] == [(1, 1.7), (8, None)]
    assert len(ticks) == 4
    for row in rows:
        assert "trained" in row["case"]
        lost = 100 * (row["dense_accuracy"] - row["accuracy"])
        assert row["points_lost"] == pytest.approx(lost)


def test_twenty_of_ten_thousand_images_are_still_within():
    row = {"batch": 2, "ratio": 1.0, "accuracy": 0.9820, "case": "trained"}
    assert judged_row(row, 0.9840)["accuracy_met"]
    assert not judged_row(row, 0.9841)["accuracy_met"]


def test_models_without_mnist_are_left_out_in_one_line(monkeypatch):
    monkeypatch.setattr("minimidl.bench.models.mnist", lambda: None)
    notes: list[str] = []
    assert models_suite(Watch(note=notes.append)) == []
    assert "minimidl data prepare mnist" in notes[0]
