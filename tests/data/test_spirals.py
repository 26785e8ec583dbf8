from __future__ import annotations

import numpy as np
import pytest

from minimidl.data import spirals
from minimidl.errors import InputError


def test_without_noise_every_point_lies_on_its_arm():
    dataset = spirals(3, n_classes=4, sizes=(80, 8, 8), noise=0.0, turns=1.5)
    x, y = dataset.part("train")
    radius = np.hypot(x[:, 0], x[:, 1])
    angle = 2 * np.pi * (1.5 * radius / 2 + y / 4)
    assert np.allclose(x, radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), atol=1e-5)
    assert radius.max() <= 2.0 + 1e-5


def test_classes_are_balanced_and_coordinates_of_unit_size():
    dataset = spirals()
    counts = np.sum([dataset.counts(part) for part in ("train", "val", "test")], axis=0)
    assert counts.tolist() == [700, 700, 700]
    assert np.all(np.abs(dataset.x_train.std(axis=0) - 1) < 0.1)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"n_classes": 1}, "n_classes.*two arms"), ({"noise": -1.0}, "noise"),
    ({"seed": -1}, "seed.*whole number"), ({"seed": 0.5}, "seed"),
    ({"sizes": (3, 0, 3)}, "sizes.*positive"),
])
def test_bad_arguments(arguments, words):
    with pytest.raises(InputError, match=words):
        spirals(**arguments)
