from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from minimidl.data import Dataset
from minimidl.errors import InputError


def small() -> Dataset:
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    y = np.array([0, 1, 1, 0])
    return Dataset("small", x, y, x[:2], y[:2], x[:1], y[:1], ("no", "yes"), ("a", "b", "c"))


def test_a_good_set_validates_to_itself_and_knows_its_sizes():
    dataset = small()
    assert dataset.validated() is dataset
    assert (dataset.n_features, dataset.n_classes) == (3, 2)
    assert dataset.counts("train") == [2, 2]
    assert dataset.counts("test") == [1, 0], "a class without samples still counts"
    assert list(dataset.arrays()) == ["x_train", "y_train", "x_val", "y_val", "x_test", "y_test"]


def test_astype_changes_inputs_only_and_leaves_the_original():
    dataset = small()
    double = dataset.astype(np.float64).validated()
    assert double.x_train.dtype == double.x_test.dtype == np.float64
    assert double.y_train is dataset.y_train
    assert dataset.x_train.dtype == np.float32


def spoiled(value: float, row: int, column: int) -> np.ndarray:
    x = small().x_train.copy()
    x[row, column] = value
    return x


@pytest.mark.parametrize(("change", "words"), [
    ({"x_train": spoiled(np.nan, 2, 1)}, ["x_train", "nan", "(2, 1)", "finite"]),
    ({"x_train": spoiled(-np.inf, 3, 0)}, ["x_train", "-inf", "(3, 0)"]),
    ({"x_val": np.zeros((2, 4), np.float32)}, ["x_val", "(2, 4)", "(samples, 3)"]),
    ({"x_test": np.zeros((0, 3), np.float32)}, ["x_test", "(0, 3)", "at least one"]),
    ({"x_train": np.zeros((4, 3), int)}, ["x_train", "int64", "float32"]),
    ({"y_train": np.array([0, 1, 2, -1])}, ["y_train", "label 2", "index 2", "0 to 1"]),
    ({"y_train": np.array([0, 1, 1, -1])}, ["y_train", "label -1", "index 3"]),
    ({"y_train": np.zeros(4)}, ["y_train", "float64", "whole numbers"]),
    ({"y_val": np.array([0])}, ["y_val", "(1,)", "(2,)"]),
    ({"feature_names": ("a",)}, ["feature_names", "1 names", "3"]),
    ({"image_shape": (2, 2)}, ["image_shape", "(2, 2)", "3 pixels"]),
])
def test_what_does_not_fit_is_named_in_one_line(change, words):
    with pytest.raises(InputError) as caught:
        replace(small(), **change).validated()
    line = str(caught.value)
    assert "\n" not in line
    assert all(word in line for word in words), line


def test_an_unknown_part_is_refused():
    with pytest.raises(InputError, match="train, val, test"):
        small().part("valid")
