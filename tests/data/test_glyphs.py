from __future__ import annotations

import numpy as np
import pytest

from minimidl.data import glyphs
from minimidl.data.glyphs import FONTS, MASTER, MASTER_HEIGHT, _bilinear, _grid, _masters
from minimidl.errors import InputError

SMALL = (600, 100, 100)


def test_shapes_and_normalisation():
    dataset = glyphs(0, sizes=SMALL)
    assert dataset.x_train.shape == (600, 784)
    assert dataset.image_shape == (28, 28)
    assert abs(float(dataset.x_train.mean())) < 1e-4
    assert abs(float(dataset.x_train.std()) - 1) < 1e-4
    assert set(dataset.extra["font_train"]) == set(range(len(FONTS)))


def test_every_drawing_is_there_centred_upright_and_its_own():
    masters = _masters()
    assert masters.shape == (len(FONTS), 10, MASTER, MASTER)
    inked_rows = (masters > 0.1).any(axis=3).sum(axis=2)
    assert np.all(np.abs(inked_rows - MASTER_HEIGHT) <= 3)
    rim = np.ones((MASTER, MASTER), bool)
    rim[2:-2, 2:-2] = False
    assert masters[:, :, rim].max() == 0, "resampling reads the rim as blank"
    flat = masters.reshape(len(FONTS) * 10, -1)
    assert len(np.unique(flat, axis=0)) == len(flat)
    seven = masters[:, 7].sum(axis=2)  # ink per row: a 7 has its bar at the top
    assert np.all(seven[:, 14:26].sum(axis=1) > seven[:, 58:70].sum(axis=1))


def test_the_plain_map_shows_every_third_pixel_between_its_neighbours():
    drawing = _masters()[0, 3]
    at = np.float32(MASTER / 28) * _grid()[None, :2]
    seen = _bilinear(_masters().reshape(-1), np.array([3]), at).reshape(28, 28)
    assert np.allclose(seen, drawing[1::3, 1::3], atol=1e-5)


def test_a_shift_of_half_a_pixel_is_the_mean_of_two():
    drawing = _masters()[0, 5]
    at = np.float32(3) * _grid()[None, :2] + np.array([[[0.5], [0.0]]], np.float32)
    seen = _bilinear(_masters().reshape(-1), np.array([5]), at).reshape(28, 28)
    assert np.allclose(seen, (drawing[1::3, 1::3] + drawing[1::3, 2::3]) / 2, atol=1e-5)


def test_a_nearest_mean_classifier_beats_chance_by_far_but_is_not_enough():
    dataset = glyphs(0, sizes=(2000, 100, 400))
    x, y = dataset.part("train")
    means = np.stack([x[y == digit].mean(axis=0) for digit in range(10)])
    x_test, y_test = dataset.part("test")
    nearest = ((x_test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert 0.4 < (nearest == y_test).mean() < 0.9


def test_bad_sizes():
    with pytest.raises(InputError, match="sizes"):
        glyphs(0, sizes=(0, 1, 1))
