"""Sliced information against normals, whose slices are normals too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.measure import (
    label_information,
    normal_information,
    normal_sliced_information,
    sliced_information,
    sliced_label_information,
)
from minimidl.measure.chance import own_rng
from minimidl.measure.sliced import directions


def normals(n, width, r, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, width))
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=(n, width))


def blobs(n, width, shift, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    return rng.normal(size=(n, width)) + shift * np.eye(3, width)[labels], labels


@pytest.mark.parametrize(("width", "value"), [(1, 0.5108), (2, 0.2231), (3, 0.13756)])
def test_closed_forms(width, value):
    assert normal_sliced_information(0.8, width) == pytest.approx(value, abs=5e-5)
    assert normal_sliced_information(-0.8, width) == normal_sliced_information(0.8, width)
    assert normal_sliced_information(0, width) == 0
    assert normal_sliced_information(1e-4, width) == pytest.approx(1e-8 / (2 * width), rel=1e-3)
    # The mean over the density of t = a'b, drawn instead of integrated.
    a, b = (directions(200_000, width, np.random.default_rng(seed)) for seed in (1, 2))
    drawn = normal_information(0.8 * (a * b).sum(axis=1))
    error = drawn.std() / np.sqrt(len(drawn))
    assert drawn.mean() == pytest.approx(value, abs=4 * error + 5e-5)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_normals_have_the_value_of_their_slices_and_of_the_population(width):
    x, y = normals(1000, width, 0.8)
    found = sliced_information(x, y, n_slices=60, k=5, seed=3)
    rng = own_rng(3)
    ways = [directions(60, width, rng) for _ in range(2)]
    same = normal_information(0.8 * (ways[0] * ways[1]).sum(axis=1)).mean()
    # Samples: one estimate errs by about 0.03, in the same direction in all slices of width 1.
    assert found.value == pytest.approx(same, abs=0.06 if width == 1 else 0.03)
    truth = normal_sliced_information(0.8, width)
    assert abs(found.value - truth) < 4 * found.standard_error + 0.06
    assert (found.standard_error < 1e-9) == (width == 1), "one direction has one view"


def test_independence_is_about_0_and_not_cut_off():
    found = sliced_information(*normals(500, 3, 0.0), n_slices=40)
    assert abs(found.value) < 4 * found.standard_error + 0.02
    assert found.slices.min() < 0


def test_it_saturates_and_says_so():
    x, _ = normals(1000, 3, 0.0)
    found = sliced_information(x, x, n_slices=60)
    truth = 1 - np.log(2)  # though the information of x about itself is infinite
    assert abs(found.value - truth) < 4 * found.standard_error + 0.02
    assert "saturates" in str(found)
    assert "2506.04053" in str(found)
    assert "stays finite even where Y = X" in found.caveat
    assert "not measured" in str(found)


def test_the_label_version_is_the_mean_of_its_slices():
    x, labels = blobs(300, 4, 2.0)
    found = sliced_label_information(x, labels, n_slices=7, seed=2)
    ways = directions(7, 4, own_rng(2))
    slices = [label_information(view, labels) for view in ways @ x.T]
    np.testing.assert_allclose(found.slices, slices, atol=1e-9)
    assert found.value == pytest.approx(np.mean(slices))
    assert found.standard_error == pytest.approx(np.std(slices, ddof=1) / np.sqrt(7))
    assert (found.n, found.k) == (300, 3)


@pytest.mark.parametrize("version", [sliced_information, sliced_label_information])
def test_chance_is_about_0_and_dependence_beats_it(version):
    x, labels = blobs(300, 4, 2.0)
    y = np.eye(3)[labels] + 0.01 * x[:, :1] if version is sliced_information else labels
    found = version(x, y, n_slices=20, n_permutations=19)
    assert found.null.shape == (19,)
    assert found.null_mean == pytest.approx(0, abs=0.02)
    assert found.p_value == 1 / 20
    assert "19 shuffles, p = 0.05" in str(found)
    assert found.value == version(x, y, n_slices=20).value, "shuffles do not move the value"


def test_p_values_keep_their_word():
    rng = np.random.default_rng(0)
    values = [sliced_label_information(rng.normal(size=(40, 3)), rng.integers(0, 2, 40), 5,
                                       n_permutations=9, seed=rng).p_value for _ in range(200)]
    assert np.mean(np.array(values) <= 0.2) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 200))


@settings(max_examples=15)
@given(seed=st.integers(0, 99), shift=st.floats(0, 3))
def test_laws_of_the_label_version(seed, shift):
    x, labels = blobs(80, 3, shift, seed)
    value = sliced_label_information(x, labels, 10, seed=seed).value
    relabelled = sliced_label_information(x, (labels + 1) % 3, 10, seed=seed).value
    assert relabelled == pytest.approx(value, abs=1e-12)
    moved = sliced_label_information(5 * x + 3, labels, 10, seed=seed).value
    assert moved == pytest.approx(value, abs=1e-9)


def test_what_says_nothing_says_exactly_nothing():
    x, labels = blobs(50, 3, 1.0)
    assert sliced_label_information(np.ones((50, 3)), labels, 5).value == 0
    assert sliced_label_information(x, np.zeros(50, int), 5).value == 0
    assert sliced_information(x, np.zeros((50, 2)), 5).value == 0
    dead = np.hstack([x, np.zeros((50, 4))])  # neurons that never run are in every view
    assert sliced_label_information(dead, labels, 50).value > 0


def test_lonely_classes_are_left_out():
    x, labels = blobs(60, 3, 2.0)
    found = sliced_label_information(np.vstack([x, x[:1]]), np.append(labels, 7), 5)
    assert found.n == 60
    assert found.value == pytest.approx(sliced_label_information(x, labels, 5).value, abs=1e-9)


@pytest.mark.parametrize(("call", "words"), [
    (lambda x, y: sliced_label_information(x[:3], y[:3]), "x: got 3 samples, expected more than k"),
    (lambda x, y: sliced_label_information(x[:, 0], y), "samples, features"),
    (lambda x, y: sliced_label_information(x, y[:5]), "labels: got shape"),
    (lambda x, y: sliced_label_information(x, np.arange(20)), "one class with two samples"),
    (lambda x, y: sliced_information(x, x[:9]), "y: got 9 samples, expected 20"),
    (lambda x, y: sliced_information(x, np.full((20, 2), np.inf)), "y: got inf"),
    (lambda x, y: sliced_information(x, x, n_slices=0), "n_slices: got 0"),
    (lambda x, y: sliced_label_information(x, y, n_permutations=-1), "n_permutations"),
    (lambda x, y: normal_sliced_information(0.5, 4), "width: got 4"),
    (lambda x, y: normal_sliced_information(1.0, 2), "correlation"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call(*blobs(20, 3, 1.0))
