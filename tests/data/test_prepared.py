from __future__ import annotations

import os

import numpy as np
import pytest

from minimidl.data.prepared import (
    fingerprint,
    normalised,
    read,
    read_about,
    read_arrays,
    write,
)
from minimidl.errors import InputError

ABOUT = {"name": "tiny", "class_names": ["a", "b"], "image_shape": [2, 2]}


def tiny_arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 40), ("val", 5), ("test", 7)):
        arrays[f"x_{part}"] = rng.integers(0, 256, (n, 4), dtype=np.uint8)
        arrays[f"y_{part}"] = (np.arange(n) % 2).astype(np.uint8)
    return arrays


@pytest.fixture
def tiny(tmp_path):
    return write(tmp_path / "tiny.npz", tiny_arrays(), ABOUT)


def test_what_is_written_comes_back_normalised_by_the_training_part(tiny):
    arrays, dataset = tiny_arrays(), read(tiny)
    x = arrays["x_train"].astype(np.float64)
    assert np.allclose(dataset.x_test, (arrays["x_test"] - x.mean()) / x.std(), atol=1e-6)
    assert dataset.x_train.dtype == np.float32
    assert np.array_equal(dataset.y_val, arrays["y_val"])
    assert dataset.image_shape == (2, 2)
    assert dataset.feature_names == ("pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1")


def test_pixels_are_stored_as_they_came_and_the_story_counts_them(tiny):
    arrays, about = read_arrays(tiny)
    assert arrays["x_train"].dtype == np.uint8
    assert about["sha256"] == fingerprint(arrays) == fingerprint(tiny_arrays())
    assert (about["n_train"], about["n_val"], about["n_test"], about["n_features"]) == (40, 5, 7, 4)
    assert read_about(tiny) == about


def test_the_file_is_the_same_every_time(tiny, tmp_path):
    again = write(tmp_path / "again.npz", tiny_arrays(), ABOUT)
    assert again.read_bytes() == tiny.read_bytes()


def test_the_table_for_bytes_equals_the_formula_for_floats():
    pixels = np.arange(256, dtype=np.uint8)[None, :]
    assert np.array_equal(normalised(pixels, 3.5, 0.7), normalised(pixels.astype(float), 3.5, 0.7))


def test_the_fingerprint_sees_values_names_shapes_and_dtypes():
    base = fingerprint({"x": np.zeros(4, np.uint8)})
    others = [{"x": np.array([0, 0, 1, 0], np.uint8)}, {"z": np.zeros(4, np.uint8)},
              {"x": np.zeros((2, 2), np.uint8)}, {"x": np.zeros(1, np.uint32)}]
    assert base not in [fingerprint(other) for other in others]


def test_more_arrays_become_extra_facts(tmp_path):
    arrays = tiny_arrays() | {"speaker_train": np.arange(40)}
    dataset = read(write(tmp_path / "more.npz", arrays, ABOUT))
    assert np.array_equal(dataset.extra["speaker_train"], np.arange(40))


@pytest.mark.parametrize("keep", [0, 10, 300, -30])
def test_a_cut_file_is_told_in_one_line_with_the_mend(tiny, keep):
    tiny.write_bytes(tiny.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"tiny.npz: got a damaged file.*fetch it") as caught:
        read(tiny, "fetch it")
    assert "\n" not in str(caught.value)


def test_a_flipped_byte_is_noticed(tiny):
    content = bytearray(tiny.read_bytes())
    content[content.index(b"x_train.npy") + 150] ^= 0xFF
    tiny.write_bytes(bytes(content))
    with pytest.raises(InputError, match="damaged"):
        read(tiny)


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", weight=np.zeros(3))
    with pytest.raises(InputError, match=r"damaged.*about"):
        read(tmp_path / "other.npz")
    np.savez(tmp_path / "hollow.npz", about=np.array('{"name": "hollow"}'))
    with pytest.raises(InputError, match="no class_names"):
        read(tmp_path / "hollow.npz")
    with pytest.raises(InputError, match=r"no such file.*mend"):
        read(tmp_path / "absent.npz", "mend")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "evil.npz", about=np.array([{"name": "evil"}], dtype=object))
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path / "evil.npz")


def test_a_label_out_of_range_is_not_written(tmp_path):
    arrays = tiny_arrays()
    arrays["y_val"][3] = 2
    with pytest.raises(InputError, match=r"y_val: got label 2 at index 3.*0 to 1"):
        write(tmp_path / "bad.npz", arrays, ABOUT)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_write_keeps_the_old_file_and_no_scraps(tiny, failure):
    before = tiny.read_bytes()

    def interrupted(names):
        yield next(iter(names))
        raise failure

    with pytest.raises(failure):
        write(tiny, tiny_arrays(), ABOUT, progress=interrupted)
    assert tiny.read_bytes() == before
    assert os.listdir(tiny.parent) == ["tiny.npz"]


def test_an_unwritable_place_is_told(tiny):
    with pytest.raises(InputError, match="cannot write"):
        write(tiny / "below.npz", tiny_arrays(), ABOUT)
