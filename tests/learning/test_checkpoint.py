import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import DynamicGate, Linear, Sequential
from minimidl.learning import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from minimidl.learning.archive import write_archive
from minimidl.learning.checkpoint import copy_arrays, restore_arrays


def small_model(seed: int = 0, n_units: int = 4) -> Sequential:
    return Sequential(DynamicGate(3, n_units, seed=seed), Linear(n_units, 2, seed=seed))


def checkpoint_of(last: Sequential, best: Sequential) -> Checkpoint:
    return Checkpoint(last.params, last.state, best.params, best.state, {"step": np.array(3)},
                      np.random.default_rng(5).bit_generator.state, [{"epoch": 1}],
                      {"seed": 5}, {"model": "dynamicgate"})


def test_everything_comes_back(tmp_path):
    last, best = small_model(1), small_model(2)
    save_checkpoint(tmp_path / "c.npz", checkpoint_of(last, best))
    back = load_checkpoint(tmp_path / "c.npz")
    assert (back.epoch, back.settings, back.config) == (1, {"seed": 5}, {"model": "dynamicgate"})
    assert back.rng == np.random.default_rng(5).bit_generator.state
    assert back.slots["step"] == 3
    for name in last.params:
        assert np.array_equal(back.params[name], last.params[name])
        assert np.array_equal(back.best_params[name], best.params[name])
    assert back.state.keys() == last.state.keys()


@pytest.mark.parametrize("best", [True, False])
def test_load_weights_fills_a_model_in_place(tmp_path, best):
    last, first = small_model(1), small_model(2)
    first.state["0.temperature"][...] = 0.25
    save_checkpoint(tmp_path / "c.npz", checkpoint_of(last, first))
    model, expected = small_model(3), first if best else last
    weight = model.layers[0].params["weight"]
    load_weights(model, tmp_path / "c.npz", best=best)
    assert np.array_equal(weight, expected.params["0.weight"])
    assert model.layers[0].temperature == (0.25 if best else 1.0)
    x = np.ones((2, 3), np.float32)
    assert np.array_equal(model.forward(x)[0], expected.forward(x)[0])


def test_a_model_of_another_shape_is_refused_and_left_as_it_was(tmp_path):
    save_checkpoint(tmp_path / "c.npz", checkpoint_of(small_model(), small_model()))
    other = small_model(n_units=5)
    before = copy_arrays(other.params)
    with pytest.raises(InputError, match=r"0\.weight.*\(3, 4\), expected.*\(3, 5\)"):
        load_weights(other, tmp_path / "c.npz")
    assert all(np.array_equal(other.params[name], before[name]) for name in before)


@pytest.mark.parametrize(("source", "words"), [
    ({"a": np.ones(2)}, "b on one side only"),
    ({"a": np.ones(2), "b": np.ones(1), "c": np.ones(1)}, "c on one side only"),
    ({"a": np.ones(2), "b": np.ones(1, np.float32)}, "float32"),
])
def test_restore_is_all_or_nothing(source, words):
    target = {"a": np.zeros(2), "b": np.zeros(1)}
    with pytest.raises(InputError, match=words):
        restore_arrays(target, source, "params")
    assert not any(values.any() for values in target.values())


def test_copies_keep_the_memory_order_and_share_nothing():
    original = {"w": np.asfortranarray(np.ones((2, 3)))}
    copied = copy_arrays(original)
    copied["w"][...] = 2
    assert copied["w"].flags.f_contiguous
    assert original["w"].max() == 1


@pytest.mark.parametrize(("arrays", "facts", "words"), [
    ({}, {"minimidl-checkpoint": 99}, "layout 99, expected layout 1"),
    ({}, {}, "layout None"), ({}, [1], "layout None"),
    ({}, {"minimidl-checkpoint": 1}, "without its rng"),
    ({"weights/a": np.ones(1)}, {"minimidl-checkpoint": 1}, "weights/a"),
])
def test_another_layout_is_told(tmp_path, arrays, facts, words):
    write_archive(tmp_path / "c.npz", arrays, facts)
    with pytest.raises(InputError, match=words):
        load_checkpoint(tmp_path / "c.npz")
