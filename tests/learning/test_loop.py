from functools import partial

import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import MIDL, Dropout, DynamicGate, Layer, Linear, ReLU, Sequential
from minimidl.learning import (
    SGD,
    Adam,
    AdamW,
    Budget,
    Parts,
    cosine,
    evaluate,
    fit,
    gate_group,
    linear,
    load_checkpoint,
    load_weights,
)


def blobs(n: int = 160, n_in: int = 6, dtype: type = np.float32) -> Parts:
    """Three classes around three centres: easy, but not solved in one step."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    x = (2 * rng.normal(size=(3, n_in))[y] + rng.normal(size=(n, n_in))).astype(dtype)
    cut = n * 3 // 4
    return Parts(x[:cut], y[:cut], x[cut:], y[cut:])


def dense(seed: int = 0) -> Sequential:
    return Sequential(Linear(6, 16, seed=seed), ReLU(), Dropout(0.2), Linear(16, 3, seed=seed))


def gated(seed: int = 0) -> Sequential:
    return Sequential(DynamicGate(6, 16, seed=seed), Sequential(Dropout(0.1), MIDL(16, 8)),
                      Linear(8, 3, seed=seed))


def train(model, *, make=Adam, rate=0.01, **options):
    settings = {"epochs": 3, "batch_size": 32, "progress": False} | options
    return fit(model, blobs(), optimizer=make(model.params, rate), **settings)


def bits(model) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in (model.params | model.state).items()}


def without_time(history) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history.rows]


def test_an_optimiser_of_another_model_is_refused():
    with pytest.raises(InputError, match=r"optimizer: got arrays .* 0.weight, 0.bias, 3.weight"):
        fit(dense(), blobs(), optimizer=Adam(dense().params, 0.01), epochs=1, progress=False)


FULL = {
    "budgets": [Budget("quadratic", 1.0, 0.4, warm_up=0.5, of="mask")], "clip": 1.0,
    "clip_gates": 0.5, "state_schedules": {"temperature": linear(1.0, 0.5), "cut": linear(0, 0.3)},
    "learning_rate": cosine(0.02, 0.0, 24), "epochs": 6,
}
"""Everything at once; 120 rows in batches of 32 are 4 steps per epoch."""


def test_it_learns():
    history = train(dense(), epochs=15)
    assert history.rows[0]["loss"] > 3 * history.rows[-1]["loss"]
    assert history.rows[-1]["val_accuracy"] > 0.9


def test_a_whole_batch_step_by_hand():
    """One linear layer, mean squared error, one batch, plain descent: w - rate * 2 x (x w - t)."""
    model = Linear(1, 1, dtype=np.float64)
    model.params["weight"][...] = 3.0
    data = Parts(np.array([[2.0]]), np.array([[1.0]]), np.array([[1.0]]), np.array([[0.0]]))
    history = fit(model, data, optimizer=SGD(model.params, 0.1), epochs=1, loss="mse",
                  progress=False)
    # prediction 6, error 5, loss 25; grad of the weight 2 * 5 * 2 = 20, of the bias 10
    assert model.params["weight"][0, 0] == pytest.approx(1.0)
    assert model.params["bias"][0] == pytest.approx(-1.0)
    row = history.rows[0]
    assert (row["loss"], row["val_loss"], row["val_accuracy"]) == (25.0, 0.0, None)


def test_layers_are_trained_in_training_mode_and_judged_in_the_other():
    modes = []

    class Spy(ReLU):
        def forward(self, x, training=False, rng=None):
            modes.append((training, len(x), rng is not None))
            return super().forward(x, training, rng)

    train(Sequential(Linear(6, 3), Spy()), epochs=1)
    assert modes == [(True, 32, True)] * 3 + [(True, 24, True), (False, 40, False)]


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    model = Sequential(Linear(6, 3))
    data = blobs()
    row = train(model, make=SGD, rate=0.0, epochs=1, batch_size=50).rows[0]  # 50, 50 and 20 rows
    assert row["loss"] == pytest.approx(evaluate(model, data.x_train, data.y_train)["loss"])


def test_a_row_tells_what_happened():
    row = train(gated(), epochs=1, learning_rate=0.005).rows[0]
    assert row.keys() == {"epoch", "loss", "budget", "val_loss", "val_accuracy", "active_ratio",
                          "usage", "learning_rate", "seconds"}
    assert (row["epoch"], row["learning_rate"], row["budget"]) == (1, 0.005, 0.0)
    assert 0 < row["active_ratio"] < 1


@pytest.mark.parametrize("make", [dense, gated])
def test_same_seed_same_bits(make):
    options = FULL if make is gated else {}
    first, second = make(), make()
    rows = [without_time(train(model, seed=7, **options)) for model in (first, second)]
    assert rows[0] == rows[1]
    assert bits(first) == bits(second)
    third = make()
    train(third, seed=8, **options)
    assert bits(third) != bits(first)


class Interrupt:
    """Ctrl-C after some epochs."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, row, model) -> None:
        if row["epoch"] == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("make_optimizer", [
    Adam, partial(SGD, momentum=0.9), partial(AdamW, groups=[gate_group(0.3)]),
])
def test_resume_is_bit_exact(tmp_path, make_optimizer, restore_best):
    options = FULL | {"restore_best": restore_best, "make": make_optimizer}
    unbroken = gated()
    expected = train(unbroken, **options)
    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        train(gated(), checkpoint=path, on_epoch=[Interrupt(3)], **options)
    assert load_checkpoint(path).epoch == 3
    resumed = gated(seed=99)  # its own start does not matter
    history = train(resumed, checkpoint=path, resume=True, **options)
    assert without_time(history) == without_time(expected)
    assert bits(resumed) == bits(unbroken)


def test_ctrl_c_inside_an_epoch_leaves_the_checkpoint_of_the_last_one(tmp_path):
    class Impatient(Adam):
        def step(self, grads, learning_rate=None):
            super().step(grads, learning_rate)
            if self.slots["step"] == 10:  # in the third epoch
                raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        train(dense(), make=Impatient, checkpoint=path)
    assert load_checkpoint(path).epoch == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


def test_layer_states_that_no_schedule_drives_are_resumed_too(tmp_path):
    path, model, other = tmp_path / "run.npz", gated(), gated()
    model.state["0.temperature"][...] = 0.5
    train(model, epochs=1, checkpoint=path)
    train(other, epochs=2, checkpoint=path, resume=True)
    assert other.layers[0].temperature == 0.5
    assert load_checkpoint(path).state["0.temperature"] == 0.5


def test_a_finished_training_resumes_to_nothing_and_can_be_extended(tmp_path):
    path, model = tmp_path / "run.npz", dense()
    train(model, checkpoint=path, restore_best=False)
    again = dense(seed=5)
    assert len(train(again, checkpoint=path, resume=True, restore_best=False)) == 3
    assert bits(again) == bits(model)
    assert len(train(again, checkpoint=path, resume=True, epochs=5)) == 5


def test_the_best_epoch_comes_back_with_its_layer_state(tmp_path):
    seen = []

    def remember(row, model):
        seen.append((bits(model), row))

    # a rate that grows until it ruins the model: the best epoch is not the last
    model, path = gated(), tmp_path / "run.npz"
    history = train(model, make=SGD, learning_rate=linear(0.2, 30.0, 40), epochs=10, clip=1.0,
                    state_schedules={"temperature": linear(1.0, 0.3)}, on_epoch=[remember],
                    checkpoint=path)
    best = history.best()
    assert 0 < best < 9
    assert bits(model) == seen[best][0]
    assert seen[best][0] != seen[-1][0]
    assert model.state["0.temperature"] > 0.3, "the temperature of that epoch, not the last one"
    from_file, last = gated(seed=3), gated(seed=3)
    load_weights(from_file, path)
    load_weights(last, path, best=False)
    assert bits(from_file) == seen[best][0]
    assert bits(last) == seen[-1][0]


def test_without_restore_the_last_epoch_stays():
    seen = []
    model = dense()
    train(model, make=SGD, learning_rate=linear(0.2, 30.0, 40), epochs=10, clip=1.0,
          on_epoch=[lambda row, m: seen.append(bits(m))], restore_best=False)
    assert bits(model) == seen[-1]


def test_early_stop_waits_as_long_as_it_is_told(tmp_path):
    path = tmp_path / "run.npz"
    history = train(dense(), rate=0.0, epochs=50, patience=3, checkpoint=path)
    assert len(history) == 4, "a rate of 0 never improves: the first epoch and three more"
    assert len(train(dense(), rate=0.0, epochs=50, patience=3, checkpoint=path, resume=True)) == 4


@pytest.mark.parametrize("of", ["probability", "mask"])
def test_a_budget_moves_the_active_ratio_to_its_target(of):
    def ratio(target: float) -> float:
        model = Sequential(DynamicGate(6, 32), Linear(32, 3))
        budgets = [Budget("quadratic", 20.0, target, of=of)]
        return train(model, epochs=30, budgets=budgets, restore_best=False).rows[-1][
            "active_ratio" if of == "mask" else "usage"]

    low, high = ratio(0.2), ratio(0.8)
    assert low == pytest.approx(0.2, abs=0.1)
    assert high == pytest.approx(0.8, abs=0.1)


def test_budgets_hear_the_progress_of_the_training():
    heard = []

    def listen(layers, memory, progress):
        heard.append(progress)
        return 2.0, {}

    history = train(gated(), epochs=2, budgets=[listen])
    assert heard == [step / 7 for step in range(8)]
    assert history.column("budget") == [2.0, 2.0]


def test_a_model_inside_an_executor_trains_the_same():
    class Runner(Layer):
        """What an executor is to the loop: another way to run the same arrays."""

        def __init__(self, model):
            super().__init__()
            self.model, self.params, self.state = model, model.params, model.state

        def forward(self, x, training=False, rng=None):
            return self.model.forward(x, training, rng)

        def backward(self, grad_output, memory, grad_gate=None):
            return self.model.backward(grad_output, memory, grad_gate)

    bare, wrapped = gated(), gated()
    expected = train(bare, **FULL)
    history = train(Runner(wrapped), **FULL)
    assert without_time(history) == without_time(expected)
    assert history.rows[-1]["active_ratio"] < 1
    assert bits(wrapped) == bits(bare)


def test_a_model_that_is_one_gated_layer_takes_a_budget():
    model = DynamicGate(6, 3)
    row = train(model, budgets=[Budget("mean", 0.1)]).rows[-1]
    assert row["budget"] == pytest.approx(0.1 * row["usage"], rel=0.2)


def test_clipping_shortens_the_step():
    def moved(name, **options):
        model = gated()
        before = model.params[name].copy()
        train(model, make=SGD, rate=1.0, epochs=1, batch_size=120, **options)
        return np.linalg.norm(model.params[name] - before)

    for name in ("0.weight", "0.gate.bias"):
        assert moved(name, clip=1e-3) < 1.01e-3 < moved(name)
    assert moved("0.gate.bias", clip_gates=1e-3) < 1.01e-3
    assert moved("0.weight", clip_gates=1e-3) == moved("0.weight")


def test_states_are_driven_to_the_end_of_their_schedule():
    model = gated()
    seen = []
    train(model, state_schedules={"temperature": linear(1.0, 0.25)}, restore_best=False,
          on_epoch=[lambda row, m: seen.append(float(m.state["0.temperature"]))])
    assert seen[-1] == 0.25
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("make", [dense, gated])
def test_divergence_is_told_and_leaves_the_last_good_checkpoint(tmp_path, make):
    path = tmp_path / "run.npz"
    with pytest.raises(InputError, match=r"learning_rate: got .*epoch 2.*lower it"):
        train(make(), make=SGD, epochs=4, checkpoint=path,
              learning_rate=lambda step: 0.01 if step < 4 else 1e30)
    saved = load_checkpoint(path)
    assert saved.epoch == 1
    assert all(np.isfinite(array).all() for array in saved.params.values())


def test_divergence_in_the_last_step_of_an_epoch_is_not_saved(tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(InputError, match=r"epoch 1.*lower it"):
        train(dense(), make=SGD, checkpoint=path,
              learning_rate=lambda step: 0.01 if step < 3 else 1e38)
    assert not path.exists()


def test_an_infinite_validation_loss_is_told_too(tmp_path):
    model, x = Linear(1, 1), np.array([[1.0]], np.float32)
    data = Parts(x, x, 1e25 * x, x)  # finite predictions, but their squares are not
    with pytest.raises(InputError, match=r"loss: got inf.*lower it"):
        fit(model, data, optimizer=SGD(model.params, 0.1), epochs=1, loss="mse", progress=False,
            checkpoint=tmp_path / "c.npz")
    assert list(tmp_path.iterdir()) == []


def test_the_callers_config_travels_with_the_checkpoint(tmp_path):
    train(dense(), epochs=1, checkpoint=tmp_path / "c.npz", config={"model": "dense", "width": 16})
    assert load_checkpoint(tmp_path / "c.npz").config == {"model": "dense", "width": 16}


@pytest.mark.parametrize(("options", "words"), [
    ({"epochs": 0}, "epochs"), ({"batch_size": 0}, "batch_size"), ({"patience": 0}, "patience"),
    ({"loss": "hinge"}, "cross-entropy"), ({"clip": -1.0}, "clip"), ({"resume": True}, "resume"),
    ({"budgets": [Budget("mean", 1.0)]}, "budgets.*without gates"),
    ({"state_schedules": {"temperature": linear(1, 0)}}, "state_schedules"),
    ({"learning_rate": -1.0}, "learning_rate"),
    ({"checkpoint": "no-such-folder/run.npz"}, "no-such-folder"),
])
def test_bad_input_is_told(options, words):
    with pytest.raises(InputError, match=words):
        train(dense(), **options)


@pytest.mark.parametrize(("options", "words"), [
    ({"seed": 1}, "seed: got 1, expected 0"), ({"batch_size": 8}, "batch_size: got 8, expected 32"),
    ({"make": SGD}, "optimizer: got SGD, expected Adam"),
])
def test_resuming_another_training_is_refused(tmp_path, options, words):
    path = tmp_path / "run.npz"
    train(dense(), epochs=1, checkpoint=path)
    with pytest.raises(InputError, match=words):
        train(dense(), checkpoint=path, resume=True, **options)


def test_resuming_into_another_model_leaves_it_as_it_was(tmp_path):
    path, other = tmp_path / "run.npz", gated()
    train(dense(), epochs=1, checkpoint=path)
    before = bits(other)
    with pytest.raises(InputError, match="on one side only"):
        train(other, checkpoint=path, resume=True)
    assert bits(other) == before
