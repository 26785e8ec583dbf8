"""Steps over the rows that have a gradient: what they do, and how they differ from dense ones."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import Linear, ReLU, Sequential
from minimidl.learning import SGD, Adam, AdamW, fit, hold_out


def test_lazy_adam_by_hand():
    """b1 = 0.5, b2 = 0.75, rate 0.1, eps too small to see; row 0 is left out of the second step.

    Step 1, gradients 2 and 2: m = 1, v = 1, both rows move by 0.1 * (1/0.5) / sqrt(1/0.25) = 0.1.
    Step 2, gradient 0: row 1 has m = 0.5, v = 0.75 and glides on by 0.1 * (2/3) / sqrt(12/7);
            row 0 stays where it is, m = 1 and v = 1 with it.
    Step 3, gradients 2: row 0 has m = 1.5, v = 1.75, corrected with the *three* steps that were
            made: m/(1-1/8) = 12/7, v/(1-27/64) = 112/37; p = 0.9 - 0.1 * (12/7) / sqrt(112/37).
    """
    params = {"p": np.ones((2, 1))}
    optimizer = Adam(params, 0.1, betas=(0.5, 0.75), eps=1e-300, sparse=True)
    two = {"p": np.full((2, 1), 2.0)}
    optimizer.step(two, touched={"p": np.array([0, 1])})
    assert params["p"].ravel() == pytest.approx([0.9, 0.9], abs=1e-15)
    optimizer.step({"p": np.zeros((2, 1))}, touched={"p": np.array([1])})
    glide = 0.1 * (2 / 3) / np.sqrt(12 / 7)
    assert params["p"].ravel() == pytest.approx([0.9, 0.9 - glide], abs=1e-15)
    assert optimizer.slots["first/p"].ravel().tolist() == [1.0, 0.5]
    assert optimizer.slots["second/p"].ravel().tolist() == [1.0, 0.75]
    optimizer.step(two, touched={"p": np.array([0])})
    assert params["p"][0, 0] == pytest.approx(0.9 - 0.1 * (12 / 7) / np.sqrt(112 / 37), abs=1e-15)
    assert optimizer.slots["step"] == 3


def test_a_dense_step_moves_a_row_without_a_gradient_and_a_sparse_one_does_not():
    moved = []
    for sparse in (False, True):
        params = {"p": np.ones((2, 1))}
        optimizer = Adam(params, 0.1, sparse=sparse)
        optimizer.step({"p": np.ones((2, 1))})
        before = params["p"].copy()
        optimizer.step({"p": np.array([[0.0], [1.0]])})
        moved.append((params["p"] != before).ravel().tolist())
    assert moved == [[True, True], [False, True]]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("make", [
    lambda p: SGD(p, momentum=0.9, weight_decay=0.1, sparse=True), lambda p: AdamW(p, sparse=True)])
def test_other_rows_are_neither_read_nor_written(order, make):
    """In Fortran order the rows of memory are the columns: the incoming weights of one neuron."""
    params = {"w": np.ones((3, 4), order=order)}
    optimizer = make(params)
    grad = np.full((3, 4), np.nan, order=order)
    chosen = np.index_exp[[0, 2]] if order == "C" else np.index_exp[:, [0, 2]]
    grad[chosen] = 1.0
    optimizer.step({"w": grad}, touched={"w": np.array([0, 2])})
    expected = np.zeros((3, 4), bool)
    expected[chosen] = True
    np.testing.assert_array_equal(params["w"] != 1, expected)
    for name, slot in optimizer.slots.items():
        if name != "step":
            np.testing.assert_array_equal(slot != 0, expected)


def test_with_every_row_it_is_the_dense_step():
    rng = np.random.default_rng(0)
    start, grads = rng.normal(size=(4, 3)), rng.normal(size=(5, 4, 3))
    results = []
    for options, rows in (({}, None), ({"sparse": True}, {"w": np.arange(4)}),
                          ({"sparse": True}, None)):
        params = {"w": start.copy()}
        optimizer = AdamW(params, **options)
        for grad in grads:
            optimizer.step({"w": grad}, touched=rows)
        results.append(params["w"].tobytes())
    assert results[0] == results[1] == results[2]


def test_plain_sgd_is_the_same_sparse_or_dense():
    grad = np.array([[1.0, 2.0], [0.0, 0.0], [0.0, -1.0]])
    results = []
    for sparse in (False, True):
        params = {"w": np.ones((3, 2))}
        SGD(params, 0.5, sparse=sparse).step({"w": grad})
        results.append(params["w"].tolist())
    assert results[0] == results[1] == [[0.5, 0.0], [1.0, 1.0], [1.0, 1.5]]


def test_parameters_that_are_not_named_are_looked_through():
    params = {"w": np.ones((3, 2)), "b": np.ones(3)}
    optimizer = SGD(params, 1.0, weight_decay=0.5, sparse=True)
    optimizer.step({"w": np.array([[0.0, 1.0], [0.0, 0.0], [5.0, 0.0]]), "b": np.ones(3)},
                   touched={"b": np.array([1])})
    assert params["w"].tolist() == [[0.5, -0.5], [1.0, 1.0], [-4.5, 0.5]], "no decay at rest"
    assert params["b"].tolist() == [1.0, 0.0, 1.0]


def test_numbers_without_axes_and_empty_arrays():
    params = {"scale": np.array(2.0), "none": np.zeros((0, 3)), "empty": np.zeros((3, 0))}
    optimizer = SGD(params, 0.5, sparse=True)
    grads = {"scale": np.array(1.0), "none": np.zeros((0, 3)), "empty": np.zeros((3, 0))}
    optimizer.step(grads, touched={"none": np.array([], int)})
    assert params["scale"] == 1.5
    optimizer.step({**grads, "scale": np.array(0.0)}, touched={"scale": []})
    assert params["scale"] == 1.5


@pytest.mark.parametrize(("sparse", "touched", "words"), [
    (False, {"w": np.array([0])}, "build the optimiser with sparse=True"),
    (True, {"v": np.array([0])}, "names of parameters"),
    (True, {"w": np.array([3])}, "from 0 to 2"),
    (True, {"w": np.array([-1, 0])}, "from 0 to 2"),
    (True, {"w": np.array([1, 0])}, "rising"),
    (True, {"w": np.array([1, 1])}, "at most once"),
    (True, {"w": np.array([1, 0], np.uint8)}, "rising"),
    (True, {"w": np.array([0.0])}, "row numbers"),
    (True, {"w": np.array([[0]])}, "one-dimensional"),
    (True, {"w": np.array([True, False, True])}, "row numbers"),
])
def test_bad_rows_are_told_before_anything_moves(sparse, touched, words):
    params = {"w": np.ones((3, 2))}
    with pytest.raises(InputError, match=words):
        SGD(params, sparse=sparse).step({"w": np.ones((3, 2))}, touched=touched)
    assert (params["w"] == 1).all()


class Teller(Sequential):
    """A model that can tell: only the hidden neurons that are open for some sample."""

    def __init__(self):
        super().__init__(Linear(4, 6, seed=0), ReLU(), Linear(6, 2, seed=1))
        self.told = 0

    def touched(self, memory):
        self.told += 1
        return {"2.weight": np.flatnonzero((memory["1"]["value"] > 0).any(axis=0))}


def data():
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    return hold_out(x, (x[:, 0] > 0).astype(int))


def trained(optimizer_of, epochs=3, **options):
    model = Teller()
    model.params["0.bias"][1] = -100  # a neuron that never opens
    fit(model, data(), optimizer=optimizer_of(model.params), epochs=epochs, batch_size=16,
        progress=False, restore_best=False, **options)
    return model


def test_the_loop_asks_the_model_only_for_a_sparse_optimizer():
    assert trained(lambda p: Adam(p, 0.01)).told == 0
    model = trained(lambda p: AdamW(p, 0.01, weight_decay=0.5, sparse=True))
    assert model.told == 3 * 3  # 45 samples in batches of 16
    resting = Teller().params["2.weight"][1]
    np.testing.assert_array_equal(model.params["2.weight"][1], resting)
    assert (model.params["2.weight"][0] != Teller().params["2.weight"][0]).all()


def test_a_sparse_training_is_resumed_bit_for_bit(tmp_path):
    def lazy(params):
        return Adam(params, 0.01, sparse=True)

    path = tmp_path / "run.npz"
    whole = trained(lazy, epochs=4)
    trained(lazy, epochs=2, checkpoint=path)
    resumed = trained(lazy, epochs=4, checkpoint=path, resume=True)
    for name, values in whole.params.items():
        assert values.tobytes() == resumed.params[name].tobytes(), name
    with pytest.raises(InputError, match="Adam, sparse"):
        trained(lambda p: Adam(p, 0.01), epochs=5, checkpoint=path, resume=True)
