import math

import numpy as np
import pytest

from minimidl import InputError
from minimidl.learning import clip_global_norm, global_norm, is_gate


def test_the_global_norm_is_that_of_one_long_vector():
    assert global_norm({"a": np.array([[3.0], [0.0]]), "b": np.array([4.0])}) == 5.0


def test_clipping_keeps_the_direction_and_returns_the_norm_before():
    grads = {"a": np.array([[3.0]]), "b": np.array([4.0])}
    same = grads["a"]
    assert clip_global_norm(grads, 1.0) == 5.0
    assert grads["a"] is same, "in place"
    assert grads["a"][0, 0] == pytest.approx(0.6)
    assert grads["b"][0] == pytest.approx(0.8)
    assert global_norm(grads) == pytest.approx(1.0)


def test_a_norm_at_the_limit_changes_nothing():
    grads = {"a": np.array([3.0]), "b": np.array([4.0])}
    clip_global_norm(grads, 5.0)
    assert (grads["a"][0], grads["b"][0]) == (3.0, 4.0)


def test_only_gates_are_counted_and_scaled():
    grads = {"0.weight": np.array([100.0]), "0.gate.weight": np.array([2.0])}
    assert clip_global_norm(grads, 1.0, only=is_gate) == 2.0
    assert (grads["0.weight"][0], grads["0.gate.weight"][0]) == (100.0, 1.0)


def test_fortran_order_and_float32_are_kept():
    grads = {"a": np.asfortranarray(np.full((2, 3), 2, np.float32))}
    clip_global_norm(grads, 1.0)
    assert grads["a"].dtype == np.float32
    assert np.allclose(grads["a"], 1 / math.sqrt(6))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_is_returned_and_changes_nothing(bad):
    grads = {"a": np.array([bad, 1.0])}
    assert not math.isfinite(clip_global_norm(grads, 1.0))
    assert grads["a"][1] == 1.0


def test_no_gradients_have_norm_zero():
    assert clip_global_norm({}, 1.0) == 0.0


def test_a_limit_must_be_positive():
    with pytest.raises(InputError, match="clip"):
        clip_global_norm({}, 0.0)
