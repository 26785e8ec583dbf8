"""Changes of inputs: how large, where, and the same for everyone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from minimidl.data import (
    Blur,
    Chain,
    Dataset,
    GaussianNoise,
    SaltAndPepper,
    digits,
    spirals,
    with_change,
)
from minimidl.errors import InputError


def draw(change, x, seed=0):
    return change(x, np.random.default_rng(seed))


def test_gaussian_noise_has_its_size_and_grows_in_place():
    x = np.full((200, 100), 3.0, np.float32)
    small, large = draw(GaussianNoise(0.1), x), draw(GaussianNoise(0.2), x)
    assert small.dtype == np.float32
    # 20,000 draws: the standard error of a standard deviation s is s / sqrt(2 n) = s / 200.
    assert (small - x).std() == pytest.approx(0.1, abs=5 * 0.1 / 200)
    np.testing.assert_allclose(large - x, 2 * (small - x), atol=2e-6)
    assert np.array_equal(x, np.full_like(x, 3.0)), "the old inputs stay as they are"
    assert np.array_equal(draw(GaussianNoise(0.0), x), x)


def test_salt_and_pepper_hits_its_share_half_each_and_more_contains_less():
    x = np.random.default_rng(1).uniform(-1, 1, (200, 100)).astype(np.float32)
    few, many = draw(SaltAndPepper(0.1), x), draw(SaltAndPepper(0.3), x)
    for changed, share in ((few, 0.1), (many, 0.3)):
        error = np.sqrt(share * (1 - share) / x.size)
        assert (changed != x).mean() == pytest.approx(share, abs=5 * error)
        assert (changed == x.min()).mean() == pytest.approx(share / 2, abs=5 * error)
        assert (changed == x.max()).mean() == pytest.approx(share / 2, abs=5 * error)
    hit = few != x
    assert np.array_equal(many[hit], few[hit])
    given = draw(SaltAndPepper(1.0, low=-7.0, high=9.0), x)
    assert set(np.unique(given)) == {-7.0, 9.0}
    assert given.dtype == np.float32


def test_blur_of_one_pixel_by_hand_and_of_the_border():
    x = np.zeros((2, 20), np.float32)
    x[0, 2 * 5 + 2] = 16.0  # the pixel (2, 2) of 4 x 5
    x[1, 0] = 16.0  # a corner: beyond the border the border goes on
    blurred = draw(Blur((4, 5)), x).reshape(2, 4, 5)
    assert blurred[0].tolist() == [[0, 0, 0, 0, 0], [0, 1, 2, 1, 0], [0, 2, 4, 2, 0],
                                   [0, 1, 2, 1, 0]]
    assert blurred[1, :2, :2].tolist() == [[9, 3], [3, 1]]
    assert blurred.dtype == np.float32
    assert x[0, 12] == 16.0


def test_blur_leaves_flat_pictures_and_repeats():
    flat = np.full((1, 12), 2.5)
    assert np.array_equal(draw(Blur((3, 4), times=3), flat), flat)
    x = np.random.default_rng(0).normal(size=(3, 12))
    once = Blur((3, 4))
    np.testing.assert_array_equal(draw(Blur((3, 4), times=2), x), draw(once, draw(once, x)))
    assert np.array_equal(draw(Blur((3, 4), times=0), x), x)


def test_a_chain_is_one_after_the_other():
    x = digits().x_val
    rng = np.random.default_rng(3)
    expected = GaussianNoise(0.2)(Blur((8, 8))(x, rng), rng)
    assert np.array_equal(draw(Chain((Blur((8, 8)), GaussianNoise(0.2))), x, 3), expected)


@pytest.mark.parametrize("shape", [None, (8, 8, 1)])
def test_rows_that_are_no_pictures_are_refused_with_the_reason(shape):
    with pytest.raises(InputError, match=r"image_shape.*\(height, width\).*not pixels"):
        Blur(shape)


@pytest.mark.parametrize(("make", "word"), [
    (lambda: GaussianNoise(-1), "sigma"), (lambda: GaussianNoise(np.nan), "sigma"),
    (lambda: SaltAndPepper(1.5), "share"), (lambda: Blur((8, 8), times=-1), "times"),
    (lambda: draw(Blur((8, 8)), np.zeros((2, 63))), "63"),
    (lambda: with_change(digits(), GaussianNoise(1), seed=-1), "seed"),
    (lambda: with_change(digits(), GaussianNoise(1), parts=("all",)), "part"),
    (lambda: with_change(digits(), lambda x, rng: x[:, :3]), "change"),
])
def test_bad_settings_are_told(make, word):
    with pytest.raises(InputError, match=word):
        make()


def test_a_set_with_noise_is_a_new_set_that_says_so():
    clean = spirals()
    noisy = with_change(clean, GaussianNoise(0.3), seed=5).validated()
    assert noisy.x_train is clean.x_train
    assert noisy.y_test is clean.y_test
    assert not np.array_equal(noisy.x_test, clean.x_test)
    assert noisy.about["changes"] == ["GaussianNoise(sigma=0.3) of test, seed 5"]
    assert "changes" not in clean.about
    twice = with_change(noisy, SaltAndPepper(0.1), seed=6)
    assert len(twice.about["changes"]) == 2


def test_noise_is_paired_whatever_else_is_changed():
    clean = spirals()
    alone = with_change(clean, GaussianNoise(0.3), seed=5)
    both = with_change(clean, GaussianNoise(0.3), seed=5, parts=("train", "test"))
    assert np.array_equal(alone.x_test, both.x_test)
    assert not np.array_equal(alone.x_test,
                              with_change(clean, GaussianNoise(0.3), seed=6).x_test)
    same: Dataset = replace(clean, x_val=clean.x_train, x_test=clean.x_train,
                            y_val=clean.y_train, y_test=clean.y_train)
    parts = with_change(same, GaussianNoise(1.0), parts=("train", "val"))
    assert not np.array_equal(parts.x_train, parts.x_val), "every part has noise of its own"


def test_noise_is_not_what_the_samples_were_drawn_from():
    # As seeds, s and (s, 0) are the same to NumPy, and generated sets are drawn from seed s.
    drawn = np.random.default_rng(7).standard_normal((1000, 2)).astype(np.float32)
    same = replace(spirals(), x_train=drawn, y_train=np.zeros(1000, int))
    noise = with_change(same, GaussianNoise(1.0), seed=7, parts=("train",)).x_train - drawn
    assert abs(np.corrcoef(noise.ravel(), drawn.ravel())[0, 1]) < 4 / np.sqrt(2000)
