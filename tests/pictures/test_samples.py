from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minimidl.data import digits, regimes, spirals
from minimidl.pictures.samples import PER_CLASS, samples


def test_pictures_are_laid_out_class_by_class():
    dataset = digits()
    sheet = samples(dataset).images[0].get_array()
    assert sheet.shape == (10 * 10, PER_CLASS * 10), "ten classes, pictures 8 + 2 pixels wide"
    first_three = dataset.x_train[dataset.y_train == 3][0].reshape(8, 8)
    assert np.array_equal(sheet[31:39, 1:9], first_three)


def test_points_are_coloured_by_class():
    dataset = spirals()
    drawn = samples(dataset).collections
    assert [len(points.get_offsets()) for points in drawn] == dataset.counts("train")


@pytest.mark.parametrize("dataset", [digits(), spirals(), regimes()], ids=lambda d: d.name)
def test_the_axes_given_are_drawn_into_and_come_back(dataset):
    ax = Figure().add_subplot()
    assert samples(dataset, ax=ax) is ax
    assert dataset.name in ax.get_title()
