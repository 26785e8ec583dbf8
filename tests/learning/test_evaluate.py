from functools import partial

import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential
from minimidl.learning import evaluate
from minimidl.losses import Pair, cross_entropy, cross_entropy_backward


def identity(n: int) -> Linear:
    layer = Linear(n, n)
    layer.params["weight"][...] = np.eye(n)
    return layer


def test_accuracy_and_loss_by_hand():
    logits = np.array([[2, 0], [0, 1], [3, 0], [0, 0.5]], np.float32)
    answer = evaluate(identity(2), logits, np.array([0, 1, 1, 1]))
    expected = np.mean(np.log1p(np.exp([-2.0, -1.0, 3.0, -0.5])))
    assert answer["accuracy"] == 0.75
    assert answer["loss"] == pytest.approx(expected, rel=1e-6)
    assert (answer["active_ratio"], answer["usage"]) == (1.0, 1.0), "no gates: everything runs"


@pytest.mark.parametrize("batch_size", [1, 3, 7, 1000])
def test_batches_do_not_change_the_meaning(batch_size):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4)).astype(np.float32), rng.integers(0, 3, 7)
    model = Sequential(DynamicGate(4, 8), Linear(8, 3))
    whole, pieces = evaluate(model, x, y), evaluate(model, x, y, batch_size=batch_size)
    assert pieces == pytest.approx(whole, rel=1e-5)


def test_the_active_ratio_is_what_is_executed():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 4)).astype(np.float32), rng.integers(0, 2, 9)
    # 12 of 24 and 2 of 8 neurons; as one number: 14 of 32
    model = Sequential(MIDL(4, 24, keep=0.5, block=4), MIDL(24, 8, keep=2), Linear(8, 2))
    answer = evaluate(model, x, y)
    assert answer["active_ratio"] == pytest.approx(14 / 32)
    _, memory = model.forward(x)
    usages = [np.repeat(memory["0"]["probability"], 4, axis=1), memory["1"]["probability"]]
    assert answer["usage"] == pytest.approx(np.concatenate(usages, axis=1).mean(), rel=1e-6)


def test_other_losses():
    x = np.array([[1.0], [-2.0]], np.float32)
    binary = evaluate(identity(1), x, np.array([[1], [1]]), "binary-cross-entropy")
    assert binary["accuracy"] == 0.5
    squares = evaluate(identity(1), x, np.array([[1.0], [0.0]]), "mse")
    assert (squares["accuracy"], squares["loss"]) == (None, 2.0)


def test_a_pair_of_your_own_is_recognised_through_partial():
    smooth = Pair(partial(cross_entropy, label_smoothing=0.1), cross_entropy_backward)
    assert evaluate(identity(2), np.eye(2, dtype=np.float32), np.array([0, 1]), smooth)[
        "accuracy"] == 1.0


@pytest.mark.parametrize(("n_x", "n_y", "loss", "words"), [
    (0, 0, "mse", "at least one"), (2, 3, "mse", "2 and 3 rows"), (2, 2, "hinge", "cross-entropy"),
])
def test_bad_input_is_told(n_x, n_y, loss, words):
    with pytest.raises(InputError, match=words):
        evaluate(identity(1), np.zeros((n_x, 1), np.float32), np.zeros((n_y, 1)), loss)
