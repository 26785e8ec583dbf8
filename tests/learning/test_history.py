import pytest

from minimidl import InputError
from minimidl.learning import (
    History,
    at_density,
    by_accuracy,
    by_loss,
    near_target,
    within_budget,
)


def row(accuracy: float | None, loss: float, active: float = 1.0) -> dict:
    return {"val_accuracy": accuracy, "val_loss": loss, "active_ratio": active}


def test_the_best_epoch_is_the_most_accurate_then_the_lowest_loss_then_the_first():
    history = History([row(0.8, 0.5), row(0.9, 0.6), row(0.9, 0.4), row(0.9, 0.4)])
    assert history.best(by_accuracy) == 2
    assert history.best(by_loss) == 2
    assert not history.is_best()


def test_without_accuracy_the_loss_decides():
    assert History([row(None, 0.5), row(None, 0.3), row(None, 0.4)]).best() == 1


def test_within_budget_prefers_an_affordable_epoch_to_a_better_dear_one():
    score = within_budget(0.45)
    dear = [row(0.99, 0.1, 0.9), row(0.98, 0.1, 0.6)]
    assert History(dear).best(score) == 1, "none is affordable: the cheapest"
    stuck = [row(0.5, 0.1, 0.46), row(0.9, 0.1, 0.46), row(0.8, 0.1, 0.46)]
    assert History(dear + stuck).best(score) == 3, "all cost the same: the best, not the first"
    affordable = [row(0.95, 0.1, 0.45), row(0.96, 0.1, 0.40), row(0.90, 0.1, 0.30)]
    assert History(dear + affordable).best(score) == 3


def test_near_target_prefers_an_epoch_that_arrived_then_the_nearest():
    score = near_target(0.5, within=0.02)
    on_the_way = [row(0.99, 0.1) | {"train_mac_ratio": r} for r in (0.8, 0.6, 0.4)]
    assert History(on_the_way).best(score) == 1, "none arrived: the nearest, the first of equals"
    arrived = [row(a, 0.1) | {"train_mac_ratio": r} for a, r in ((0.7, 0.509), (0.8, 0.491))]
    assert History(on_the_way + arrived).best(score) == 4, "of those that arrived the best"


def test_early_stop_counts_epochs_without_a_better_one():
    history = History()
    assert not history.should_stop(1), "nothing has happened yet"
    answers = []
    for accuracy in (0.5, 0.7, 0.6, 0.7):
        history.append(row(accuracy, 1.0))
        answers.append(history.should_stop(2))
    assert answers == [False, False, False, True]
    assert not history.should_stop(None)


def test_json_brings_back_the_same_bits():
    rows = [row(1 / 3, 0.1 + 0.2), row(None, 1e-300)]
    assert History.from_json(History(rows).to_json()).rows == rows


def test_column():
    assert History([row(0.1, 1.0), row(0.2, 2.0)]).column("val_loss") == [1.0, 2.0]
    assert History().column("val_loss") == []


@pytest.mark.parametrize(("call", "words"), [
    (lambda: History().best(), "no epochs"),
    (lambda: History([row(0.1, 1.0)]).column("speed"), "val_loss"),
    (lambda: History.from_json("{"), "JSON"),
    (lambda: History.from_json('{"a": 1}'), "list of rows"),
    (lambda: within_budget(0.0), "limit"),
    (lambda: near_target(0.0), "target"), (lambda: near_target(0.5, within=0.0), "within"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_at_density_prefers_an_epoch_that_is_sparse_enough():
    score = at_density(0.1, within=0.01)
    dense = [row(a, 0.1) | {"density": d} for a, d in ((0.99, 1.0), (0.98, 0.4), (0.97, 0.2))]
    assert History(dense).best(score) == 2, "none has arrived: the sparsest"
    coarse = [row(a, 0.1) | {"density": 0.102} for a in (0.5, 0.9, 0.8)]
    assert History(coarse).best(score) == 1, "whole connections miss it by 2 %: the best, not 0"
    sparse = [row(a, 0.1) | {"density": 0.1004} for a in (0.7, 0.8, 0.75)]
    assert History(dense + sparse).best(score) == 4, "0.1004 is within 1 %"
    cheap = [row(0.6, 0.1, 0.3) | {"density": 0.1}]
    assert History(dense + sparse + cheap).best(at_density(0.1, within_budget(0.45))) == 6
    with pytest.raises(InputError, match="limit"):
        at_density(0.0)
